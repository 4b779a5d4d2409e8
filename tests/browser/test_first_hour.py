"""The first minutes of a new user in a real browser: a microphone test, one's own name, the demo."""

import re
import time

import numpy as np
from playwright.sync_api import Page, expect
from support import voices
from support.app import App

from speakerid.dashboard.shared.state import GONE_AFTER_S

PLENTY = 90_000  # ms; the machine may be busy
_COUNT = "addEventListener('click', (e) => { window.clicks = (window.clicks ?? 0) + (e.detail > 0); }, true)"


def test_four_clicks_lead_from_home_to_ones_own_name(app: App, open_browser):
    page: Page = open_browser(np.concatenate(voices.enrollment("Alice")), loop=True)
    page.goto(app.url, timeout=PLENTY)
    page.evaluate(
        "addEventListener('click', (e) => { window.clicks = (window.clicks ?? 0) + (e.detail > 0); }, true)"
    )
    page.get_by_role("link", name="Enroll a voice").click()
    page.get_by_role("textbox", name="Name").fill("Alice")
    page.locator(".st-key-enroll-consent label").click()
    page.frame_locator("iframe[src*=webrtc]").get_by_role("button", name="START").click()
    page.locator(".st-key-enroll-live button").click(timeout=PLENTY)
    expect(page.locator(".live-name")).to_have_text("Alice", timeout=PLENTY)
    assert page.evaluate("window.clicks") == 3, "and START, in a frame of its own, is the fourth"


def test_home_plays_the_demo(app: App, open_browser):
    page: Page = open_browser()
    page.goto(app.url, timeout=PLENTY)
    page.get_by_role("button", name="See the demo").click()
    expect(page.locator(".live-name")).to_have_text(re.compile("Alice|Bruno|Callum|Daisy"), timeout=PLENTY)


def test_the_microphone_is_tried_before_anything_else(app: App, open_browser):
    page: Page = open_browser(np.concatenate(voices.enrollment("Alice")), loop=True)
    page.goto(app.url, timeout=PLENTY)
    button, hint = page.locator(".mic-button"), page.locator(".mic-hint")
    expect(button).to_have_text("Test the microphone", timeout=PLENTY)
    button.click()
    expect(hint).to_have_text("Good: you are heard well.", timeout=PLENTY)
    expect(page.locator(".mic-device option").nth(1), "the devices have names now").to_be_attached()
    page.wait_for_function("() => Number(document.querySelector('.mic-meter').ariaValueNow) > -40")
    button.click()
    expect(button).to_have_text("Test the microphone")
    page.wait_for_function(
        "() => microphoneStreams.flatMap((one) => one.getTracks()).every((t) => t.readyState === 'ended')"
    )


def test_a_silent_microphone_gets_a_remedy(app: App, open_browser):
    page: Page = open_browser(np.zeros(20 * voices.RATE, np.float32), loop=True)
    page.goto(app.url, timeout=PLENTY)
    page.locator(".mic-button").click(timeout=PLENTY)
    expect(page.locator(".mic-hint")).to_contain_text("Nothing is heard", timeout=PLENTY)


def test_a_refused_microphone_gets_a_remedy(app: App, open_browser):
    page: Page = open_browser(allowed=False)
    page.goto(app.url, timeout=PLENTY)
    page.locator(".mic-button").click(timeout=PLENTY)
    expect(page.locator(".mic-hint")).to_contain_text("Allow it with the lock", timeout=PLENTY)


def test_an_analysis_goes_on_beside_other_pages_and_ends_with_its_tab(quiet_app: App, open_browser, tmp_path):
    app = quiet_app
    samples = np.concatenate([voices.conversation(["Alice", "Edgar", "Bruno"])[0]] * 60)  # twelve minutes
    page: Page = open_browser()
    page.goto(f"{app.url}/Recordings", timeout=PLENTY)
    file = voices.write_wav(tmp_path / "talk.wav", samples)
    page.locator(".st-key-recording-file input[type=file]").set_input_files(str(file), timeout=PLENTY)
    page.locator(".st-key-recording-start button").click(timeout=PLENTY)
    expect(page.locator(".st-key-recording-progress")).to_contain_text("heard", timeout=PLENTY)
    page.get_by_role("link", name="Home").click()
    expect(page.locator(".st-key-card-next")).to_be_visible(timeout=PLENTY)
    page.get_by_role("link", name="Recordings").click()
    expect(page.locator(".st-key-recording-progress")).to_contain_text("talk.wav", timeout=PLENTY)
    assert app.analyses() == 1
    page.close()
    end = time.monotonic() + GONE_AFTER_S + 20
    while app.analyses():
        assert time.monotonic() < end, "the analysis goes on though its tab is closed"
        time.sleep(0.2)
