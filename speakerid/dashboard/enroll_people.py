"""The list of enrolled people beside the Enroll page: find, rename, remove."""

from collections.abc import Callable

import streamlit as st

from speakerid.dashboard import resources, widgets
from speakerid.dashboard.colors import looks
from speakerid.errors import SpeakerIdError
from speakerid.gallery import Voiceprint

_PAGE = 12  # people shown at once; a search finds the rest

Message = tuple[str, str]  # (icon, sentence)
_MESSAGE = "enroll-people-message"  # in the session: what the last click did, shown once


def draw() -> None:
    """Draw the list."""
    people = resources.gallery().speakers()
    with st.container(key="card-people"):
        widgets.label(f"Enrolled · {len(people)}" if people else "Enrolled")
        if message := st.session_state.pop(_MESSAGE, None):
            st.toast(message[1], icon=message[0])
        if not people:
            st.caption("Nobody yet. The first voice appears here once it is saved.")
            return
        colors = looks(people)
        for person in _found(people):
            left, right = st.columns([5, 1], vertical_alignment="center")
            with left:
                widgets.person(person.name, _detail(person), colors[person.name].color)
            with right, st.popover("", icon=":material/more_horiz:", type="tertiary", help="Change"):
                _change(person)


def _found(people: list[Voiceprint]) -> list[Voiceprint]:
    if len(people) <= _PAGE:
        return people
    wanted = st.text_input("Find a person", key="enroll-find", placeholder="Part of the name")
    found = [person for person in people if wanted.casefold().strip() in person.name.casefold()]
    if not found:
        st.caption("Nobody of this name.")
    elif len(found) > _PAGE:
        st.caption(f"The first {_PAGE} of {len(found)}; type part of a name to find the others.")
    return found[:_PAGE]


def _detail(person: Voiceprint) -> str:
    count = len(person.embeddings)
    detail = f"{count} exemplar{'' if count == 1 else 's'} · {person.updated[:10]}"
    state, ident = resources.encoder_state()
    return f"{detail} · made by another model" if state == "ready" and person.model != ident else detail


def _change(person: Voiceprint) -> None:
    new = st.text_input("Name", value=person.name, key=f"rename-{person.id}")
    if st.button("Rename", key=f"rename-save-{person.id}", width="stretch"):
        done = f"{person.name} is now called {new.strip()}."
        _try(lambda: resources.gallery().rename(person.name, new), done)
    st.divider()
    sure = st.checkbox("Delete the voiceprint for good", key=f"remove-sure-{person.id}")
    if st.button("Remove", key=f"remove-{person.id}", icon=":material/delete:", width="stretch"):
        if sure:
            _try(lambda: resources.gallery().remove(person.name), f"{person.name} was removed.")
        else:
            st.warning("Tick the line above to confirm; this cannot be undone.")


def _try(change: Callable[[], None], done: str) -> None:
    try:
        change()
    except SpeakerIdError as error:
        st.error(str(error))
    else:
        st.session_state[_MESSAGE] = (":material/check:", done)
        st.rerun()
