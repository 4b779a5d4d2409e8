"""A recording: who spoke when in it, with the same engine as the live page.

Streamlit keys that tests rely on (a key K gives the CSS class `st-key-K`):
    recording-file        uploader             recording-start, recording-cancel    buttons
    recording-progress    container, while it runs
    recording-result      container: timeline, table and the downloads recording-csv, -rttm, -json,
                          -srt, -vtt, -html
    recording-player      container: the whole recording, with a line that moves along the timeline
    recording-share       container: who talked for how long
    recording-picked      container: players for the turns picked in them, and the button recording-name
    recording-keep        button that keeps it; kept sessions: recordings/kept.py
"""

import streamlit as st

from speakerid.audio.kinds import EXTENSIONS
from speakerid.dashboard.recordings import kept as recordings_kept
from speakerid.dashboard.recordings import view as recordings_view
from speakerid.dashboard.recordings.visit import LONGEST_HOURS, RecordingPage
from speakerid.dashboard.shared import resources, state, widgets
from speakerid.dashboard.shared.escaping import escaped
from speakerid.errors import AudioError, SpeakerIdError

widgets.page(
    "Recordings",
    title="Analyze a recording",
    lead=f"Who spoke when, in a file of up to {LONGEST_HOURS} hours.",
)
try:
    gallery = resources.gallery()
    people = gallery.speakers()
except SpeakerIdError as error:
    st.error(escaped(error), icon=":material/folder_off:")
    st.stop()

visit = state.kept_for_session("recording", RecordingPage)
with st.container(key="card-file"):
    if not people:
        st.info("Nobody is enrolled yet: every voice will be unknown.", icon=":material/person_off:")
        widgets.link("pages/1_Enroll.py", "Enroll a voice", ":material/record_voice_over:")
    upload = st.file_uploader("Recording", type=EXTENSIONS, key="recording-file")
    running = visit.analysis is not None and visit.analysis.heard.running
    ready = upload is not None and not running
    if ready and st.button("Analyze", key="recording-start", type="primary", icon=":material/play_arrow:"):
        try:
            visit.start(upload.getvalue(), upload.name, resources.encoder, gallery)
            recordings_kept.close()
        except AudioError as error:
            st.error(escaped(error), icon=":material/error:")
        else:
            st.rerun()
    if visit.analysis and running:
        recordings_view.progress(visit.analysis, visit.name, visit.duration)
        if st.button("Cancel", key="recording-cancel", icon=":material/close:"):
            visit.close()
            st.rerun()
        st.caption("It goes on while you look at other pages, and ends when this browser tab is closed.")

reopened = recordings_kept.opened(gallery)
with st.container(key="recording-result"):
    if reopened:
        recordings_kept.head(reopened, gallery)
        recordings_view.result(reopened, reopened, gallery)
    elif visit.analysis and not running:
        recordings_kept.offer(visit, visit.analysis, gallery)
        recordings_view.result(visit, visit.analysis, gallery)
recordings_kept.draw(gallery)
