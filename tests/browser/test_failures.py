"""What goes wrong around a microphone is said on the Live page, each with what to do about it."""

import socket
import time
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from support.app import App
from support.chromium import press_start

from speakerid.dashboard.live.demo_people import shipped
from speakerid.gallery.opening import open_store

PLENTY = 120_000  # ms; the machine may be busy
NOTICE = ".live-notice"
NAME = ".st-key-now-speaking .live-name"
DETAIL = ".st-key-now-speaking .live-detail"

# Chromium's fake devices cannot be pulled out: the browser is made to say what it says then. Its default
# device stands for "Fake Audio Input 1".
_FAKE_DEVICES = """
window.pulledOut = [];
const enumerate = navigator.mediaDevices.enumerateDevices.bind(navigator.mediaDevices);
navigator.mediaDevices.enumerateDevices = async () => {
  const all = (await enumerate()).map((device) => device.toJSON());
  const standard = all.find((device) => device.kind === "audioinput" && device.deviceId === "default");
  for (const device of all) if (device.label === "Fake Audio Input 1") device.groupId = standard.groupId;
  setTimeout(() => { window.top.looked = (window.top.looked ?? 0) + 1; }, 200);
  return all.filter((device) => !window.pulledOut.includes(device.label));
};
"""
_PULL_OUT = """
(label) => {
  window.top.looked = 0;
  window.pulledOut.push(label);
  navigator.mediaDevices.dispatchEvent(new Event("devicechange"));
}
"""

# What a firewall does that lets no UDP pass: there is no way to a peer, and no relay either.
_NO_WAY = """
window.RTCPeerConnection = class extends window.RTCPeerConnection {
  constructor(how) { super({ ...how, iceTransportPolicy: "relay" }); }
};
"""


def enrolled(app: App) -> App:
    """The app with the demo's people enrolled."""
    store = open_store(app.voiceprints)
    for person in shipped():
        store.put(person)
    store.close()
    return app


def open_live(open_browser, app: App, allowed: bool = True, script: str = "") -> Page:
    page = open_browser(allowed=allowed)
    page.add_init_script(script)
    page.goto(f"{app.url}/Live", timeout=PLENTY)
    return page


def start_stop(page: Page, label: str) -> Locator:
    """The button of streamlit-webrtc."""
    return page.frame_locator("iframe[src*=webrtc]").get_by_role("button", name=label)


def test_a_refused_microphone_is_explained(app: App, open_browser):
    page = open_live(open_browser, enrolled(app), allowed=False)
    start_stop(page, "START").click(timeout=PLENTY)
    expect(page.locator(NOTICE)).to_contain_text("told not to share the microphone", timeout=PLENTY)
    expect(page.locator(NOTICE)).to_contain_text("Allow it")
    expect(page.locator(".st-key-now-speaking .live-name")).to_have_text("not listening")


def test_a_page_over_plain_http_from_another_computer_is_told_about_https(open_browser, tmp_path: Path):
    with App(tmp_path, address=own_address()) as running:
        app = enrolled(running)
        page = open_live(open_browser, app)
        expect(page.locator(NOTICE)).to_contain_text(
            "no microphone to a page over plain http", timeout=PLENTY
        )
        expect(page.locator(NOTICE)).to_contain_text("https")
        page.get_by_text("Demo", exact=True).click()
        expect(page.locator(NOTICE)).to_be_hidden(timeout=PLENTY)  # the demo needs no microphone


def test_with_nobody_enrolled_the_page_leads_on_and_the_demo_is_heard_and_named(app: App, open_browser):
    page = open_live(open_browser, app)
    expect(page.get_by_text("Nobody is enrolled yet")).to_be_visible(timeout=PLENTY)
    page.locator(".st-key-live-see-demo button").click()  # one click, and it plays
    page.locator(".st-key-live-keep label").click(timeout=PLENTY)
    board = "document.querySelector('.live-board')?.board"
    page.wait_for_function(f"() => {board}?.sound.along?.sound.currentTime > 1", timeout=PLENTY)
    assert page.evaluate(f"() => {{ const s = {board}.sound.along.sound; return !s.paused && !s.muted; }}")
    page.locator(".live-mute").click()
    assert page.evaluate(f"() => {board}.sound.along.sound.muted")
    # The sound that is played stays beside what is heard.
    page.wait_for_function(
        f"() => Math.abs({board}.sound.along.sound.currentTime - {board}.hello.play.at) < 1", timeout=PLENTY
    )
    page.wait_for_function(f"() => {board}.rows.length > 2", timeout=PLENTY)

    # A click on a turn in the log plays that turn; on a busy computer the first began before sound was kept.
    page.locator(".live-hear").nth(1).click()
    page.wait_for_function(f"() => {board}.sound.turn?.sound.currentTime > 0.2", timeout=PLENTY)
    heard = page.evaluate(f"() => [{board}.sound.turn.row.length / 1000, {board}.sound.turn.sound.duration]")
    assert abs(heard[0] - heard[1]) < 0.3
    expect(page.locator(".live-playing")).to_contain_text(page.evaluate(f"() => {board}.sound.turn.row.name"))
    page.locator(".live-playing button").click()
    expect(page.locator(".live-playing")).to_be_hidden()


def test_a_microphone_that_is_pulled_out_is_told_and_one_that_nobody_uses_is_not(app: App, open_browser):
    page = open_live(open_browser, enrolled(app), script=_FAKE_DEVICES)
    press_start(page)
    expect(page.locator(NAME)).not_to_have_text("not listening", timeout=PLENTY)
    frame = next(frame for frame in page.frames if "webrtc_streamer" in frame.url)
    frame.evaluate(_PULL_OUT, "Fake Audio Input 2")
    page.wait_for_function("() => window.looked")
    expect(page.locator(NOTICE)).to_be_hidden()
    frame.evaluate(_PULL_OUT, "Fake Audio Input 1")
    expect(page.locator(NOTICE)).to_contain_text("The microphone is gone: plug it in again")

    start_stop(page, "STOP").click()
    page.evaluate("() => { window.microphoneOpened = []; }")
    press_start(page)
    expect(page.locator(NOTICE)).to_be_hidden(timeout=PLENTY)
    page.evaluate("() => microphoneStreams.at(-1).getTracks()[0].dispatchEvent(new Event('ended'))")
    expect(page.locator(NOTICE)).to_contain_text("The microphone is gone: plug it in again")


def test_a_connection_that_is_lost_on_the_way_is_told_and_goes_on_when_it_is_back(app: App, open_browser):
    page = open_live(open_browser, enrolled(app))
    press_start(page)
    expect(page.locator(NAME)).not_to_have_text("not listening", timeout=PLENTY)
    sender = "connections.at(-1).getSenders()[0]"
    page.evaluate(f"() => {sender}.replaceTrack(null)")  # as where nothing arrives any more
    expect(page.locator(DETAIL)).to_contain_text("No sound has come from the browser", timeout=PLENTY)
    expect(page.locator(DETAIL)).to_contain_text("Press START to go on")
    page.evaluate(f"() => {sender}.replaceTrack(microphoneStreams.at(-1).getTracks()[0])")
    expect(page.locator(NAME)).not_to_have_text("not listening", timeout=PLENTY)


def test_a_stream_that_the_app_has_ended_can_be_started_again(app: App, open_browser):
    page = open_browser()
    page.route_web_socket("**/api/live/*", lambda socket: socket.close())  # nobody watches, as it seems
    page.goto(f"{enrolled(app).url}/Live", timeout=PLENTY)
    said = page.locator(".st-key-now-speaking").last
    expect(said).to_contain_text("not listening", timeout=PLENTY)
    press_start(page)
    expect(said).not_to_contain_text("not listening", timeout=PLENTY)
    page.evaluate("() => connections.at(-1).getSenders()[0].replaceTrack(null)")
    expect(said).to_contain_text("No sound has come from the browser", timeout=PLENTY)
    page.wait_for_function("() => connections.at(-1).connectionState !== 'connected'", timeout=PLENTY)
    expect(start_stop(page, "START")).to_be_visible(timeout=PLENTY)
    page.evaluate("() => { window.microphoneOpened = []; }")
    press_start(page)
    expect(said).not_to_contain_text("not listening", timeout=PLENTY)


def test_a_network_that_lets_no_sound_through_is_told_with_what_to_do(quiet_app: App, open_browser):
    app = quiet_app
    page = open_live(open_browser, enrolled(app), script=_NO_WAY)
    press_start(page)
    expect(page.locator(DETAIL)).to_contain_text("sound does not get through", timeout=PLENTY)
    expect(page.locator(DETAIL)).to_contain_text("let UDP pass")
    assert app.stream_threads()
    start_stop(page, "STOP").click()
    eventually_no_threads(app)
    page.evaluate("() => { window.microphoneOpened = []; }")
    press_start(page)
    page.wait_for_timeout(3000)
    assert app.stream_threads()
    page.close()
    eventually_no_threads(app)


def eventually_no_threads(app: App) -> None:
    deadline = time.monotonic() + PLENTY / 1000
    while left := app.stream_threads():
        assert time.monotonic() < deadline, f"a stream that is over leaves {left}"
        time.sleep(0.1)


def own_address() -> str:
    """An address of this computer that is not the loopback one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: only asks which address would be used
            return probe.getsockname()[0]
        except OSError:
            pytest.fail("This computer has no network address but the loopback one.")
