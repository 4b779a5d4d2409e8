"""Enrolling from a microphone of the computer that runs the app (a virtual one), in a real browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from support import voices
from support.app import App
from support.virtual_microphone import VirtualMicrophone

from speakerid.gallery import Gallery

PLENTY = 90_000  # ms; the machine may be busy


@pytest.fixture
def microphone() -> Iterator[VirtualMicrophone]:
    with VirtualMicrophone() as virtual:
        yield virtual


@pytest.fixture
def app(microphone: VirtualMicrophone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    """The app on a computer that has this microphone; the browser has none."""
    running = App(tmp_path)
    with monkeypatch.context() as around:
        for name, value in microphone.env.items():
            around.setenv(name, value)
        running.start()
    try:
        yield running
    finally:
        running.stop()


def start(page: Page, app: App, name: str) -> None:
    """Name, consent, local microphone, and a recording that runs."""
    page.goto(f"{app.url}/Enroll", timeout=PLENTY)
    page.get_by_role("textbox", name="Name").fill(name)
    page.get_by_role("textbox", name="Name").press("Enter")
    page.locator(".st-key-enroll-consent label").click()
    page.get_by_role("radio", name="Local microphone").click()
    page.locator(".st-key-enroll-start button").click(timeout=PLENTY)
    expect(page.locator(".st-key-enroll-progress")).to_be_visible(timeout=PLENTY)


def test_a_recording_ends_by_itself_and_becomes_a_voiceprint(app, microphone, open_browser):
    page = open_browser()
    start(page, app, "Alice")
    microphone.play(np.concatenate(voices.enrollment("Alice") * 2), voices.RATE)
    save = page.locator(".st-key-enroll-save button")
    expect(save).to_be_visible(timeout=PLENTY)
    expect(page.locator(".st-key-enroll-start"), "there is enough").to_have_count(0)
    save.click()
    expect(page.locator(".st-key-card-stored")).to_contain_text("Alice is enrolled", timeout=PLENTY)
    (alice,) = Gallery.open(app.voiceprints).speakers()
    assert alice.consent.source == "microphone"
    assert all(source.startswith("Microphone of this computer, 20") for source in alice.sources)


def test_a_microphone_that_is_pulled_out_is_said_and_what_was_heard_stays(app, microphone, open_browser):
    page = open_browser()
    start(page, app, "Alice")
    microphone.play(np.concatenate(voices.enrollment("Alice")), voices.RATE)
    expect(page.locator(".st-key-enroll-progress .sid-count strong")).to_have_text(
        re.compile(r"^[2-9]\.\d|^1\d\."), timeout=PLENTY
    )
    microphone.unplug()
    expect(page.get_by_text("was unplugged or another program took it")).to_be_visible(timeout=PLENTY)
    expect(page.locator(".st-key-enroll-result .sid-wave")).to_be_visible(timeout=PLENTY)
    assert not app.voiceprints.exists() or Gallery.open(app.voiceprints).speakers() == []
