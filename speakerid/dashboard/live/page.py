"""What the Live page draws around its board: sources, controls, and the way on where something is missing."""

import streamlit as st

from speakerid.dashboard import server
from speakerid.dashboard.live import controls as live_controls
from speakerid.dashboard.live import fallback, sources
from speakerid.dashboard.live.component import live_board
from speakerid.dashboard.live.session import LiveSession
from speakerid.dashboard.live.sources import BROWSER, DEMO, DEMO_NOW, LISTEN_NOW, MICROPHONE, RECORDING
from speakerid.dashboard.shared import access, state, widgets
from speakerid.dashboard.shared.escaping import escaped
from speakerid.errors import SpeakerIdError

_HINTS = {
    BROWSER: 'Press START and talk. No sound is kept unless "Keep sound" is on.',
    MICROPHONE: "Press Start to listen with a microphone of the computer that runs this.",
    RECORDING: "Choose a recording and press Start; it plays in real time.",
    DEMO: "Press Start: four synthetic voices and a stranger talk for a minute. Your people are not touched.",
}
_SESSION, _SOURCE = "live-session", "live-source"


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
            st.session_state.pop(LISTEN_NOW, None)
            session.end_browser()
        session.hint(_HINTS[source])
        wide = source in (MICROPHONE, RECORDING)  # they get a line of their own
        if not wide:
            sources.draw(session, source)
        if access.may("operator"):
            live_controls.keep_sound(session)
        live_controls.draw(session)
        if st.button(
            "Start again", icon=":material/restart_alt:", key="live-again", help="Forget what was heard"
        ):
            session.start_again()
    if wide:
        sources.draw(session, source)
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
    st.session_state[DEMO_NOW] = True


def listen_at_once() -> None:
    """Let the browser's microphone be listened to when the page is drawn next, as if START were pressed."""
    st.session_state[_SOURCE] = BROWSER
    st.session_state[LISTEN_NOW] = True


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
