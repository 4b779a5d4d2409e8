"""The Live page from begin to end: two visitors, a tab that closes, a server that restarts, Ctrl-C."""

import time
import urllib.error
import urllib.request

import numpy as np
import pytest
from playwright.sync_api import Page, WebSocketRoute, expect
from support import voices
from support.app import App
from support.chromium import Chromiums, press_start, visit

NOW = ".st-key-now-speaking .live-name"
TOKEN = "() => document.querySelector('.live-board')?.board?.token"
CONNECTED = "() => document.querySelector('.live-board')?.board?.link.socket?.readyState === 1"
PIECE_SEEN = """() => [...document.querySelectorAll('.st-key-timeline i')].some((piece) => {
    const box = piece.getBoundingClientRect();
    return box.height > 10 && box.width > 1;
})"""
ENDS_WITHIN = 30.0  # s after a tab is closed; 5 on a computer that does nothing else
PLENTY = 120_000  # ms; the machine may be busy


@pytest.fixture
def people(app: App) -> App:
    """The app with Alice and Bruno enrolled."""
    voices.enroll(app.voiceprints, "Alice", "Bruno")
    return app


def open_live(open_browser, app: App, name: str) -> Page:
    """A browser on the Live page whose microphone hears one person over and over."""
    page = open_browser(np.concatenate(voices.enrollment(name)), loop=True)
    page.goto(f"{app.url}/Live", timeout=PLENTY)
    page.wait_for_function(CONNECTED, timeout=PLENTY)
    return page


def is_open(app: App, token: str) -> bool:
    try:
        with urllib.request.urlopen(f"{app.url}/api/live/{token}", timeout=10) as answer:
            return answer.status == 200
    except urllib.error.HTTPError as error:
        assert error.code == 404
        return False


def test_a_live_page_names_reconnects_after_a_restart_and_ends_with_its_tab(people: App, open_browser):
    page = open_live(open_browser, people, "Alice")
    expect(page.locator(NOW)).to_have_text("not listening")
    press_start(page)
    expect(page.locator(NOW)).to_have_text("Alice", timeout=PLENTY)
    for key in ("confidence-bars", "embedding-space", "timeline"):
        expect(page.locator(f".st-key-{key} .js-plotly-plot")).to_be_visible()
    expect(page.locator(".st-key-event-log tbody tr").first).to_contain_text("Alice", timeout=PLENTY)
    expect(page.locator(".st-key-latency")).to_contain_text("ms", timeout=PLENTY)

    before = page.evaluate(TOKEN)
    took = people.stop()  # Ctrl-C, with a stream and a live channel open; raises where it hangs
    print(f"Ctrl-C ended the server in {took:.1f} s")
    expect(page.locator(".live-notice")).to_contain_text("connection to the server is lost", timeout=PLENTY)
    people.start()
    page.wait_for_function(f"() => ({CONNECTED})() && ({TOKEN})() !== {before!r}", timeout=PLENTY)
    expect(page.locator(".live-notice")).to_be_hidden()

    token = page.evaluate(TOKEN)
    assert is_open(people, token)
    press_start(page)
    expect(page.locator(NOW)).to_have_text("Alice", timeout=PLENTY)
    assert people.stream_sockets(), "the browser's sound comes over UDP"
    assert people.stream_threads(), "a thread of streamlit-webrtc takes the frames"
    page.close()
    ended(people, token, time.monotonic())


def ended(app: App, token: str, closed: float) -> None:
    """Everything of a tab that was closed at this time (`time.monotonic`) ends in time."""
    left = {
        "channel": lambda: is_open(app, token),
        "sockets": app.stream_sockets,
        "threads": app.stream_threads,
    }
    while left:
        for what in [what for what, is_left in left.items() if not is_left()]:
            del left[what]
            print(f"the closed tab's {what} ended after {time.monotonic() - closed:.1f} s")
        assert time.monotonic() - closed < ENDS_WITHIN or not left, f"still there: {', '.join(left)}"
        time.sleep(0.1)


def test_where_only_the_websocket_is_blocked_the_page_polls_and_comes_back(people: App, open_browser):
    blocked = True

    passing: list[WebSocketRoute] = []

    def between(socket: WebSocketRoute) -> None:
        if blocked:
            socket.close()
        else:
            passing.append(socket.connect_to_server())

    page = open_browser()
    page.route_web_socket("**/api/live/*", between)
    page.goto(f"{people.url}/Live", timeout=PLENTY)
    expect(page.get_by_text("Live updates are not available here")).to_be_visible(timeout=PLENTY)
    expect(page.locator(".st-key-confidence-bars").last).to_contain_text("Alice", timeout=PLENTY)
    expect(page.locator(".live-card").first).to_be_hidden()
    page.get_by_text("Demo", exact=True).click()
    page.locator(".st-key-live-start button").click(timeout=PLENTY)
    piece = page.locator(".st-key-timeline").last.locator("i").first
    piece.wait_for(timeout=PLENTY)
    line = page.locator(".st-key-timeline").last
    line.evaluate("(line) => { line.mark = 'the same element'; }")
    page.wait_for_function(PIECE_SEEN, timeout=PLENTY)  # pieces are drawn anew: one caught may be gone
    page.wait_for_timeout(3000)
    assert line.evaluate("(line) => line.mark") == "the same element", "it does not mount anew"
    blocked = False
    page.wait_for_function(CONNECTED, timeout=PLENTY)
    expect(page.get_by_text("Live updates are not available here")).to_be_hidden(timeout=PLENTY)
    expect(page.locator(".live-card").first).to_be_visible(timeout=PLENTY)

    # Cut on the way, it ends nothing that is heard.
    page.wait_for_function("() => document.querySelector('.live-board').board.rows.length > 0")
    blocked = True
    for socket in passing:
        socket.close()
    expect(page.get_by_text("Live updates are not available here")).to_be_visible(timeout=PLENTY)
    expect(page.locator(".st-key-now-speaking").last).not_to_contain_text("not listening")


def test_two_visitors_see_their_own_sessions(people: App, chromiums: Chromiums):
    browser = chromiums.of(np.concatenate(voices.enrollment("Alice")), loop=True)
    with visit(browser) as hers, visit(browser) as theirs:
        alice, other = hers.pages[0], theirs.pages[0]
        alice.goto(f"{people.url}/Live", timeout=PLENTY)
        alice.wait_for_function(CONNECTED, timeout=PLENTY)
        press_start(alice)
        other.goto(f"{people.url}/Live", timeout=PLENTY)
        other.wait_for_function(CONNECTED, timeout=PLENTY)
        expect(other.locator(NOW)).to_have_text("not listening")
        assert alice.evaluate(TOKEN) != other.evaluate(TOKEN)
        expect(alice.locator(NOW)).to_have_text("Alice", timeout=PLENTY)
        expect(other.locator(NOW)).to_have_text("not listening")
        expect(other.locator(".st-key-event-log tbody tr")).to_have_count(0)


def test_leaving_the_page_ends_the_stream_and_coming_back_finds_the_log(people: App, open_browser):
    page = open_live(open_browser, people, "Bruno")
    press_start(page)
    expect(page.locator(".st-key-event-log tbody tr").first).to_contain_text("Bruno", timeout=PLENTY)
    page.get_by_role("link", name="Home").click()
    expect(page.locator(".live-board")).to_have_count(0, timeout=PLENTY)
    page.get_by_role("link", name="Live").first.click()
    expect(page.locator(".st-key-event-log tbody tr").last).to_contain_text("Bruno", timeout=PLENTY)
    expect(page.locator(NOW)).to_have_text("not listening", timeout=PLENTY)
