"""Enroll a voice: who, consent, record or upload, result; and the people enrolled, to look after.

Streamlit keys that tests rely on (a key K gives the CSS class `st-key-K`):
    enroll-name           text input
    enroll-consent, enroll-keep     checkboxes: the consent, and that the recordings are kept too
    enroll-source         segmented control: "browser", "microphone", "recorder", "files" (labels in SOURCES)
    inset-microphone      container of the WebRTC component (key enroll-webrtc, which gives no class); its
                          START and STOP are in a frame whose URL contains "webrtc"
    enroll-device, enroll-start, enroll-stop      microphone of this computer
    enroll-recorder       container of st.audio_input (key enroll-clip-N, N counts the people enrolled in this
                          visit)
    enroll-files          container of the uploader (key enroll-upload-N)
    enroll-progress       container with the seconds of speech and the level, while a recording runs
    enroll-result         container: measures and the button enroll-save; after it "NAME is enrolled" or the
                          reasons, with the button enroll-instead where another name would fit, and
                          enroll-distinct where it only sounds like somebody enrolled
    enroll-spectrogram-N  toggle of the Nth recording
    enroll-save, enroll-live (saves and goes live), enroll-again, enroll-next      buttons
    everybody-open          button that opens the dialog of all voiceprints; in it: enroll/everybody.py
    person-ID             button that opens the dialog of an enrolled person; in it: enroll/person.py
"""

import streamlit as st

from speakerid.dashboard.enroll import review as enroll_review
from speakerid.dashboard.enroll import sources as enroll_sources
from speakerid.dashboard.enroll import speakers as enroll_speakers
from speakerid.dashboard.enroll.prompts import (
    FREE_TOPICS,
    KEEP_RECORDINGS,
    PROMPTS,
    RIGHT_TO_LEFT,
    SPEAK_FREELY,
)
from speakerid.dashboard.enroll.session import Enrollment
from speakerid.dashboard.shared import resources, state, widgets
from speakerid.dashboard.shared.escaping import escaped
from speakerid.errors import SpeakerIdError
from speakerid.gallery.consent import CONSENT

SOURCES = {
    "browser": ":material/mic: Browser microphone",
    "microphone": ":material/computer: Local microphone",
    "recorder": ":material/radio_button_checked: Recorder",
    "files": ":material/upload_file: Files",
}
DRAW = {
    "browser": enroll_sources.browser,
    "microphone": enroll_sources.microphone,
    "recorder": enroll_sources.recorder,
    "files": enroll_sources.files,
}


def _draw() -> None:
    """Draw the page below its heading.

    Raises:
        SpeakerIdError: the voiceprints cannot be read, which another program may bring about at any time.
    """
    resources.gallery().speakers()  # before anything is asked for that could not be saved
    enrollment = state.kept("enrollment", Enrollment)
    if enrollment.clear_inputs:  # the next person starts with an empty name and a consent of their own
        enrollment.clear_inputs = False
        st.session_state["enroll-name"] = ""
        st.session_state["enroll-consent"] = st.session_state["enroll-keep"] = False
    side, main = st.columns([4, 8], gap="medium")  # one below the other on a phone: speaking comes second
    with side, st.container(key="card-who"):
        widgets.label("1 · Who")
        name = st.text_input("Name", key="enroll-name", placeholder="Whose voice is it?", max_chars=100)
        consented = st.checkbox(CONSENT, key="enroll-consent")
        keep = st.checkbox(KEEP_RECORDINGS, key="enroll-keep")
    with main:
        with st.container(key="card-record"):
            left, right = st.columns([4, 1], vertical_alignment="center")
            with left:
                widgets.label("2 · Speak")
            language = right.selectbox(
                "Language", [*PROMPTS, SPEAK_FREELY], key="enroll-language", label_visibility="collapsed"
            )
            source = st.segmented_control(
                "Source",
                list(SOURCES),
                format_func=SOURCES.__getitem__,
                default="browser",
                required=True,
                key="enroll-source",
                label_visibility="collapsed",
            )
            if enrollment.changed_source(source):
                enrollment.close()
            above = st.container()
            takes = DRAW[source](enrollment)
            if source != "files" and not takes:
                with above:
                    text = PROMPTS.get(language, FREE_TOPICS)
                    widgets.reading(text, right_to_left=language in RIGHT_TO_LEFT)
        enroll_review.draw(enrollment, takes, name=name, consented=consented, keep=keep, source=source)
    enroll_speakers.draw()


widgets.page("Enroll", title="Enroll a voice", lead="A name, consent, and about 15 seconds of speech.")
try:
    _draw()
except SpeakerIdError as error:
    st.error(escaped(error), icon=":material/folder_off:")
