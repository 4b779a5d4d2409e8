"""Who was enrolled with which model, and their voiceprints made anew."""

import streamlit as st

from speakerid.dashboard.shared import access, resources, widgets
from speakerid.dashboard.shared.escaping import escaped
from speakerid.errors import SpeakerIdError
from speakerid.plural import counted

_SHOWN = 8


def draw() -> None:
    """A card of the people, by the model that made their voiceprints."""
    with st.container(key="models-people"), st.container(key="card-people-of-models"):
        widgets.label("People")
        try:
            _draw()
        except SpeakerIdError as error:
            st.error(escaped(error), icon=":material/folder_off:")


def _draw() -> None:
    gallery = resources.gallery()
    everybody = gallery.speakers()
    if not everybody:
        st.write("Nobody is enrolled yet, so a change of the model costs nothing.")
        widgets.link("pages/1_Enroll.py", "Enroll a voice", ":material/record_voice_over:")
        return
    encoder = resources.loaded()
    if encoder is None:
        st.write(resources.encoder_state()[1])
        return
    others = [person for person in everybody if person.model != encoder.id]
    mine = len(everybody) - len(others)
    st.write(f"{counted(mine, 'person', 'people')} can be recognized by the model in use.")
    if not others:
        return
    kept = gallery.recording_counts()
    able = [person for person in others if person.id in kept]
    lost = [person.name for person in others if person.id not in kept]
    count = counted(len(others), "person was", "people were")
    st.warning(f"{count} enrolled with another model.", icon=":material/swap_horiz:")
    if able:
        st.write(f"Of {counted(len(able), 'person', 'people')} the recordings were kept.")
        if st.button(
            "Make their voiceprints anew",
            key="models-reembed",
            icon=":material/autorenew:",
            type="primary",
            disabled=not access.may("operator"),
        ):
            _reembed(encoder)
    if lost:
        names = escaped(", ".join(lost[:_SHOWN])) + (" …" if len(lost) > _SHOWN else "")
        st.write(
            f"No recordings were kept of {names}: enroll them again, or go back to the model that made their "
            "voiceprints, which stay as they are."
        )


def _reembed(encoder) -> None:
    bar = st.progress(0.0)

    def progress(done: int, total: int, name: str) -> None:
        bar.progress(done / max(total, 1), text=escaped(name) or "Done")

    with access.acting("operator", "make voiceprints anew"):
        result = resources.gallery().reembed(encoder, progress)
    st.write(f"{counted(len(result.done), 'voiceprint')} made anew.")
    for name, why in result.left.items():
        st.write(f"**{escaped(name)}**: {escaped(why)}")
