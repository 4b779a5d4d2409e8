"""The microphones of the computer that runs the app, to choose from, on the Live page and the Enroll page."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from speakerid.dashboard.shared import resources
from speakerid.dashboard.shared.escaping import escaped
from speakerid.errors import AudioError

if TYPE_CHECKING:
    from speakerid.audio.microphone import Device

_NONE = (
    "This computer has no microphone that the app can use: connect one and reload the page, or take the "
    "browser's microphone."
)


def to_choose_from() -> "dict[str, Device | None]":
    """The microphones by what to call them; empty, and the page says why, where there is none."""
    try:
        found, why = resources.microphones(), _NONE
    except AudioError as error:
        found, why = [], escaped(error)
    if not found:
        st.warning(why, icon=":material/mic_off:")
        return {}
    return by_label(found)


def by_label(found: "Sequence[Device]") -> "dict[str, Device | None]":
    """The microphones by what tells them apart: two of one make are called the same."""
    named: dict[str, Device | None] = {"Default microphone": None}
    for device in found:
        label, number = device.name, 2
        while label in named:
            label, number = f"{device.name} ({number})", number + 1
        named[label] = device
    return named
