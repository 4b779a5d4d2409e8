"""One click from the bundled model to one of the hub, a voice enrolled and heard with it, and back."""

import io
import json
import urllib.request
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect
from support import voices
from support.app import App
from support.chromium import press_start
from support.hub import FakeHub, answering

from speakerid.gallery import Gallery
from speakerid.model import weights

PLENTY = 240_000  # ms; a network is calibrated meanwhile, on a machine that may be busy
NAME = "speechbrain/spkrec-ecapa-voxceleb"
STATUS, PEOPLE = ".st-key-models-installing", ".st-key-models-people"
NOW = ".st-key-now-speaking .live-name"
TOKEN = "() => document.querySelector('.live-board')?.board?.token"


@pytest.fixture
def hub(monkeypatch, tmp_path) -> Iterator[FakeHub]:
    """A hub that has SpeechBrain's model: the bundled network's weights under its name, a little changed."""
    state = weights.tensors(weights.read(weights.BUNDLED_FILE))
    state["fc.conv.bias"] = state["fc.conv.bias"] + 1e-3
    file = io.BytesIO()
    torch.save(state, file)
    server = FakeHub(file.getvalue(), slow=3.0)
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("SPEAKERID_CACHE", str(tmp_path / "cache"))
    with answering(server):
        yield server


def test_one_click_to_a_model_of_the_hub_and_back(hub: FakeHub, own_app: App, open_browser):
    app = own_app
    voices.enroll(app.voiceprints, "Bruno")
    page: Page = open_browser(np.concatenate(voices.enrollment("Alice")), loop=True)
    page.goto(f"{app.url}/Models", timeout=PLENTY)
    card = page.locator(".st-key-model-speechbrain-spkrec-ecapa-voxceleb")
    card.get_by_role("button", name="Download and use").click(timeout=PLENTY)
    for step in ("Downloading", "Calibrating", f"{NAME} is in use"):
        expect(page.locator(STATUS)).to_contain_text(step, timeout=PLENTY)
    expect(card).to_contain_text("from the hub · in use", timeout=PLENTY, ignore_case=True)
    expect(card).to_contain_text("on arrival")
    expect(page.locator(PEOPLE)).to_contain_text("1 person was enrolled with another model")
    assert sum(line.startswith("GET") for line in hub.asked) == 1

    page.get_by_role("link", name="Enroll", exact=True).click()
    page.get_by_role("textbox", name="Name", exact=True).fill("Alice", timeout=PLENTY)
    page.get_by_role("textbox", name="Name", exact=True).press("Enter")
    page.locator(".st-key-enroll-consent label").click()
    press_start(page)
    page.locator(".st-key-enroll-save button").click(timeout=PLENTY)
    expect(page.locator(".st-key-card-stored")).to_contain_text("Alice is enrolled", timeout=PLENTY)
    by = {person.name: person.model for person in Gallery.open(app.voiceprints).speakers()}
    assert by["Alice"].startswith("spkrec-ecapa-voxceleb-") and by["Bruno"].startswith("ecapa-bundled-")

    page.get_by_role("link", name="Live", exact=True).click()
    page.wait_for_function(TOKEN, timeout=PLENTY)
    press_start(page)
    expect(page.locator(NOW)).to_have_text("Alice", timeout=PLENTY)
    expect(page.locator(".st-key-event-log tbody tr").first).to_be_visible(timeout=PLENTY)
    log = f"{app.url}/api/live/{page.evaluate(TOKEN)}/log.json"
    with urllib.request.urlopen(log, timeout=30) as answer:
        rows = json.load(answer)
    assert rows and {row["model"] for row in rows} == {by["Alice"]}
    assert all(row["calibration"].startswith("on arrival") for row in rows)

    page.get_by_role("link", name="Models", exact=True).click()
    page.locator(".st-key-use-ecapa-bundled button").click(timeout=PLENTY)
    expect(page.locator(STATUS)).to_contain_text("ecapa-bundled is in use", timeout=PLENTY)
    people = page.locator(PEOPLE)
    expect(people).to_contain_text("1 person can be recognized by the model in use", timeout=PLENTY)
    expect(people).to_contain_text("No recordings were kept of Alice", timeout=PLENTY)
