"""What a live session can hear, on its page: a browser, a microphone here, a recording, the demo."""

from collections.abc import Callable

import streamlit as st

from speakerid.dashboard.live import press_start
from speakerid.dashboard.live.session import LiveSession
from speakerid.dashboard.shared import access, browser_stream, local_microphone
from speakerid.dashboard.shared.escaping import escaped
from speakerid.errors import SpeakerIdError

BROWSER, MICROPHONE, RECORDING, DEMO = "Browser microphone", "This computer's microphone", "Recording", "Demo"
DEMO_NOW, LISTEN_NOW = "live-demo-now", "live-listen-now"
"""In the session state: to start when the page is drawn next."""


def draw(session: LiveSession, source: str) -> None:
    """Draw what this source has: a button to start it, and a choice where there is one."""
    with st.container(key="live-source-area"):
        _DRAW[source](session)


def _browser(session: LiveSession) -> None:
    stream = browser_stream.streamer("live-webrtc", session.on_frames, session.on_browser_ended)
    if stream.state.playing or stream.state.signalling:
        st.session_state.pop(LISTEN_NOW, None)
    elif st.session_state.get(LISTEN_NOW):
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
            now=st.session_state.pop(DEMO_NOW, False),
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
