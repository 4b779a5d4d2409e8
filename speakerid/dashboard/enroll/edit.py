"""Changes to one enrolled person, in the dialog that `person` draws.

Streamlit keys, for tests (ID is the voiceprint's): exemplar-ID (select box), exemplar-to-ID (select box; with
many people a text input exemplar-to-ID-find too), exemplar-move-ID, exemplar-remove-ID, rename-ID,
rename-save-ID, merge-ID (select box; merge-ID-find), merge-sure-ID, merge-save-ID, remove-sure-ID, remove-ID,
remove-recordings-ID.
"""

from collections.abc import Callable

import streamlit as st

from speakerid.dashboard.shared import access, resources
from speakerid.dashboard.shared.escaping import escaped
from speakerid.errors import SpeakerIdError
from speakerid.gallery import Gallery, Voiceprint

Close = Callable[[], None]
"""Leaves the dialog closed at the next drawing of the page."""

_LISTED = 50  # people in a list to choose from; a search finds the rest
_MESSAGE = "enroll-people-message"  # in the session: what the last change did, said once


def tell() -> None:
    """Say what the last change did."""
    if message := st.session_state.pop(_MESSAGE, None):
        st.toast(escaped(message), icon=":material/check:")


def one_exemplar(person: Voiceprint, others: list[str]) -> None:
    """Move an exemplar to one of the others, or remove it."""
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
        with left:
            to = somebody("Move it to", others, f"exemplar-to-{person.id}")
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


def somebody(label: str, names: list[str], key: str) -> str | None:
    """One of the names, chosen from a list, or from what a search finds where that would be too long.

    Args:
        key: of the list; the search has it too, with "-find" at its end.
    """
    if len(names) > _LISTED:
        part = st.text_input(f"{label}: part of the name", key=f"{key}-find").casefold().strip()
        found = [name for name in names if part in name.casefold()]
        if len(found) > _LISTED:
            st.caption(f"The first {_LISTED} of {len(found)}; type part of a name to find the others.")
        names = found[:_LISTED]
    return st.selectbox(label, names, key=key, index=None)


def rename(person: Voiceprint) -> None:
    """Give the person another name."""
    with st.expander("Rename", icon=":material/edit:"):
        new = st.text_input("Name", value=person.name, key=f"rename-{person.id}", max_chars=100)
        if st.button("Rename", key=f"rename-save-{person.id}"):
            _change(
                "operator",
                "rename people",
                lambda gallery: gallery.rename(person.name, new),
                f"{person.name} is now called {new.strip()}.",
            )


def merge(person: Voiceprint, others: list[str], close: Close) -> None:
    """Make the person part of one of the others."""
    if not others:
        return
    with st.expander("Merge with another person", icon=":material/merge:"):
        st.caption("For one person who was enrolled under two names.")
        into = somebody("Merge into", others, f"merge-{person.id}")
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


def delete(person: Voiceprint, close: Close) -> None:
    """Delete the person, or the kept recordings alone."""
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
