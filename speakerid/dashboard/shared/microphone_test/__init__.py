"""A test of the browser's microphone: which device, and how loud. It runs in the browser alone."""

from functools import cache
from importlib.resources import files
from typing import Any

import streamlit as st

WORDS = {
    "test": "Test the microphone",
    "stop": "Stop the test",
    "device": "Microphone",
    "level": "Level",
    "default": "Default microphone",
    "asking": "The browser asks whether this page may use the microphone: allow it.",
    "listening": "Say something in your usual voice.",
    "good": "Good: you are heard well.",
    "quiet": "Very quiet: come closer, or turn the microphone up.",
    "loud": "Too loud: move back a little, or turn the microphone down.",
    "silent": "Nothing is heard: is this the right microphone, and is it switched on?",
    "denied": (
        "The browser was told not to share the microphone with this page. Allow it with the lock or "
        "microphone sign beside the address, then test again."
    ),
    "missing": "This computer has no microphone that the browser can use: connect one, then test again.",
    "busy": "The microphone cannot be opened: close the program that holds it, then test again.",
    "ended": "The test has ended. START on the other pages has the same microphones to choose from.",
}


def draw(key: str = "microphone-test") -> None:
    """Draw the test: the choice of a device, a level meter and a sentence on what to do."""
    with st.container(key=key):
        _component()(key=f"{key}-component", data={"words": WORDS})


@cache
def _component() -> Any:
    from streamlit.components import v2

    def text(name: str) -> str:
        return files("speakerid.dashboard.shared.microphone_test").joinpath(name).read_text("utf-8")

    return v2.component(
        "speakerid_microphone_test",
        html=text("test.html"),
        css=text("test.css"),
        js=text("test.js"),
        isolate_styles=False,
    )
