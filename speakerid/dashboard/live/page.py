"""What the Live page draws around its board: sources, controls, and the way on where something is missing."""

from collections.abc import Callable

import streamlit as st

from speakerid.dashboard import server
from speakerid.dashboard.live import controls as live_controls
from speakerid.dashboard.live import fallback, press_start
from speakerid.dashboard.live.component import live_board
from speakerid.dashboard.live.session import LiveSession
from speakerid.dashboard.shared import access, local_microphone, state, widgets
from speakerid.dashboard.shared.escaping import escaped
from speakerid.errors import SpeakerIdError

BROWSER, MICROPHONE, RECORDING, DEMO = "Browser microphone", "This computer's microphone", "Recording", "Demo"
_HINTS = {
    BROWSER: 'Press START and talk. No sound is kept unless "Keep sound" is on.',
    MICROPHONE: "Press Start to listen with a microphone of the computer that runs this.",
    RECORDING: "Choose a recording and press Start; it plays in real time.",
    DEMO: "Press Start: four synthetic voices and a stranger talk for a minute. Your people are not touched.",
}
_SESSION, _SOURCE, _DEMO_NOW = "live-session", "live-source", "live-demo-now"
_LISTEN_NOW = "live-listen-now"

# Chrome's own processing flips the polarity and starts 10 dB too loud; off in enrollment and here alike.
_CONSTRAINTS = {
    "audio": {"echoCancellation": False, "noiseSuppression": False, "autoGainControl": False},
    "video": False,
}


class _OnThisPage:
    """Ends the session's source when the visitor goes to another page; what was heard stays."""

    def __init__(self, session: LiveSession):
        self._session = session

    def close(self) -> None:
        self._session.leave()


def draw() -> None:
    """Draw the page, below its title."""
    try:
        session = _session()
    except SpeakerIdError as error:
        st.error(escaped(error), icon=":material/error:")
        return
    state.kept("live-stream", lambda: _OnThisPage(session))
    live_controls.recall(session, _SOURCE, BROWSER)
    if not _own_people(session):
        return
    if not session.people.everybody() and not session.listening and st.session_state[_SOURCE] != DEMO:
        _nobody_enrolled()
        return
    token = session.watch(editing=access.may("operator"))
    with st.container(horizontal=True, vertical_alignment="center", key="live-bar"):
        source = st.segmented_control(
            "Source",
            list(_HINTS),
            required=True,
            key=_SOURCE,
            label_visibility="collapsed",
            width="content",
        )
        source = session.choices[_SOURCE] = source or BROWSER
        if source != BROWSER:
            st.session_state.pop(_LISTEN_NOW, None)
            session.end_browser()
        session.hint(_HINTS[source])
        wide = source in (MICROPHONE, RECORDING)  # they get a line of their own
        if not wide:
            _source_area(session, source)
        if access.may("operator"):
            live_controls.keep_sound(session)
        live_controls.draw(session)
        if st.button(
            "Start again", icon=":material/restart_alt:", key="live-again", help="Forget what was heard"
        ):
            session.start_again()
    if wide:
        _source_area(session, source)
    with st.container(key="live-remarks"):  # always there: the board keeps its place
        if left := session.people.other_model():
            st.warning(
                f"{escaped(', '.join(left))}: enrolled with another voice model, so not recognized; enroll "
                "again.",
                icon=":material/model_training:",
            )
    _board(session, token, microphone=source == BROWSER)


def _own_people(session: LiveSession) -> bool:
    """Put the demo's people away once it has ended and another source is chosen; False if that fails."""
    if st.session_state[_SOURCE] != DEMO:
        try:
            session.end_demo()
        except SpeakerIdError as error:
            st.error(escaped(error), icon=":material/error:")
            return False
    return True


def _session() -> LiveSession:
    if _SESSION not in st.session_state:
        st.session_state[_SESSION] = LiveSession()
    return st.session_state[_SESSION]


def _nobody_enrolled() -> None:
    with st.container(key="card-nobody"):
        st.subheader("Nobody is enrolled yet", anchor=False)
        st.write(
            "The live page names people whose voices it knows. Enroll the first one: half a minute of speech "
            "is plenty."
        )
        with st.container(horizontal=True):
            widgets.go("pages/1_Enroll.py", "Enroll somebody", ":material/record_voice_over:", first=True)
            st.button(
                "See a demo", icon=":material/smart_display:", key="live-see-demo", on_click=choose_demo
            )


def choose_demo() -> None:
    """Let the demo begin when the page is drawn next."""
    st.session_state[_SOURCE] = DEMO
    st.session_state[_DEMO_NOW] = True


def listen_at_once() -> None:
    """Let the browser's microphone be listened to when the page is drawn next, as if START were pressed."""
    st.session_state[_SOURCE] = BROWSER
    st.session_state[_LISTEN_NOW] = True


def show_names_from(threshold: float) -> float:
    """Set how sure a name must be in this visitor's live session.

    Returns:
        The threshold that is set: the nearest one that the page's control has.

    Raises:
        GalleryError: the folder of voiceprints cannot be read.
    """
    return live_controls.set_threshold(_session(), threshold)


def only_enrolled(*, tuned: bool) -> None:
    """Have this visitor's live session name the likeliest of the enrolled people, by their voiceprints or by
    the tuned head.

    Raises:
        GalleryError: the folder of voiceprints cannot be read.
    """
    live_controls.set_only_enrolled(_session(), tuned)


def _board(session: LiveSession, token: str, *, microphone: bool) -> None:
    """The board by push; where that does not come up, say so and poll."""
    why = "" if server.serving() else "blocked"
    if not why:
        said = live_board(token, microphone=microphone, editing=access.may("operator"))
        failed = str(said.failed or "")
        if failed == f"gone {token}":
            session.publisher.renew()
            st.rerun()
        if failed.startswith("blocked"):
            why = "blocked"
        if isinstance(said.name_turn, int | float) and access.may("operator"):
            from speakerid.dashboard.live import naming as live_naming

            live_naming.ask(session, said.name_turn / 1000)
        elif said.keep and access.may("operator"):
            live_controls.keep_session(session)
    if why:
        if access.may("operator") and st.button(
            "Keep this session", key="live-keep-session", icon=":material/bookmark_add:"
        ):
            live_controls.keep_session(session)
        fallback.draw(session)


def _source_area(session: LiveSession, source: str) -> None:
    with st.container(key="live-source-area"):
        _DRAW[source](session)


# -- sources -------------------------------------------------------------------------------------------------


def _browser(session: LiveSession) -> None:
    from streamlit_webrtc import WebRtcMode, webrtc_streamer

    stream = webrtc_streamer(
        key="live-webrtc",
        mode=WebRtcMode.SENDONLY,
        rtc_configuration={"iceServers": []},
        media_stream_constraints=_CONSTRAINTS,
        queued_audio_frames_callback=session.on_frames,
        on_audio_ended=session.on_browser_ended,
        media_toggle_controls=False,
        translations={"start": "START", "stop": "STOP", "select_device": "Device"},
    )
    if stream.state.playing or stream.state.signalling:
        st.session_state.pop(_LISTEN_NOW, None)
    elif st.session_state.get(_LISTEN_NOW):
        press_start.draw("START")
    session.stream.use(stream)
    if session.listening and not session.by_browser:  # what was begun before has no other button here
        _stop(session)


def _microphone(session: LiveSession) -> None:
    if not access.may("operator"):  # a viewer elsewhere must not hear the room that the server stands in
        st.info(
            f'The microphone of the computer that runs this is for operators; your own is under "{BROWSER}".',
            icon=":material/lock:",
        )
        if session.listening:
            _stop(session)
        return
    names = local_microphone.to_choose_from()
    if not names:
        if session.listening:
            _stop(session)
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox("Microphone", list(names), key="live-device", width=420)
        _start_stop(session, lambda: session.start_microphone(names[chosen]))


def _recording(session: LiveSession) -> None:
    from speakerid.audio.kinds import EXTENSIONS

    with st.container(horizontal=True, vertical_alignment="center"):
        upload = st.file_uploader(
            "A recording, played in real time",
            EXTENSIONS,
            key="live-file",
            width=520,
            label_visibility="collapsed",
        )
        data = upload.getvalue() if upload else b""
        _start_stop(session, lambda: session.start_replay(data), disabled=not data)


def _demo(session: LiveSession) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        _start_stop(
            session,
            session.start_demo,
            now=st.session_state.pop(_DEMO_NOW, False),
            waiting="Getting the demo's voices ready …",
        )


def _start_stop(
    session: LiveSession,
    start: Callable[[], None],
    *,
    disabled: bool = False,
    now: bool = False,
    waiting: str = "Getting ready …",
) -> None:
    """Both buttons; `now` starts without a click, `waiting` is said meanwhile."""
    clicked = st.button(
        "Start", type="primary", icon=":material/play_arrow:", key="live-start", disabled=disabled
    )
    _stop(session)
    if clicked or now:
        try:
            with st.spinner(waiting):
                start()
        except SpeakerIdError as error:
            st.error(escaped(error), icon=":material/error:")


def _stop(session: LiveSession) -> None:
    if st.button("Stop", icon=":material/stop:", key="live-stop"):
        session.stop()


_DRAW: dict[str, Callable[[LiveSession], None]] = {
    BROWSER: _browser,
    MICROPHONE: _microphone,
    RECORDING: _recording,
    DEMO: _demo,
}
