"""A real Chromium whose microphone is a sound file, and what a test reads off the page meanwhile."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from support import voices

MICROPHONE_RATE = 48_000
LEAD = 2.0  # s of silence before the sound: connecting loses the first second, on a busy machine more
TAIL = 0.5

_ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",  # continuous integration runs as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
]

# Notes on the top window when a frame of the page opens the microphone (the file starts to play then), with
# what stream, and over which connection that goes.
_NOTE_MICROPHONE = """
const devices = navigator.mediaDevices;
if (devices) {
  const open = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (wanted) => {
    const stream = await open(wanted);
    if (stream.getAudioTracks().length) {
      (window.top.microphoneOpened ??= []).push(Date.now());
      (window.top.microphoneStreams ??= []).push(stream);
    }
    return stream;
  };
}
if (window.RTCPeerConnection) {
  window.RTCPeerConnection = class extends window.RTCPeerConnection {
    constructor(...how) { super(...how); (window.top.connections ??= []).push(this); }
  };
}
"""

_BOX = """
([selector, nth]) => {
  const box = document.querySelectorAll(selector)[nth]?.getBoundingClientRect();
  return box && (box.width || box.height) ? box.toJSON() : null;
}
"""

_READ = """
([selectors, period]) => {
  window.readings = [];
  clearInterval(window.readingTimer);
  window.readingTimer = setInterval(() => window.readings.push(
    [Date.now(), ...selectors.map((s) => document.querySelector(s)?.textContent ?? null)]), period);
}
"""


def executable() -> str:
    """Where Chromium is; the test fails where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.fail("Chromium is missing: install the Debian package chromium, then run the tests again.")


class Chromiums:
    """Browsers that tests share: starting one costs more than all else that a test does with it.

    The sound of a fake microphone is an argument of the browser, so there is one browser for each sound; the
    last ones used stay open. A test gets a context of its own in it: no cookie and no page of another's.

    Args:
        folder: where the sounds go.
    """

    _KEPT = 2

    def __init__(self, folder: Path):
        self._folder = folder
        self._open: dict[tuple[str, bool, bool], tuple[Browser, ExitStack]] = {}
        self._stack = ExitStack()
        self._playwright: Playwright | None = None

    def __enter__(self) -> "Chromiums":
        return self

    def __exit__(self, *_: object) -> None:
        for _browser, ending in self._open.values():
            ending.close()
        self._stack.close()

    def of(self, samples: np.ndarray | None = None, *, loop: bool = False, allowed: bool = True) -> Browser:
        """The browser whose microphone plays samples [n] at 16 kHz; None is the beep of Chromium."""
        digest = "" if samples is None else hashlib.sha256(np.ascontiguousarray(samples)).hexdigest()[:16]
        key = (digest, loop, allowed)
        browser, ending = self._open.pop(key, (None, ExitStack()))
        if browser is None or not browser.is_connected():
            ending.close()
            file = self._folder / f"{digest}.wav"
            sound = None if samples is None else file if file.exists() else microphone_file(file, samples)
            ending = ExitStack()
            browser = ending.enter_context(launched(self._driver(), sound, loop=loop, allowed=allowed))
        self._open[key] = browser, ending
        while len(self._open) > self._KEPT:
            oldest = next(iter(self._open))
            self._open.pop(oldest)[1].close()
        return browser

    def _driver(self) -> Playwright:
        if self._playwright is None:
            self._playwright = self._stack.enter_context(sync_playwright())
        return self._playwright


@contextmanager
def launched(
    playwright: Playwright, microphone: Path | None = None, *, loop: bool = False, allowed: bool = True
) -> Iterator[Browser]:
    """A Chromium.

    Args:
        playwright: the driver.
        microphone: a WAV file of `microphone_file`, heard from the moment a page opens the device.
        loop: whether it starts over at its end.
        allowed: whether pages get the microphone without a question.
    """
    arguments = list(_ARGUMENTS)
    if microphone:
        arguments.append(f"--use-file-for-fake-audio-capture={microphone}{'' if loop else '%noloop'}")
    if allowed:
        arguments.append("--use-fake-ui-for-media-stream")
    browser = playwright.chromium.launch(executable_path=executable(), headless=False, args=arguments)
    try:
        yield browser
    finally:
        browser.close()


def visit(browser: Browser) -> BrowserContext:
    """A person's browser: a context of their own, with one page."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    context.add_init_script(_NOTE_MICROPHONE)
    context.set_default_timeout(120_000)  # ms; the machine may be busy
    context.new_page()
    return context


@contextmanager
def chromium(
    *, microphone: Path | None = None, loop: bool = False, allowed: bool = True
) -> Iterator[BrowserContext]:
    """A browser of one's own, as `launched`; where the microphone is not allowed, the person refuses it."""
    with (
        sync_playwright() as playwright,
        launched(playwright, microphone, loop=loop, allowed=allowed) as browser,
    ):
        context = visit(browser)
        if not allowed:
            refuse_microphone(context)
        yield context
        context.close()


def refuse_microphone(context: BrowserContext) -> None:
    """What a person does who says no to the question for the microphone."""
    devtools = context.new_cdp_session(context.pages[0])
    person = devtools.send("Target.getTargetInfo")["targetInfo"]["browserContextId"]
    refusal = {"permission": {"name": "microphone"}, "setting": "denied", "browserContextId": person}
    devtools.send("Browser.setPermission", refusal)


def microphone_file(path: Path, samples: np.ndarray) -> Path:
    """Write samples [n] at 16 kHz as a fake microphone plays them: 48 kHz, with silence around."""
    lead, tail = (np.zeros(round(seconds * voices.RATE), np.float32) for seconds in (LEAD, TAIL))
    return voices.write_wav(path, np.concatenate([lead, samples, tail]), MICROPHONE_RATE)


def press_start(page: Page) -> None:
    """Press streamlit-webrtc's START, which is in a frame of its own, and wait until the device is open."""
    start = page.frame_locator("iframe[src*=webrtc]").get_by_role("button", name="START")
    start.click()
    page.wait_for_function("() => window.microphoneOpened?.length")


def box(page: Page, selector: str, nth: int = 0) -> dict[str, float]:
    """Where the nth match of a CSS selector is drawn, in pixels of the window, once it is.

    One look at the page finds and measures it: what a locator found may be drawn anew meanwhile.
    """
    return page.wait_for_function(_BOX, arg=[selector, nth]).json_value()


@dataclass(frozen=True)
class Reading:
    """What stood on the page at one moment.

    Attributes:
        at: seconds since the sound began (0 = the first sample given to `microphone_file`).
        texts: of each selector; None where nothing matches.
    """

    at: float
    texts: tuple[str | None, ...]


def start_reading(page: Page, selectors: list[str], *, hertz: float = 20.0) -> None:
    """Note the text of the first match of each CSS selector, in the page itself, until `readings`."""
    page.evaluate(_READ, [selectors, 1000 / hertz])


def readings(page: Page) -> list[Reading]:
    """End `start_reading`; all that was noted, its time aligned with the sound of the fake microphone."""
    rows, opened = page.evaluate(
        "() => { clearInterval(window.readingTimer); return [window.readings, window.microphoneOpened]; }"
    )
    began = opened[-1] / 1000 + LEAD
    return [Reading(row[0] / 1000 - began, tuple(row[1:])) for row in rows]
