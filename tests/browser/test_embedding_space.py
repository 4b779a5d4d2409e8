"""The map of voices with many people on it: names stay apart, and whoever speaks has one."""

from itertools import combinations

import pytest
from gallery.people import voiceprint
from playwright.sync_api import Page
from support.app import App

from speakerid.gallery.opening import open_store
from speakerid.model import Encoder

PLENTY = 120_000  # ms; the machine may be busy
BOARD = "document.querySelector('.live-board')?.board"
NAMES = [f"Maximiliane Nr. {number:02d}" for number in range(14)]

_SHOWN = """
() => [...document.querySelectorAll(".st-key-embedding-space .textpoint text")]
  .map((text) => ({ name: text.textContent, box: text.getBoundingClientRect().toJSON() }))
  .filter(({ name }) => name)
"""
# What Python sends when it hears that person.
_SAY = """
(name) => {
  const { board } = document.querySelector(".live-board");
  const now = { kind: "person", name, detail: "", color: "#000", gender: null };
  board.take({ kind: "update", now, space: board.hello.space });
}
"""


@pytest.fixture
def crowd(app: App) -> App:
    """The app with fourteen people of long names."""
    model = Encoder.load().id
    for seed, name in enumerate(NAMES):
        open_store(app.voiceprints).put(voiceprint(name, seed, model=model))
    return app


def shown(page: Page) -> dict[str, dict]:
    """Name → where it stands, for every name on the map."""
    found = page.evaluate(_SHOWN)
    assert len({one["name"] for one in found}) == len(found)
    return {one["name"]: one["box"] for one in found}


def apart(names: dict[str, dict]) -> bool:
    return all(
        a["right"] <= b["left"]
        or b["right"] <= a["left"]
        or a["bottom"] <= b["top"]
        or b["bottom"] <= a["top"]
        for a, b in combinations(names.values(), 2)
    )


def test_names_on_the_map_do_not_cover_each_other_and_who_speaks_has_one(crowd: App, open_browser):
    page: Page = open_browser()
    page.goto(f"{crowd.url}/Live", timeout=PLENTY)
    page.wait_for_function(f"() => {BOARD}?.space.shownNames", timeout=PLENTY)
    before = shown(page)
    assert 4 <= len(before) < len(NAMES) and apart(before)
    for name in NAMES:
        page.evaluate(_SAY, name)
        page.wait_for_function(f"() => {BOARD}.dirty.space === false", timeout=PLENTY)
        now = shown(page)
        assert name in now and apart(now), name

    page.locator(".live-3d").click()
    names = f"{BOARD}.boxes.space.data.at(-4)"
    page.wait_for_function(f"() => {names}.z && {names}.text.some((text) => !text)", timeout=PLENTY)
    texts = page.evaluate(f"() => {names}.text")
    assert [text for text in texts if text.startswith(NAMES[-1])], "who speaks has a name in 3-D too"
