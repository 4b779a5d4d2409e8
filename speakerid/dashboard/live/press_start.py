"""Starts the browser's microphone without another click, for who has just enrolled with it."""

from functools import cache
from importlib.resources import files
from typing import Any


def draw(label: str) -> None:
    """Press the button of the microphone's frame that has this label, once."""
    _component()(key="live-press-start", data={"start": label}, height=0)


@cache
def _component() -> Any:
    from streamlit.components import v2

    js = files("speakerid.dashboard.live.component").joinpath("press_start.js").read_text("utf-8")
    return v2.component("speakerid_press_start", html="<i></i>", js=js)
