"""The dialog of one enrolled person: what the voiceprint is made of, how well it agrees, and changing it.

Streamlit keys, for tests (ID is the voiceprint's): person-exemplars (container), person-more-ID,
exemplar-ID (select box), exemplar-to-ID (select box), exemplar-move-ID, exemplar-remove-ID, rename-ID,
rename-save-ID, merge-ID (select box), merge-sure-ID, merge-save-ID, remove-sure-ID, remove-ID,
remove-recordings-ID.
"""

from collections.abc import Callable
from html import escape

import numpy as np
import streamlit as st

from speakerid.dashboard import access, resources
from speakerid.dashboard.escaping import escaped
from speakerid.dashboard.widgets import Tone
from speakerid.errors import SpeakerIdError
from speakerid.evaluate.gate_measures import agreement
from speakerid.gallery import Gallery, Voiceprint
from speakerid.gallery.enrollment import SAME_VOICE

Close = Callable[[], None]

_WELL = 0.65  # agreement of an exemplar with the others, from which on it is a good one
_MESSAGE = "enroll-people-message"  # in the session: what the last change did, said once


def tell() -> None:
    """Say what the last change did."""
    if message := st.session_state.pop(_MESSAGE, None):
        st.toast(escaped(message), icon=":material/check:")


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
    # Streamlit puts a dialog outside the part of the page that has the scheme of the theme.
    scheme = st.context.theme.type or "light"
    st.html(f'<style>[data-testid="stDialog"] {{ color-scheme: {scheme}; }}</style>')
    _about(person)
    _exemplars(person, close)
    others = [other.name for other in people if other.id != person.id and other.model == person.model]
    if access.may("operator"):
        _one_exemplar(person, others)
        _rename(person)
    if access.may("admin"):
        _merge(person, others, close)
        _delete(person, close)


def _about(person: Voiceprint) -> None:
    kept = resources.gallery().recording_counts().get(person.id, 0)
    recordings = f"{kept} recording{'' if kept == 1 else 's'} kept" if kept else "no recordings kept"
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


def _exemplars(person: Voiceprint, close: Close) -> None:
    """Each exemplar with its source and how well it agrees with the others; what to do about it."""
    agree = agreement(person.embeddings)
    with st.container(key="person-exemplars"):
        rows = []
        for number, (source, seconds) in enumerate(zip(person.sources, person.seconds, strict=True)):
            value = float(agree[number]) if len(agree) else None
            rows.append(_row(number + 1, source, float(seconds), value))
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
    odd = [number + 1 for number, value in enumerate(agree) if value < SAME_VOICE]
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
    if float(agree.mean()) < _WELL:
        return "warn", "The exemplars differ: another recording in a quiet place would make this steadier."
    return "good", "The exemplars agree well."


def _row(number: int, source: str, seconds: float, value: float | None) -> str:
    if value is None:
        bar = "the only one"
    else:
        tone = "bad" if value < SAME_VOICE else "warn" if value < _WELL else "good"
        bar = (
            f'<div class="sid-bar {tone}"><b style="width:{100 * min(max(value, 0.0), 1.0):.0f}%"></b></div>'
            f"<span>{100 * max(value, 0.0):.0f} of 100</span>"
        )
    return f"<tr><td>{number}</td><td>{escape(source)}</td><td>{seconds:.1f} s</td><td>{bar}</td></tr>"


def _record_more(name: str, close: Close) -> None:
    st.session_state["enroll-name"] = name
    close()


def _one_exemplar(person: Voiceprint, others: list[str]) -> None:
    if len(person.embeddings) < 2 and not others:
        return
    with st.expander("Move or remove an exemplar", icon=":material/drive_file_move:"):
        numbers = list(range(len(person.embeddings)))
        which = st.selectbox(
            "Exemplar",
            numbers,
            format_func=lambda number: f"{number + 1} · {person.sources[number]}",
            key=f"exemplar-{person.id}",
        )
        left, right = st.columns([3, 2], vertical_alignment="bottom")
        to = left.selectbox("Move it to", others, key=f"exemplar-to-{person.id}", index=None)
        if right.button(
            "Move", key=f"exemplar-move-{person.id}", width="stretch", disabled=not others or to is None
        ):
            name = str(to)
            _change(
                "operator",
                "move an exemplar of a voiceprint",
                lambda gallery: gallery.move_exemplar(person.name, which, name),
                f"Exemplar {which + 1} now belongs to {name}.",
            )
        if access.may("admin") and st.button(
            "Remove this exemplar", key=f"exemplar-remove-{person.id}", icon=":material/delete:"
        ):
            _change(
                "admin",
                "remove an exemplar of a voiceprint",
                lambda gallery: gallery.remove_exemplar(person.name, which),
                f"Exemplar {which + 1} was removed.",
            )


def _rename(person: Voiceprint) -> None:
    with st.expander("Rename", icon=":material/edit:"):
        new = st.text_input("Name", value=person.name, key=f"rename-{person.id}", max_chars=100)
        if st.button("Rename", key=f"rename-save-{person.id}"):
            _change(
                "operator",
                "rename people",
                lambda gallery: gallery.rename(person.name, new),
                f"{person.name} is now called {new.strip()}.",
            )


def _merge(person: Voiceprint, others: list[str], close: Close) -> None:
    if not others:
        return
    with st.expander("Merge with another person", icon=":material/merge:"):
        st.caption("For one person who was enrolled under two names.")
        into = st.selectbox("Merge into", others, key=f"merge-{person.id}", index=None)
        if into is None:
            return
        sure = st.checkbox(
            f"{escaped(person.name)} and {escaped(into)} are the same person; only {escaped(into)} remains",
            key=f"merge-sure-{person.id}",
        )
        if st.button("Merge", key=f"merge-save-{person.id}"):
            _change(
                "admin",
                "merge people",
                lambda gallery: gallery.merge(person.name, into),
                f"{person.name} is now part of {into}.",
                sure=sure,
                close=close,
            )


def _delete(person: Voiceprint, close: Close) -> None:
    with st.expander("Delete", icon=":material/delete:"):
        _delete_recordings(person)
        sure = st.checkbox(
            f"Delete everything kept of {escaped(person.name)} for good", key=f"remove-sure-{person.id}"
        )
        if st.button("Delete", key=f"remove-{person.id}", icon=":material/delete:"):
            _change(
                "admin",
                "delete people",
                lambda gallery: gallery.remove(person.name),
                f"{person.name} was removed: the voiceprint, and recordings if any were kept.",
                sure=sure,
                close=close,
            )


def _delete_recordings(person: Voiceprint) -> None:
    if person.id in resources.gallery().recording_counts() and st.button(
        "Delete the recordings, keep the voiceprint", key=f"remove-recordings-{person.id}"
    ):
        _change(
            "admin",
            "delete recordings",
            lambda gallery: gallery.remove_recordings(person.name),
            f"The recordings of {person.name} were deleted.",
        )


def _change(
    role: access.Role,
    what: str,
    change: Callable[[Gallery], object],
    done: str,
    *,
    sure: bool = True,
    close: Close | None = None,
) -> None:
    """Change the gallery and draw the page again, or say why not."""
    if not sure:
        st.warning("Tick the line above to confirm; this cannot be undone.")
        return
    try:
        with access.acting(role, what):
            change(resources.gallery())
    except SpeakerIdError as error:
        st.error(escaped(error))
        return
    st.session_state[_MESSAGE] = done
    if close:
        close()
    st.rerun()
