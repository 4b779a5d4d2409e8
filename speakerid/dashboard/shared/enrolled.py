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


def tell(name: str, gallery: Gallery) -> None:
    """Say what saving under this name will do, where that is not simply a new person.

    Raises:
        GalleryError: the voiceprints cannot be read.
    """
    person = somebody_called(name, gallery)
    if person is None:
        return
    state, model = resources.encoder_state()
    if state == "ready" and person.model != model:
        st.warning(
            f"{escaped(person.name)} is enrolled with another model, so nothing can be added: re-embed the "
            "kept recordings, or remove that person first, or choose another name.",
            icon=":material/sync_problem:",
        )
        return
    alike = "" if name.strip() == person.name else f"“{escaped(name.strip())}” is the same name. "
    st.info(
        f"{escaped(person.name)} is enrolled already. {alike}Saving adds to that voiceprint; different rooms "
        "and microphones make it better. If this is somebody else, choose another name.",
        icon=":material/group_add:",
    )


def missing(name: str, agreed: bool) -> list[str]:
    """What a voiceprint cannot be saved without, as parts of a sentence; empty where nothing is missing."""
    lacks = []
    if not name.strip():
        lacks.append("a name")
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
        st.caption(f":material/pending: Still missing: {escaped(' and '.join(lacks))}.")
