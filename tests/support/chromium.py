"""A real Chromium whose microphone is a sound file, and what a test reads off the page meanwhile."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, sync_playwright

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


@contextmanager
def chromium(
    profile: Path, *, microphone: Path | None = None, loop: bool = False, allowed: bool = True
) -> Iterator[BrowserContext]:
    """A browser with a profile folder of its own.

    Args:
        profile: the folder; made if missing.
        microphone: a WAV file of `microphone_file`, heard from the moment the page opens the device.
        loop: whether it starts over at its end.
        allowed: whether pages get the microphone without a question; else the person refuses it.
    """
    sound = (
        [f"--use-file-for-fake-audio-capture={microphone}{'' if loop else '%noloop'}"] if microphone else []
    )
    if allowed:
        sound.append("--use-fake-ui-for-media-stream")
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            str(profile),
            executable_path=executable(),
            headless=False,
            args=[*_ARGUMENTS, *sound],
            viewport={"width": 1280, "height": 1000},
        )
        context.add_init_script(_NOTE_MICROPHONE)
        if not allowed:
            devtools = context.new_cdp_session(context.pages[0])
            refusal = {"permission": {"name": "microphone"}, "setting": "denied"}
            devtools.send("Browser.setPermission", refusal)
        context.set_default_timeout(30_000)
        try:
            yield context
        finally:
            context.close()


@contextmanager
def two_visitors(microphone: Path) -> Iterator[tuple[Page, Page]]:
    """Two people's browsers, which share no cookie and no storage; both hear the file over and over."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable(),
            headless=False,
            args=[
                *_ARGUMENTS,
                f"--use-file-for-fake-audio-capture={microphone}",
                "--use-fake-ui-for-media-stream",
            ],
        )
        try:
            pages = []
            for _ in range(2):
                context = browser.new_context(viewport={"width": 1280, "height": 1000})
                context.add_init_script(_NOTE_MICROPHONE)
                context.set_default_timeout(30_000)
                pages.append(context.new_page())
            yield pages[0], pages[1]
        finally:
            browser.close()


def microphone_file(path: Path, samples: np.ndarray) -> Path:
    """Write samples [n] at 16 kHz as a fake microphone plays them: 48 kHz, with silence around."""
    lead, tail = (np.zeros(round(seconds * voices.RATE), np.float32) for seconds in (LEAD, TAIL))
    return voices.write_wav(path, np.concatenate([lead, samples, tail]), MICROPHONE_RATE)


def press_start(page: Page) -> None:
    """Press streamlit-webrtc's START, which is in a frame of its own, and wait until the device is open."""
    start = page.frame_locator("iframe[src*=webrtc]").get_by_role("button", name="START")
    start.click()
    page.wait_for_function("() => window.microphoneOpened?.length")


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
