"""The dialog of one enrolled person: what the voiceprint is made of, how well it agrees, and a suggestion.

Streamlit keys, for tests (ID is the voiceprint's): person-exemplars (container), person-more-ID,
person-recordings-ID (toggle); for those of the changes see `edit`.
"""

from html import escape

import numpy as np
import streamlit as st

from speakerid.audio.format import RATE
from speakerid.dashboard.enroll import edit as enroll_edit
from speakerid.dashboard.enroll.edit import Close
from speakerid.dashboard.shared import access, resources, widgets
from speakerid.dashboard.shared.escaping import escaped
from speakerid.dashboard.shared.widgets import Tone
from speakerid.errors import SpeakerIdError
from speakerid.evaluate.gate_measures import agreement
from speakerid.gallery import Voiceprint
from speakerid.model.limits import limits_of
from speakerid.plural import counted

_WELL = 0.2  # above the limit of one voice: agreement of an exemplar with the others that is a good one


def draw(person: Voiceprint, people: list[Voiceprint], close: Close) -> None:
    """Draw the dialog's content.

    Args:
        people: everybody enrolled, this person too.
        close: leaves the dialog closed at the next drawing of the page.
    """
    try:
        _draw(person, people, close)
    except SpeakerIdError as error:  # the dialog is drawn alone, without what the page catches
        st.error(escaped(error), icon=":material/folder_off:")


def _draw(person: Voiceprint, people: list[Voiceprint], close: Close) -> None:
    widgets.follow_scheme()
    _about(person)
    _exemplars(person, close)
    if access.may("operator"):
        _recordings(person)
    others = [other.name for other in people if other.id != person.id and other.model == person.model]
    if access.may("operator"):
        enroll_edit.one_exemplar(person, others)
        enroll_edit.rename(person)
    if access.may("admin"):
        enroll_edit.merge(person, others, close)
        enroll_edit.delete(person, close)


def _about(person: Voiceprint) -> None:
    kept = resources.gallery().recording_counts().get(person.id, 0)
    recordings = f"{counted(kept, 'recording')} kept" if kept else "no recordings kept"
    st.caption(
        f"Enrolled {person.created[:10]}, changed {person.updated[:10]} · consent given "
        f"{person.consent.given_at[:10]} · {recordings} · model {escaped(person.model)}"
    )
    state, ident = resources.encoder_state()
    if state == "ready" and person.model != ident:
        st.warning(
            f"This voiceprint was made by another model, so {escaped(person.name)} is not recognized at the "
            "moment: make it anew from the kept recordings, or enroll again."
            if kept
            else f"This voiceprint was made by another model and no recording was kept, so "
            f"{escaped(person.name)} is not recognized at the moment: remove it and enroll again.",
            icon=":material/sync_problem:",
        )


def _recordings(person: Voiceprint) -> None:
    """What is kept of the person's recordings, to be heard; nothing where none is."""
    gallery = resources.gallery()
    if person.id not in gallery.recording_counts():
        return
    with st.expander("Kept recordings", icon=":material/graphic_eq:"):
        if st.toggle("Show and hear them", key=f"person-recordings-{person.id}"):
            for recording in gallery.recordings(person.name):
                about = f"{recording.source} · {recording.seconds:.1f} s · {recording.kept_at[:10]}"
                st.caption(escaped(about))
                st.audio(recording.samples, sample_rate=RATE)


def _exemplars(person: Voiceprint, close: Close) -> None:
    """Each exemplar with its source and how well it agrees with the others; what to do about it."""
    agree, least = agreement(person.embeddings), limits_of(person.model).same_voice
    with st.container(key="person-exemplars"):
        rows = []
        for number, (source, seconds) in enumerate(zip(person.sources, person.seconds, strict=True)):
            value = float(agree[number]) if len(agree) else None
            rows.append(_row(number + 1, source, float(seconds), value, least))
        st.html(
            '<table class="sid-exemplars"><tr><th></th><th>From</th><th>Speech</th><th>Agrees with the '
            f"others</th></tr>{''.join(rows)}</table>"
        )
    tone, sentence = verdict(person, agree)
    st.html(f'<div class="sid-hint {tone}">{escape(sentence)}</div>')
    if len(set(person.sources)) == 1 and access.may("operator"):
        st.button(
            "Record one more",
            key=f"person-more-{person.id}",
            icon=":material/mic:",
            on_click=_record_more,
            args=(person.name, close),
        )


def verdict(person: Voiceprint, agree: np.ndarray) -> tuple[Tone, str]:
    """(tone, sentence) on how good the voiceprint is, from the agreement [k] of its exemplars."""
    least = limits_of(person.model).same_voice
    odd = [number + 1 for number, value in enumerate(agree) if value < least]
    if odd:
        which = f"Exemplar {odd[0]} does" if len(odd) == 1 else f"Exemplars {', '.join(map(str, odd))} do"
        return "bad", (
            f"{which} not sound like the rest: remove it if it may be somebody else or mostly noise, or move "
            "it to whose voice it is."
        )
    if len(set(person.sources)) == 1:
        return "warn", (
            "All of it comes from one recording: one more, from the room and with the microphone that you "
            "will use, makes it steadier."
        )
    if float(agree.mean()) < least + _WELL:
        return "warn", "The exemplars differ: another recording in a quiet place would make this steadier."
    return "good", "The exemplars agree well."


def _row(number: int, source: str, seconds: float, value: float | None, least: float) -> str:
    if value is None:
        bar = "the only one"
    else:
        tone = "bad" if value < least else "warn" if value < least + _WELL else "good"
        bar = (
            f'<div class="sid-bar {tone}"><b style="width:{100 * min(max(value, 0.0), 1.0):.0f}%"></b></div>'
            f"<span>{100 * max(value, 0.0):.0f} of 100</span>"
        )
    return f"<tr><td>{number}</td><td>{escape(source)}</td><td>{seconds:.1f} s</td><td>{bar}</td></tr>"


def _record_more(name: str, close: Close) -> None:
    st.session_state["enroll-name"] = name
    close()
