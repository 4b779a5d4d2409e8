"""Every page but Live for everybody: axe-core, headings, names of buttons, focus, and the keyboard alone."""

import re
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from support import voices
from support.app import App
from support.chromium import box

WEBRTC = "iframe[src*=webrtc]"
PLENTY = 90_000  # ms; the machine may be busy
_NAMELESS = """() => [...document.querySelectorAll("button, [role=button], a, input, select, audio")]
  .filter((one) => one.checkVisibility() && !(one.innerText?.trim() || one.ariaLabel || one.title
    || one.labels?.length || one.getAttribute("aria-labelledby") || one.type === "file"))
  .map((one) => one.outerHTML.slice(0, 160))"""
# The line has moved by 50 px, to the turn of whoever is second in the timeline.
_LINE_ON_BRUNO = """(before) => {
  const line = document.querySelector(".recording-cursor")?.getBoundingClientRect();
  const bars = document.querySelectorAll(".st-key-recording-timeline .barlayer .trace");
  const bar = bars[1]?.getBoundingClientRect();
  return line && bar && line.x > before + 50 && line.x > bar.left - 5 && line.x < bar.right;
}"""
_FOCUSED = """() => {
  let one = document.activeElement;
  while (one?.contentDocument) one = one.contentDocument.activeElement;
  const named = one?.innerText?.trim() || one?.ariaLabel || one?.labels?.[0]?.innerText || "";
  const shown = one && getComputedStyle(one).outlineStyle !== "none"
    || one?.labels?.[0] && getComputedStyle(one.labels[0]).outlineStyle !== "none";
  return [named, Boolean(shown) || one?.ownerDocument !== document];
}"""


def good_for_everybody(page: Page) -> None:
    """No serious finding of axe-core in either scheme, one h1, and no control without a name."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(700)
        serious = [
            (scheme, found["id"], [node["html"][:160] for node in found["nodes"]])
            for found in Axe().run(page).response["violations"]
            if found["impact"] in ("serious", "critical")
        ]
        assert serious == []
    expect(page.locator("h1")).to_have_count(1)
    assert page.evaluate(_NAMELESS) == []


def frame_good_for_everybody(page: Page) -> None:
    """The same of what streamlit-webrtc draws, in a frame of its own; axe-core runs within it."""
    (frame,) = (one for one in page.frames if "webrtc" in one.url)
    expect(page.frame_locator(WEBRTC).get_by_role("button", name=re.compile("START|STOP"))).to_be_visible()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for _ in range(30):  # the frame is told of the scheme, and its colors fade
            page.wait_for_timeout(1000)
            found = Axe().run(frame).response
            assert found["passes"], "nothing was looked at"
            serious = [
                (scheme, one["id"], [node["html"][:160] for node in one["nodes"]])
                for one in found["violations"]
                if one["impact"] in ("serious", "critical")
            ]
            if not serious:
                break
        assert serious == []
    assert frame.evaluate(_NAMELESS) == []


def open_at(page: Page, app: App, where: str, until: str) -> None:
    page.goto(f"{app.url}/{where}", timeout=PLENTY)
    expect(page.locator(until).first).to_be_visible(timeout=PLENTY)
    page.wait_for_timeout(1000)


def test_no_page_has_a_serious_fault(app: App, open_browser, tmp_path: Path):
    page = open_browser()
    open_at(page, app, "", ".st-key-card-state")
    good_for_everybody(page)
    voices.enroll_four(app.voiceprints)
    open_at(page, app, "", ".st-key-card-state .sid-chips")
    good_for_everybody(page)
    open_at(page, app, "Enroll", ".st-key-enroll-source")
    good_for_everybody(page)
    open_at(page, app, "Evaluate", ".st-key-evaluate-people")
    good_for_everybody(page)
    open_at(page, app, "Recordings", ".st-key-recording-file")
    samples, _ = voices.conversation(["Alice", "Edgar", "Bruno"])
    file = voices.write_wav(tmp_path / "talk.wav", samples)
    page.locator(".st-key-recording-file input[type=file]").set_input_files(str(file))
    page.locator(".st-key-recording-start button").click()
    expect(page.locator(".st-key-recording-timeline .js-plotly-plot")).to_be_visible(timeout=PLENTY)
    page.wait_for_timeout(1000)
    good_for_everybody(page)
    plays_whole(page)


def test_the_frame_of_the_microphone_has_no_serious_fault(app: App, open_browser):
    page = open_browser(np.concatenate(voices.enrollment("Alice")), loop=True)
    open_at(page, app, "Enroll", WEBRTC)
    frame_good_for_everybody(page)
    voices.enroll(app.voiceprints, "Alice")
    open_at(page, app, "Live", WEBRTC)
    frame_good_for_everybody(page)
    page.frame_locator(WEBRTC).get_by_role("button", name="START").click()
    expect(page.locator(".live-name")).to_have_text("Alice", timeout=PLENTY)
    frame_good_for_everybody(page)


def plays_whole(page: Page) -> None:
    """The whole recording plays, with a line that moves along the timeline and the name of who speaks."""
    sound = page.locator(".recording-player audio")
    sound.evaluate("(sound) => { sound.muted = true; return sound.play(); }")
    expect(page.locator(".recording-player-who")).to_have_text("Alice", timeout=PLENTY)
    before = box(page, ".recording-cursor")["x"]
    expect(page.locator(".recording-player-who")).to_have_text("Bruno", timeout=PLENTY)
    page.wait_for_function(_LINE_ON_BRUNO, arg=before, timeout=PLENTY)


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has the focus is called so; it must be seen to have it."""
    seen = []
    for _ in range(70):
        page.keyboard.press("Tab")
        named, shown = page.evaluate(_FOCUSED)
        seen.append(named[:40])
        if named.splitlines()[-1:] and named.splitlines()[-1].startswith(name):  # an icon is text before it
            assert shown, f"{name} does not show that it has the focus"
            return
    pytest.fail(f"Tab does not reach {name}: {seen}")


def test_the_keyboard_alone_leads_from_home_to_ones_own_name(app: App, open_browser):
    page = open_browser(np.concatenate(voices.enrollment("Alice")), loop=True)
    open_at(page, app, "", ".st-key-card-state")
    tab_to(page, "Enroll a voice")
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-enroll-source")).to_be_visible(timeout=PLENTY)
    page.wait_for_timeout(1000)
    tab_to(page, "Name")
    page.keyboard.type("Alice")
    page.wait_for_timeout(500)
    tab_to(page, "The person whose voice")
    page.keyboard.press("Space")
    expect(page.locator(".st-key-enroll-consent input")).to_be_checked()
    tab_to(page, "START")
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-enroll-live")).to_be_visible(timeout=PLENTY)
    page.wait_for_timeout(500)
    tab_to(page, "Save and go live")
    page.keyboard.press("Enter")
    expect(page.locator(".live-name")).to_have_text("Alice", timeout=PLENTY)
