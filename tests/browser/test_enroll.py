"""Enrolling in a real browser with a fake microphone: a good voice, and each kind that must not get in."""

import re
import time

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from support import voices
from support.app import App
from support.chromium import press_start

from speakerid.gallery import Gallery

PLENTY = 90_000  # ms; the machine may be busy
ENDS_WITHIN = 30.0  # s after a tab is closed; 5 on a computer that does nothing else
LONGEST_SPOKEN = 30.0  # s of speaking that an enrollment may take
RESULT, SAVED = ".st-key-enroll-result", ".st-key-card-stored"


def spoken(*names: str) -> np.ndarray:
    """About 25 s of a person's enrollment recordings, or of several people in turn, sentence by sentence."""
    if len(names) == 1:
        return np.concatenate(voices.enrollment(names[0]))
    pause = np.zeros(voices.RATE // 4, np.float32)
    sentences = [voices.turn(name, number) for number in range(4) for name in names]
    return np.concatenate([part for sentence in sentences for part in (sentence, pause)])


def open_enroll(page: Page, app: App, name: str) -> None:
    """The Enroll page with a name and the consent: what comes before the clicks that are counted."""
    page.goto(f"{app.url}/Enroll", timeout=PLENTY)
    page.get_by_role("textbox", name="Name").fill(name)
    page.get_by_role("textbox", name="Name").press("Enter")
    page.locator(".st-key-enroll-consent label").click()
    expect(page.locator(".st-key-enroll-consent input")).to_be_checked()


def record_and_save(page: Page) -> float:
    """START, wait until the recording ends by itself, save: two clicks. The seconds that it recorded."""
    press_start(page)
    expect(page.locator(".st-key-enroll-progress")).to_be_visible(timeout=PLENTY)
    expect(page.locator(".st-key-enroll-save")).to_be_visible(timeout=PLENTY)
    legend = page.locator(f"{RESULT} .sid-legend")
    expect(legend).to_have_text(re.compile(r"[0-9.]+ s"), timeout=PLENTY)
    seconds = re.search(r"([0-9.]+) s", legend.inner_text())
    assert seconds
    page.locator(".st-key-enroll-save button").click()
    return float(seconds[1])


def people(app: App) -> list[str]:
    return [person.name for person in Gallery.open(app.voiceprints).speakers()]


def enroll_before(app: App, name: str) -> None:
    """Somebody who is enrolled when the test begins."""
    voices.enroll(app.voiceprints, name)


def test_a_good_voice_is_enrolled_with_two_clicks_in_half_a_minute(app: App, open_browser):
    page = open_browser(spoken("Alice"), loop=True)
    open_enroll(page, app, "Alice")
    seconds = record_and_save(page)
    expect(page.locator(SAVED)).to_contain_text("Alice is enrolled", timeout=PLENTY)
    assert seconds <= LONGEST_SPOKEN
    (alice,) = Gallery.open(app.voiceprints).speakers()
    assert alice.consent.source == "browser"
    assert all(source.startswith("Browser microphone, 20") for source in alice.sources)


def test_an_enrolled_voice_is_named_and_added_with_one_click(app: App, open_browser):
    enroll_before(app, "Alice")
    before = Gallery.open(app.voiceprints).get("Alice")
    page = open_browser(spoken("Alice"), loop=True)
    open_enroll(page, app, "Somebody else")
    record_and_save(page)
    expect(page.locator(RESULT)).to_contain_text('This is the voice of "Alice"', timeout=PLENTY)
    assert people(app) == ["Alice"]
    page.get_by_role("button", name="Add it to Alice instead").click()
    expect(page.locator(SAVED)).to_contain_text("Alice is enrolled", timeout=PLENTY)
    (alice,) = Gallery.open(app.voiceprints).speakers()
    assert alice.updated > before.updated


@pytest.mark.parametrize(
    ("kind", "samples", "answer"),
    [
        ("quiet", 0.004 * spoken("Alice"), "too quiet"),
        ("clipped", np.clip(30 * spoken("Alice"), -1, 1), "clipped"),
        ("two voices", spoken("Alice", "Bruno"), "More than one voice is heard"),
    ],
)
def test_what_would_spoil_a_voiceprint_is_refused(app: App, open_browser, kind, samples, answer):
    page = open_browser(samples.astype(np.float32), loop=True)
    open_enroll(page, app, "Daisy")
    record_and_save(page)
    expect(page.locator(f"{RESULT} [data-testid=stAlert]").last).to_contain_text(answer, timeout=PLENTY)
    assert people(app) == []
    page.locator(".st-key-enroll-again button").click()
    expect(page.locator(".st-key-enroll-save")).to_have_count(0, timeout=PLENTY)


def test_another_voice_under_a_known_name_gets_another_name(app: App, open_browser):
    enroll_before(app, "Daisy")
    page = open_browser(spoken("Bruno"), loop=True)
    open_enroll(page, app, "Daisy")
    record_and_save(page)
    expect(page.locator(RESULT)).to_contain_text("does not sound like the voice that", timeout=PLENTY)
    page.get_by_role("button", name="Save it as “Daisy 2” instead").click()
    expect(page.locator(SAVED)).to_contain_text("Daisy 2 is enrolled", timeout=PLENTY)
    assert people(app) == ["Daisy", "Daisy 2"]


def test_leaving_the_page_keeps_nothing_and_closing_its_tab_ends_the_stream(quiet_app: App, open_browser):
    app = quiet_app
    page = open_browser(spoken("Bruno"), loop=True)
    open_enroll(page, app, "Bruno")
    press_start(page)
    expect(page.locator(".st-key-enroll-progress")).to_be_visible(timeout=PLENTY)
    page.get_by_role("link", name="Home").click()
    expect(page.locator(".st-key-card-next")).to_be_visible(timeout=PLENTY)
    page.get_by_role("link", name="Enroll", exact=True).click()
    expect(page.locator(".st-key-enroll-source")).to_be_visible(timeout=PLENTY)
    expect(page.locator(".st-key-enroll-save")).to_have_count(0)
    expect(page.locator(".st-key-enroll-progress")).to_have_count(0)
    assert people(app) == []
    assert Gallery.open(app.voiceprints).recording_counts() == {}

    page.reload()
    press_start(page)
    expect(page.locator(".st-key-enroll-progress")).to_be_visible(timeout=PLENTY)
    page.wait_for_timeout(1000)  # threads are told some tenths of a second late
    assert app.stream_sockets() and "guided-recording" in app.stream_threads()
    page.close()
    closed = time.monotonic()
    while (left := (app.stream_sockets(), *app.stream_threads())) != (0,):
        assert time.monotonic() - closed < ENDS_WITHIN, f"a closed tab leaves {left}"
        time.sleep(0.1)
    print(f"the closed tab's stream ended after {time.monotonic() - closed:.1f} s")
