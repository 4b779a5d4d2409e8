"""Turns of a recording that somebody picked: hear them, and say who it is.

Streamlit keys: recording-picked (container), recording-name (button).
"""

from collections.abc import Sequence

import streamlit as st

from speakerid.audio.format import RATE
from speakerid.conversation.entry import Entry, clock, is_stranger
from speakerid.dashboard.recordings.shown import Outcome, Shown
from speakerid.dashboard.shared import access, naming
from speakerid.dashboard.shared.escaping import escaped
from speakerid.dashboard.shared.naming import Stretch
from speakerid.gallery import Gallery

_HEARD = 3  # players shown at once


def draw(visit: Shown, analysis: Outcome, picked: Sequence[int], gallery: Gallery) -> None:
    """Players for the picked turns and the way to name their voice; a hint where none is picked.

    Args:
        picked: numbers of turns of `visit.conversation`, the latest pick first.
    """
    entries = visit.conversation.turns
    with st.container(key="recording-picked"):
        if not picked:
            st.caption(
                "Click a turn in the picture, or tick rows of the table, to hear them and to say who it is."
            )
            return
        for place, number in enumerate(picked[:_HEARD]):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.write(f"**{escaped(entries[number].speaker)}**, {_when(entries[number])}")
                samples = analysis.sound.cut(entries[number].start, entries[number].end)
                if samples is not None:
                    st.audio(samples, sample_rate=RATE, autoplay=place == 0, width=360)
        if len(picked) > _HEARD:
            st.caption(f"… and {len(picked) - _HEARD} more")
        if access.may("operator") and st.button("This is …", key="recording-name", icon=":material/badge:"):
            _ask(visit, analysis, picked, gallery)


def _ask(visit: Shown, analysis: Outcome, picked: Sequence[int], gallery: Gallery) -> None:
    entries = visit.conversation.turns
    label = entries[picked[0]].speaker
    # A stranger is enrolled from all turns that surely are theirs, unless some were ticked.
    alone = is_stranger(label) and len(picked) == 1
    surely = analysis.surely_one_voice(picked[0]) if alone else [False] * len(entries)
    stretches = [
        Stretch(
            entry.start,
            f"{_when(entry)}, {entry.speaker}",
            number in picked or (surely[number] and entry.speaker == label),
            analysis.sound.cut(entry.start, entry.end),
            analysis.sound.gain_db(entry.start, entry.end),
        )
        for number, entry in enumerate(entries)
        if number in picked or entry.speaker == label
    ]
    stretches.sort(key=lambda stretch: (not stretch.chosen, -stretch.seconds))
    if not any(stretch.samples is not None for stretch in stretches):
        naming.nothing_kept("Say who it was among those who are enrolled, or enroll them first.")
        return
    naming.ask(
        lambda: stretches,
        gallery,
        source="recording",
        named=lambda name, chosen: visit.named(name, naming.meant(label, entries, stretches, chosen)),
    )


def _when(entry: Entry) -> str:
    return f"{clock(entry.start)} to {clock(entry.end)}"
