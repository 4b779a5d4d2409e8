"""The list of enrolled people at the end of the Enroll page: find one, open one, make voiceprints anew."""

from dataclasses import dataclass

import streamlit as st

from speakerid.dashboard.enroll import edit as enroll_edit
from speakerid.dashboard.enroll import everybody as enroll_everybody
from speakerid.dashboard.enroll import person as enroll_person
from speakerid.dashboard.enroll import reembed as enroll_reembed
from speakerid.dashboard.shared import resources, state, widgets
from speakerid.dashboard.shared.colors import looks
from speakerid.dashboard.shared.escaping import escaped
from speakerid.gallery import Voiceprint
from speakerid.plural import counted

_PAGE = 12  # people shown at once; a search finds the rest
_ABREAST = 3


@dataclass
class Opened:
    """Whose dialog is open; "" for nobody's."""

    id: str = ""

    def show(self, identifier: str) -> None:
        """Open a person's dialog with the next drawing of the page."""
        self.id = identifier

    def close(self) -> None:
        """Leave it closed."""
        self.id = ""


def draw() -> None:
    """Draw the list, and the dialog of the person who was opened."""
    people = resources.gallery().speakers()
    opened = state.kept("opened-person", Opened)
    with st.container(key="card-people"):
        widgets.label(f"Enrolled · {len(people)}" if people else "Enrolled")
        enroll_edit.tell()
        for notice in resources.gallery().notices():
            st.info(escaped(notice), icon=":material/folder_open:")
        if count := len(resources.gallery().in_clear):
            st.warning(_in_clear(count), icon=":material/lock_open:")
        if people:
            _list(people, opened)
        else:
            st.caption("Nobody yet. The first voice appears here once it is saved.")
        enroll_everybody.button()
    chosen = next((person for person in people if person.id == opened.id), None)
    if chosen is None:
        opened.close()
        enroll_everybody.draw()
    else:
        dialog = st.dialog(escaped(chosen.name), width="medium", on_dismiss=opened.close)
        dialog(enroll_person.draw)(chosen, people, opened.close)


def _in_clear(count: int) -> str:
    one = count == 1
    return (
        f"{counted(count, 'voiceprint is', 'voiceprints are')} not encrypted, though a passphrase is set: an "
        f"admin encrypts {'it' if one else 'them'} under “Export, import, passphrase”, “Passphrase”."
    )


def _list(people: list[Voiceprint], opened: Opened) -> None:
    enroll_reembed.draw(people)
    colors = looks(people)
    found = _found(people)
    for first in range(0, len(found), _ABREAST):
        columns = st.columns(_ABREAST, gap="medium", vertical_alignment="center")
        for column, person in zip(columns, found[first : first + _ABREAST], strict=False):
            with column, st.container(horizontal=True, vertical_alignment="center"):
                widgets.person(person.name, _detail(person), colors[person.name].color)
                st.button(
                    "Edit",
                    key=f"person-{person.id}",
                    help=f"Look after {escaped(person.name)}",
                    on_click=opened.show,
                    args=(person.id,),
                    width="content",
                )


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
    detail = f"{counted(len(person.embeddings), 'exemplar')} · {person.updated[:10]}"
    state, ident = resources.encoder_state()
    return f"{detail} · made by another model" if state == "ready" and person.model != ident else detail
