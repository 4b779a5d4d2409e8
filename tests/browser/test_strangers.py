"""A stranger on the Live page gets a name afterwards: turns, consent, voiceprint, and the log corrected."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from support import voices
from support.app import App

from speakerid.gallery import Gallery

PLENTY = 120_000  # ms; the machine may be busy
ROWS = ".st-key-event-log tbody tr"
DIALOG = "[data-testid=stDialog]"


@pytest.fixture
def people(app: App) -> App:
    """The app with Alice enrolled."""
    voices.enroll(app.voiceprints, "Alice")
    return app


def begin(page: Page, app: App, file: Path) -> None:
    """Play a recording on the Live page in real time, with its sound kept."""
    page.goto(f"{app.url}/Live", timeout=PLENTY)
    page.get_by_role("radio", name="Recording").click()
    page.locator(".st-key-live-file input[type=file]").wait_for(state="attached", timeout=PLENTY)
    page.locator(".st-key-live-keep label").first.click()
    expect(page.get_by_text("of sound kept").first).to_be_visible(timeout=PLENTY)
    # A file that is chosen while the page is drawn anew is lost; nobody but a test is as quick.
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for(timeout=PLENTY)
    page.locator(".st-key-live-file input[type=file]").set_input_files(file)
    expect(page.locator(".st-key-live-file")).to_contain_text(file.name, timeout=PLENTY)
    start = page.locator(".st-key-live-start button")
    expect(start).to_be_enabled(timeout=PLENTY)
    start.click()


def listen(page: Page, app: App, file: Path) -> None:
    """The same, and wait for its end."""
    begin(page, app, file)
    expect(page.locator(ROWS).nth(3)).to_be_visible(timeout=PLENTY)
    expect(page.locator(".st-key-now-speaking")).to_contain_text("not listening", timeout=PLENTY)


def test_a_stranger_is_named_with_consent_from_the_turns_that_were_chosen(people, open_browser, tmp_path):
    samples, turns = voices.conversation(["Edgar", "Alice", "Edgar", "Alice", "Edgar"])
    page = open_browser()
    listen(page, people, voices.write_wav(tmp_path / "conversation.wav", samples))
    print(page.locator(ROWS).all_inner_texts(), turns)
    newest = page.locator(ROWS).filter(has_text="unknown").first
    newest.locator("select").select_option(label="somebody new …")
    dialog = page.locator(DIALOG)
    expect(dialog).to_contain_text("Whose voice is this?", timeout=PLENTY)
    offered = dialog.locator("[class*=st-key-naming-turn-]")
    # All of Edgar's turns; they come one by one.
    expect(offered.nth(2)).to_contain_text("unknown", timeout=PLENTY)
    for turn in offered.all():
        if not turn.locator("input").is_checked():
            turn.locator("label").click()
            expect(turn.locator("input")).to_be_checked()
    dialog.get_by_role("textbox", name="Name").fill("Edgar")
    dialog.locator("[class*=st-key-naming-enroll] button").click()
    expect(dialog).to_contain_text("The consent is missing", timeout=PLENTY)
    assert [person.name for person in Gallery.open(people.voiceprints).speakers()] == ["Alice"]
    dialog.locator("[class*=st-key-naming-consent] label").click()
    expect(dialog.locator("[class*=st-key-naming-consent] input")).to_be_checked()
    dialog.locator("[class*=st-key-naming-enroll] button").click()
    expect(dialog).to_have_count(0, timeout=PLENTY)
    expect(page.locator(ROWS).filter(has=page.locator("select")).first).to_have_attribute(
        "data-name", "Edgar", timeout=PLENTY
    )
    alice, edgar = Gallery.open(people.voiceprints).speakers()
    assert (alice.name, edgar.name, edgar.consent.source) == ("Alice", "Edgar", "live")
    assert all(source.startswith("live, 20") for source in edgar.sources)
    expect(page.locator(f"{ROWS}[data-name=unknown]")).to_have_count(0, timeout=PLENTY)


def test_the_dialog_grows_while_it_is_open_and_keeps_nothing_for_the_next_voice(
    people, open_browser, tmp_path
):
    order = ["Edgar", "Alice", "Felix", "Alice", "Edgar", "Alice", "Felix"]
    samples, turns = voices.conversation(order)
    page = open_browser()
    begin(page, people, voices.write_wav(tmp_path / "conversation.wav", samples))
    first = page.locator(ROWS).filter(has_text="unknown").last
    expect(page.locator(ROWS).nth(1)).to_be_visible(timeout=PLENTY)
    first.locator("select").select_option(label="somebody new …")
    dialog = page.locator(DIALOG)
    offered = dialog.locator("[class*=st-key-naming-turn-]")
    expect(offered.first).to_contain_text("unknown", timeout=PLENTY)
    dialog.get_by_role("textbox", name="Name").fill("Edgar")
    dialog.locator("[class*=st-key-naming-consent] label").click()
    expect(offered.nth(3)).to_be_visible(timeout=PLENTY)  # Edgar and Felix, twice each, came meanwhile
    expect(dialog.get_by_role("textbox", name="Name")).to_have_value("Edgar")
    ticked = ticks(offered)
    print(ticked, turns)
    assert ticked[turns[0].start] and ticked[turns[4].start]
    assert not ticked[turns[2].start] and not ticked[turns[6].start]
    dialog.locator("[class*=st-key-naming-enroll]").scroll_into_view_if_needed()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0, timeout=PLENTY)

    expect(page.locator(".st-key-now-speaking")).to_contain_text("not listening", timeout=PLENTY)
    page.wait_for_timeout(4000)
    expect(dialog).to_have_count(0)  # closed, it stays closed
    page.locator(ROWS).filter(has_text="unknown").first.locator("select").select_option(
        label="somebody new …"
    )
    expect(offered.nth(3)).to_be_visible(timeout=PLENTY)
    expect(dialog.get_by_role("textbox", name="Name")).to_have_value("")
    expect(dialog.locator("[class*=st-key-naming-consent] input")).not_to_be_checked()
    ticked = ticks(offered)
    assert ticked[turns[6].start] and not ticked[turns[0].start] and not ticked[turns[4].start]


class Ticks(dict):
    """By the second at which a turn begins, about: whether it is ticked."""

    def __missing__(self, start: float) -> bool:
        [found] = [on for at, on in self.items() if abs(at - start) < 0.7]
        return found


def ticks(offered: Locator) -> Ticks:
    return Ticks(
        {
            int(re.search(r"naming-turn-\d+-(\d+)", turn.get_attribute("class"))[1]) / 1000: turn.locator(
                "input"
            ).is_checked()
            for turn in offered.all()
        }
    )
