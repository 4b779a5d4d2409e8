"""What becomes of a name that somebody types, said before anything is saved under it."""

import streamlit as st

from speakerid.dashboard.shared import resources
from speakerid.dashboard.shared.escaping import escaped
from speakerid.errors import GalleryError
from speakerid.gallery import Gallery, Voiceprint, clean_name
from speakerid.gallery.names import name_key


def somebody_called(name: str, gallery: Gallery) -> Voiceprint | None:
    """Who is enrolled under this name, as the gallery takes names: case, width and outer spaces aside.

    Raises:
        GalleryError: the voiceprints cannot be read.
    """
    wanted = name_key(name)
    people = gallery.speakers() if wanted else ()
    return next((person for person in people if name_key(person.name) == wanted), None)


def tell(name: str, gallery: Gallery, key: str) -> None:
    """Say what saving under this name will do, where that is not simply a new person.

    Args:
        key: of the text input, for one click to write the name as it is enrolled.

    Raises:
        GalleryError: the voiceprints cannot be read.
    """
    person = somebody_called(name, gallery)
    if person is None:
        return
    who = escaped(person.name)
    if _spelled_otherwise(name, person):
        st.warning(
            f"There is already somebody called {who}, which looks the same as “{escaped(name.strip())}”, so "
            f"nothing can be saved under this name: add to {who}, or choose another name.",
            icon=":material/spellcheck:",
        )
        st.button(
            f"Write {who}",
            key=f"{key}-as-enrolled",
            icon=":material/edit:",
            on_click=_write,
            args=(key, person),
        )
        return
    state, model = resources.encoder_state()
    if state == "ready" and person.model != model:
        st.warning(
            f"{who} is enrolled with another model, so nothing can be added: re-embed the kept recordings, "
            "or remove that person first, or choose another name.",
            icon=":material/sync_problem:",
        )
        return
    st.info(
        f"{who} is enrolled already; saving adds to that voiceprint. Different rooms and microphones make it "
        "better. If this is somebody else, choose another name.",
        icon=":material/group_add:",
    )


def _spelled_otherwise(name: str, person: Voiceprint) -> bool:
    try:
        return clean_name(name) != person.name
    except GalleryError:
        return True


def _write(key: str, person: Voiceprint) -> None:
    """A callback, for it changes an input that is drawn already."""
    st.session_state[key] = person.name


def missing(name: str, agreed: bool, gallery: Gallery) -> list[str]:
    """What a voiceprint cannot be saved without, as parts of a sentence; empty where nothing is missing.

    Raises:
        GalleryError: the voiceprints cannot be read.
    """
    lacks = []
    person = somebody_called(name, gallery)
    if not name.strip():
        lacks.append("a name")
    elif person and _spelled_otherwise(name, person):
        lacks.append("a name that nobody has, or this one as it is enrolled")
    else:
        try:
            clean_name(name)
        except GalleryError as error:
            lacks.append(f"a name that can be used ({str(error).rstrip('.')})")
    if not agreed:
        lacks.append("the consent")
    return lacks


def tell_missing(lacks: list[str]) -> None:
    """Say beside a button what it waits for."""
    if lacks:
        st.caption(f":material/pending: Still missing: {escaped(', '.join(lacks))}.")
