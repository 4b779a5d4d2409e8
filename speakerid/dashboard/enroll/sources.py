"""The four ways to a recording on the Enroll page.

Streamlit keys, for tests: see the top of `pages/1_Enroll.py`.
"""

import time
from contextlib import nullcontext
from datetime import datetime
from typing import Any

import streamlit as st

from speakerid.audio.browser import BrowserSource
from speakerid.audio.kinds import EXTENSIONS
from speakerid.audio.ring import Ring
from speakerid.dashboard.enroll.session import Enrollment
from speakerid.dashboard.enroll.take import WANTED_SPEECH_SECONDS, Take, advice
from speakerid.dashboard.shared import browser_stream, local_microphone, widgets
from speakerid.dashboard.shared.browser_stream import NO_FIRST_FRAME, NO_MORE_FRAMES, gone_silent
from speakerid.dashboard.shared.engine import supervise
from speakerid.dashboard.shared.escaping import escaped
from speakerid.errors import EnrollmentRefused
from speakerid.gallery import MIN_SPEECH_SECONDS
from speakerid.gallery.kept_recording import require_length
from speakerid.uploads import MAX_FILE_BYTES, too_much

_WEBRTC_KEY = "enroll-webrtc"
_IF_REFUSED = (
    "START asks for the microphone. If the browser refuses it (“Permission denied”), allow it with the lock "
    "or microphone sign beside the address, then press START again."
)
_RING_SECONDS = 30.0  # the recorder empties it 20 times a second; this bridges a busy moment


def browser(enrollment: Enrollment) -> list[Take]:
    """The browser's microphone, by WebRTC."""
    if problem := widgets.insecure_page():
        st.warning(problem, icon=":material/lock_open:")
    context = st.session_state.get(_WEBRTC_KEY)
    connected = context is not None and (context.state.playing or context.state.signalling)
    source = enrollment.source
    unused = source is not None and source.closed and not source.frames  # of a connection that never came up
    if source is None or unused or (not connected and (source.frames or source.closed)):
        source = BrowserSource(Ring(_RING_SECONDS))  # one a stream: it holds the resampler's state
        enrollment.source = source
    with st.container(key="inset-microphone"):
        context = browser_stream.streamer(
            _WEBRTC_KEY,
            source.on_frames,
            source.close,
            device="Choose microphone",
            playing=False if enrollment.finished(source) else None,
        )
    if enrollment.look().full:  # nothing to start now; "Record again" is with the result
        st.html("<style>.st-key-inset-microphone { display: none; }</style>")
    enrollment.stream.use(context)
    enrollment.stream.feed(source)
    if context.state.playing or context.state.signalling:
        supervise(enrollment.stream)
    if context.state.playing:
        enrollment.stream.arrived()
        enrollment.start(source, lambda: nullcontext(source), _gone)
    elif context.state.signalling:
        _connecting(enrollment)
    takes = _guided(
        enrollment,
        "Browser microphone",
        going_on=context.state.playing,
        starting=context.state.signalling and not context.state.playing,
    )
    if not (takes or problem or context.state.playing or context.state.signalling):
        st.caption(_IF_REFUSED)  # streamlit-webrtc tells a refusal in the browser's words alone
    return takes


def microphone(enrollment: Enrollment) -> list[Take]:
    """A microphone of the computer that runs the app."""
    from speakerid.audio.microphone import Microphone

    running = enrollment.look().running
    names = local_microphone.to_choose_from()
    if not names:
        # What was recorded before the only one was pulled out can be used all the same.
        return _guided(enrollment, "Microphone of this computer", going_on=running)
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    chosen = left.selectbox("Microphone", list(names), key="enroll-device")
    again = "Continue" if enrollment.take and not enrollment.look().full else "Start recording"
    if running:
        if right.button("Stop", key="enroll-stop", icon=":material/stop:", width="stretch"):
            enrollment.stop(_now("Microphone of this computer"))
            st.rerun()
    elif not enrollment.look().full and right.button(
        again, key="enroll-start", icon=":material/mic:", type="primary", width="stretch"
    ):
        device = names[chosen]
        enrollment.start(object(), lambda: Microphone(device), lambda _: False)
        st.rerun()
    return _guided(enrollment, "Microphone of this computer", going_on=running)


def recorder(enrollment: Enrollment) -> list[Take]:
    """Streamlit's own recorder: the whole clip arrives when it is stopped."""
    with st.container(key="enroll-recorder"):
        clip = st.audio_input("Record, then stop", sample_rate=16_000, key=f"enroll-clip-{enrollment.round}")
    return _takes(enrollment, [clip] if clip else [], name=_now("Voice recorder"))


def files(enrollment: Enrollment) -> list[Take]:
    """Recordings that exist already; their speech is added up."""
    with st.container(key="enroll-files"):
        uploads = st.file_uploader(
            "Recordings of this one voice",
            type=EXTENSIONS,
            accept_multiple_files=True,
            key=f"enroll-upload-{enrollment.round}",
            max_upload_size=MAX_FILE_BYTES // 1_000_000,
            help="WAV, FLAC, MP3, OGG, M4A, WebM, or the sound of a video; at most 10 minutes each.",
        )
    if why := too_much([upload.size for upload in uploads]):
        st.error(why, icon=":material/error:")
        return []
    return _takes(enrollment, uploads)


def _takes(enrollment: Enrollment, uploads: list[Any], name: str = "") -> list[Take]:
    takes = []
    enrollment.only_files({upload.file_id for upload in uploads})
    for upload in uploads:
        take = enrollment.file(upload.file_id, upload.getvalue(), name or upload.name)
        if isinstance(take, str):
            st.error(escaped(take), icon=":material/error:")
            continue
        takes.append(take)
        try:
            require_length(sum(one.quality.seconds for one in takes))
        except EnrollmentRefused as refused:
            st.error(escaped(refused), icon=":material/error:")
            return []
    return takes


def _guided(enrollment: Enrollment, name: str, *, going_on: bool, starting: bool = False) -> list[Take]:
    """Show the recording while it runs; its take once it has ended.

    Args:
        starting: whether the next one is about to begin: how the one before ended is no news then.
    """
    progress = enrollment.look()
    if progress.running and going_on:
        _watch(enrollment)
        return []
    if progress.running or progress.seconds:
        enrollment.stop(_now(name))
        progress = enrollment.look()
    if starting:
        return [enrollment.take] if enrollment.take else []
    if progress.error:
        st.warning(escaped(progress.error), icon=":material/mic_off:")
    if progress.lost > 0:
        st.warning(
            f"{progress.lost:.1f} s of sound came too late to be used; the computer was busy. Record "
            "again if the result below is not good."
        )
    if enrollment.take and not progress.full:
        st.caption("Start again to add to the recording below.")
    return [enrollment.take] if enrollment.take else []


@st.fragment(run_every=0.5)
def _watch(enrollment: Enrollment) -> None:
    progress = enrollment.look()
    with st.container(key="enroll-progress"):
        left, right = st.columns([3, 2], gap="large", vertical_alignment="bottom")
        with left:
            widgets.collected(
                progress.speech_seconds, needed=MIN_SPEECH_SECONDS, wanted=WANTED_SPEECH_SECONDS
            )
        with right:
            widgets.meter(progress.level_dbfs, *advice(progress))
    if not progress.running:
        st.rerun()


def _now(name: str) -> str:
    """A recording's name with the time, which tells one session from another among a person's exemplars."""
    return f"{name}, {datetime.now():%Y-%m-%d %H:%M}"


@st.fragment(run_every=1.0)
def _connecting(enrollment: Enrollment) -> None:
    """Say what to do when the browser's sound does not arrive."""
    enrollment.look()
    if enrollment.stream.overdue(time.monotonic()):
        st.warning(NO_FIRST_FRAME, icon=":material/mic_off:")


def _gone(source: BrowserSource) -> bool:
    """Whether a browser's stream has ended, by its own word or by its silence, which is then its error."""
    if gone_silent(source, time.monotonic()):
        source.error = source.error or NO_MORE_FRAMES
    return source.closed or bool(source.error)
