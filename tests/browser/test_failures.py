"""What goes wrong around a microphone is said on the Live page, each with what to do about it."""

import socket
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from support.app import App
from support.chromium import chromium

from speakerid.dashboard.demo_people import DemoPeople
from speakerid.model import Encoder

PLENTY = 120_000  # ms; the machine may be busy
NOTICE = ".live-notice"


def enrolled(app: App) -> App:
    """The app with the demo's people enrolled."""
    people = DemoPeople(Encoder.load())
    for file in people.gallery.folder.iterdir():
        if file.is_file():
            app.voiceprints.mkdir(exist_ok=True)
            (app.voiceprints / file.name).write_bytes(file.read_bytes())
    return app


def open_live(stack: ExitStack, folder: Path, app: App, *, allowed: bool = True) -> Page:
    page = stack.enter_context(chromium(folder / "profile", allowed=allowed)).pages[0]
    page.goto(f"{app.url}/Live", timeout=PLENTY)
    return page


def test_a_refused_microphone_is_explained(app: App, tmp_path: Path):
    with ExitStack() as stack:
        page = open_live(stack, tmp_path, enrolled(app), allowed=False)
        page.frame_locator("iframe[src*=webrtc]").get_by_role("button", name="START").click(timeout=PLENTY)
        expect(page.locator(NOTICE)).to_contain_text("told not to share the microphone", timeout=PLENTY)
        expect(page.locator(NOTICE)).to_contain_text("Allow it")
        expect(page.locator(".st-key-now-speaking .live-name")).to_have_text("not listening")


def test_a_page_over_plain_http_from_another_computer_is_told_about_https(tmp_path: Path):
    address = own_address()
    with ExitStack() as stack:
        app = enrolled(stack.enter_context(App(tmp_path, address=address)))
        page = open_live(stack, tmp_path, app)
        expect(page.locator(NOTICE)).to_contain_text(
            "no microphone to a page over plain http", timeout=PLENTY
        )
        expect(page.locator(NOTICE)).to_contain_text("https")
        page.get_by_text("Demo", exact=True).click()
        expect(page.locator(NOTICE)).to_be_hidden(timeout=PLENTY)  # the demo needs no microphone


def test_with_nobody_enrolled_the_page_leads_on_and_the_demo_is_heard_and_named(app: App, tmp_path: Path):
    with ExitStack() as stack:
        page = open_live(stack, tmp_path, app)
        expect(page.get_by_text("Nobody is enrolled yet")).to_be_visible(timeout=PLENTY)
        page.locator(".st-key-live-see-demo button").click()  # one click, and it plays
        page.locator(".st-key-live-keep label").click(timeout=PLENTY)
        board = "document.querySelector('.live-board')?.board"
        page.wait_for_function(f"() => {board}?.along?.sound.currentTime > 1", timeout=PLENTY)
        assert page.evaluate(f"() => {{ const s = {board}.along.sound; return !s.paused && !s.muted; }}")
        page.locator(".live-mute").click()
        assert page.evaluate(f"() => {board}.along.sound.muted")
        # The sound that is played stays beside what is heard.
        page.wait_for_function(
            f"() => Math.abs({board}.along.sound.currentTime - {board}.hello.play.at) < 1", timeout=PLENTY
        )
        page.wait_for_function(f"() => {board}.rows.length > 2", timeout=PLENTY)

        # A click on a turn in the log plays that turn.
        page.locator(".live-hear").last.click()
        page.wait_for_function(f"() => {board}.turnSound?.sound.currentTime > 0.2", timeout=PLENTY)
        heard = page.evaluate(
            f"() => [{board}.turnSound.row.length / 1000, {board}.turnSound.sound.duration]"
        )
        assert abs(heard[0] - heard[1]) < 0.3
        expect(page.locator(".live-playing")).to_contain_text("Alice")
        page.locator(".live-playing button").click()
        expect(page.locator(".live-playing")).to_be_hidden()


def own_address() -> str:
    """An address of this computer that is not the loopback one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: only asks which address would be used
            return probe.getsockname()[0]
        except OSError:
            pytest.fail("This computer has no network address but the loopback one.")
