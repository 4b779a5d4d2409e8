"""Plays a whole recording, with a line that moves along its timeline and the name of who speaks."""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import streamlit as st

from speakerid.conversation.entry import Entry
from speakerid.dashboard import server


def draw(url: str, entries: Sequence[Entry], *, chart: str) -> None:
    """Draw the player.

    Args:
        url: of the sound.
        chart: the key of the timeline's Plotly chart.
    """
    if not server.serving():
        st.caption("The whole recording can be played where the app was started with `streamlit run app.py`.")
        return
    turns = [[round(entry.start, 2), round(entry.end, 2), entry.speaker] for entry in entries]
    with st.container(key="recording-player"):
        _component()(key="recording-player-component", data={"url": url, "turns": turns, "chart": chart})


@cache
def _component() -> Any:
    from streamlit.components import v2

    def text(name: str) -> str:
        return files("speakerid.dashboard.recordings.player").joinpath(name).read_text("utf-8")

    return v2.component(
        "speakerid_recording_player",
        html=text("player.html"),
        css=text("player.css"),
        js=text("player.js"),
        isolate_styles=False,
    )
