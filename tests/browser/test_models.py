"""One click from the bundled model to one of the hub, and back, in a real browser."""

import io
import os
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect
from support import voices
from support.app import App
from support.hub import FakeHub, answering

from speakerid.model import weights

PLENTY = 900_000  # ms; the model is calibrated meanwhile, on a machine that may be busy


@pytest.fixture
def hub(monkeypatch, tmp_path) -> Iterator[FakeHub]:
    """A hub that has SpeechBrain's model: the bundled network's weights under its name, a little changed."""
    state = weights.tensors(weights.read(weights.BUNDLED_FILE))
    state["fc.conv.bias"] = state["fc.conv.bias"] + 1e-3
    file = io.BytesIO()
    torch.save(state, file)
    server = FakeHub(file.getvalue())
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("SPEAKERID_CACHE", str(tmp_path / "cache"))
    with answering(server):
        yield server


@pytest.mark.skipif(
    not os.environ.get("SPEAKERID_SLOW"),
    reason="calibrates a network of full size, a minute of a quiet processor: set SPEAKERID_SLOW=1",
)
def test_one_click_to_a_model_of_the_hub_and_back(hub: FakeHub, own_app: App, open_browser):
    app = own_app
    page: Page = open_browser(np.concatenate(voices.enrollment("Alice")), loop=True)
    page.goto(f"{app.url}/Models", timeout=PLENTY)
    card = page.locator(".st-key-model-speechbrain-spkrec-ecapa-voxceleb")
    card.get_by_role("button", name="Download and use").click(timeout=PLENTY)
    expect(page.locator(".st-key-models-installing")).to_contain_text("Calibrating", timeout=PLENTY)
    expect(page.locator(".st-key-models-installing")).to_contain_text("is in use", timeout=PLENTY)
    expect(card).to_contain_text("in use", timeout=PLENTY)
    expect(card).to_contain_text("on arrival")
    assert sum(line.startswith("GET") for line in hub.asked) == 1

    page.get_by_role("link", name="Enroll").click()
    page.get_by_role("textbox", name="Name").fill("Alice")
    page.locator(".st-key-enroll-consent label").click()
    page.frame_locator("iframe[src*=webrtc]").get_by_role("button", name="START").click()
    page.locator(".st-key-enroll-live button").click(timeout=PLENTY)
    expect(page.locator(".live-name")).to_have_text("Alice", timeout=PLENTY)

    page.goto(f"{app.url}/Models", timeout=PLENTY)
    page.locator(".st-key-use-ecapa-bundled button").click(timeout=PLENTY)
    expect(page.locator(".st-key-models-installing")).to_contain_text(
        "ecapa-bundled is in use", timeout=PLENTY
    )
    expect(page.locator(".st-key-models-people")).to_contain_text(
        "1 person was enrolled with another model", timeout=PLENTY
    )
