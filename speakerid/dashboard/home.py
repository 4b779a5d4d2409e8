"""The home page: what this is, what state it is in, what to do next."""

import importlib.util

import streamlit as st

from speakerid.dashboard.shared import microphone_test, resources, widgets
from speakerid.dashboard.shared.colors import looks
from speakerid.dashboard.shared.escaping import escaped
from speakerid.dashboard.shared.widgets import Tone
from speakerid.errors import AudioError, SpeakerIdError
from speakerid.gallery import Gallery, Voiceprint
from speakerid.plural import counted

_LEAD = (
    "Enroll the voices of people who agree to it, and see live who is speaking, how sure that is, and when "
    "it is somebody unknown. Everything stays on this computer."
)
_SHOWN = 24  # people by name; the Enroll page finds all


def draw() -> None:
    """Draw the page."""
    widgets.page("Home", title="Who is speaking?", lead=_LEAD)
    try:
        gallery = resources.gallery()
        people = gallery.speakers()
    except SpeakerIdError as error:
        st.error(escaped(error), icon=":material/folder_off:")
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        _next_step(people)
        _test_microphone()
        _how_it_works()
    with right:
        loading = resources.encoder_state()[0] in ("waiting", "loading")
        st.fragment(_state, run_every=1.0 if loading else None)(gallery, loading)
    _damaged(gallery)


def _next_step(people: list[Voiceprint]) -> None:
    usable = [person for person in people if _speaks_this_model(person)]
    with st.container(key="card-next"):
        widgets.label("Next")
        if not people:
            st.subheader("Enroll the first voice", anchor=False)
            st.write(
                "The app knows nobody yet. A name, the person's consent and about 15 seconds of reading "
                "aloud make a voiceprint; a second person makes it interesting."
            )
            with st.container(horizontal=True):
                widgets.go("pages/1_Enroll.py", "Enroll a voice", ":material/record_voice_over:", first=True)
                _demo()
            return
        if not usable:
            st.subheader("Enroll again for this model", anchor=False)
            st.write(
                "All voiceprints here were made by another model, and scores mean something only within one. "
                "Make them anew from kept recordings or enroll the people again, both on the Enroll page, or "
                "start the app with the model that made the voiceprints."
            )
            widgets.go("pages/1_Enroll.py", "Enroll a voice", ":material/record_voice_over:", first=True)
            return
        st.subheader("Listen", anchor=False)
        st.write(
            "One voice is enrolled: that voice is named, and everybody else is unknown."
            if len(usable) == 1
            else f"{len(usable)} voices are enrolled. Open the live page, press START and talk."
        )
        with st.container(horizontal=True):
            widgets.go("pages/2_Live.py", "Go live", ":material/graphic_eq:", first=True)
            widgets.go("pages/3_Recordings.py", "Analyze a recording", ":material/audio_file:")
            widgets.go("pages/1_Enroll.py", "Enroll another voice", ":material/person_add:")
            _demo()


def _demo() -> None:
    """A button that plays the demo on the Live page."""
    if st.button("See the demo", key="home-demo", icon=":material/smart_display:"):
        from speakerid.dashboard.live import page as live_page

        live_page.choose_demo()
        st.switch_page("pages/2_Live.py")


def _test_microphone() -> None:
    with st.container(key="card-microphone"):
        widgets.label("Microphone test")
        if problem := widgets.insecure_page():
            st.caption(escaped(problem))
            return
        st.caption("Which microphone the browser takes, and how loud you are. Nothing is recorded or sent.")
        microphone_test.draw()


def _how_it_works() -> None:
    with st.container(key="card-how"):
        widgets.label("How it works")
        st.markdown(
            "1. **Enroll** – read a few sentences into the browser's microphone, or upload recordings. "
            "The app keeps numbers that describe the voice, and the recording only where the person agrees.\n"
            "2. **Live** – every spoken moment is compared with the enrolled voices. "
            "The first name comes early with an honest low confidence and firms up while the person talks.\n"
            "3. **Unknown** is an answer: a voice that is nobody's is not given a name."
        )


def _state(gallery: Gallery, loading: bool) -> None:
    """The state; drawn every second while the model is loading, then once more with the whole page."""
    try:
        people = gallery.speakers()
    except SpeakerIdError as error:  # since the page was drawn
        st.error(escaped(error), icon=":material/folder_off:")
        return
    if loading and resources.encoder_state()[0] in ("ready", "failed"):
        st.rerun()
    with st.container(key="card-state"):
        widgets.label("State")
        _rows(people, gallery.place)


def _rows(people: list[Voiceprint], place: str) -> None:
    enrolled = (counted(len(people), "person", "people") if people else "No people") + " enrolled"
    widgets.status_rows(
        [
            ("good" if people else "warn", enrolled, _names(people)),
            _model_row(),
            _browser_microphone(),
            _local_microphone(),
            ("", "Voiceprints are kept in", place),
        ]
    )
    if len(people) > 0:
        colors = looks(people)
        widgets.chips([(person.name, colors[person.name].color) for person in people[:_SHOWN]])


def _model_row() -> tuple[Tone, str, str]:
    state, sentence = resources.encoder_state()
    if state == "ready":
        return "good", "Model ready", sentence
    if state == "failed":
        return "bad", "Model not available", sentence
    return "", f"Model {resources.model_name()}", "It loads in the background and is ready in some seconds."


def _browser_microphone() -> tuple[Tone, str, str]:
    if importlib.util.find_spec("streamlit_webrtc") is None:
        return "bad", "Browser microphone not available", "Install streamlit-webrtc, then restart the app."
    if problem := widgets.insecure_page():
        return "warn", "Browser microphone blocked", problem
    return "good", "Browser microphone", "The browser asks for permission when a recording starts."


def _local_microphone() -> tuple[Tone, str, str]:
    try:
        found = resources.microphones()
    except AudioError as error:
        return "", "No microphone of this computer", str(error)
    if not found:
        return "", "No microphone of this computer", "None is connected; the browser's one works without."
    return "good", "Microphone of this computer", ", ".join(str(device.name) for device in found[:3])


def _damaged(gallery: Gallery) -> None:
    for damaged in gallery.damaged:
        what = f"The voiceprint file {damaged.file} cannot be used: {damaged.reason.rstrip('.')}."
        st.warning(
            f"{escaped(what)} It was left as it is. If nothing else is stored of that person, they are not "
            "recognized until you enroll them again or put back a copy; `python -m speakerid doctor` says "
            "more.",
            icon=":material/heart_broken:",
        )


def _speaks_this_model(person: Voiceprint) -> bool:
    """Whether the voiceprint's model is the chosen one, as far as is known before the model is loaded."""
    state, ident = resources.encoder_state()
    return person.model == ident if state == "ready" else person.model.startswith(resources.model_name())


def _names(people: list[Voiceprint]) -> str:
    if not people:
        return "Nobody can be recognized yet."
    if len(people) > _SHOWN:
        return f"{_SHOWN} of them below; the Enroll page finds all."
    recognized = "This voice is recognized" if len(people) == 1 else "These voices are recognized"
    return f"{recognized}; everybody else is unknown."
