"""Kept sessions on the Recordings page: the list, and one opened, called otherwise, corrected, deleted.

Streamlit keys, for tests (ID is the session's): card-kept-sessions (container), kept-find, kept-open-ID,
kept-close, kept-title, kept-rename, kept-delete, kept-delete-now, kept-who, kept-correct.
"""

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from speakerid.conversation.analysis import Analysis, Heard
from speakerid.conversation.conversation import Conversation
from speakerid.conversation.entry import clock
from speakerid.conversation.kept import SessionSound, conversation_of, is_label
from speakerid.dashboard.recordings.visit import RecordingPage
from speakerid.dashboard.shared import access, heard, keep_dialog, state, widgets
from speakerid.dashboard.shared.escaping import escaped
from speakerid.errors import GalleryError, SpeakerIdError
from speakerid.gallery import UNKNOWN, Gallery, sessions
from speakerid.gallery.kept_session import KeptSession, SessionVoice

_SHOWN = 8  # in the list, before all are asked for
_OPENED = "kept-session-opened"  # in the session: the id of the one that is open


class Reopened:
    """A kept session as the page shows an analysis.

    Attributes:
        session: as it is now.
        sound: what was kept of it.
    """

    def __init__(self, gallery: Gallery, session: KeptSession):
        self._gallery, self.session = gallery, session
        self.sound = SessionSound(gallery, session)
        self._token = heard.offer(self.sound)

    @property
    def name(self) -> str:
        return self.session.title

    @property
    def heard(self) -> Heard:
        return Heard(self.session.seconds, running=False, warnings=self.session.warnings)

    @property
    def sound_url(self) -> str:
        """Where the browser hears it."""
        return f"/api/recording/{self._token}/sound.wav"

    @property
    def conversation(self) -> Conversation:
        """It, with the names that people have now."""
        return conversation_of(self.session, self._gallery.speakers())

    def surely_one_voice(self, turn: int) -> list[bool]:
        """For each turn, whether it surely is of this one's voice; voices are not kept: only itself is."""
        return [number == turn for number in range(len(self.session.turns))]

    def named(self, name: str, starts: Sequence[float]) -> None:
        """Somebody says who speaks in the turns that begin at these seconds; it is kept so.

        Raises:
            GalleryError: it is kept no more, or cannot be written.
        """
        voice = SessionVoice(label=name)
        if not is_label(name):
            voice = SessionVoice(person=self._gallery.get(name).id)
        with access.acting("operator", "correct sessions"):
            self.session = sessions.correct(self._gallery, self.session.id, starts, voice)


def open_session(identifier: str) -> None:
    """Show this session."""
    st.session_state[_OPENED] = identifier


def close() -> None:
    """Show none."""
    st.session_state.pop(_OPENED, None)


def opened(gallery: Gallery) -> Reopened | None:
    """The session that is open; says so where it is kept no more."""
    identifier = st.session_state.get(_OPENED)
    if identifier is None:
        return None
    try:
        session = sessions.get(gallery, identifier)
    except GalleryError as error:
        close()
        st.error(escaped(error), icon=":material/error:")
        return None
    made = state.kept(f"kept-{identifier}", lambda: Reopened(gallery, session))
    if made.session != session:  # somebody changed it elsewhere
        made.session = session
    return made


def offer(visit: RecordingPage, analysis: Analysis, gallery: Gallery) -> None:
    """The button that keeps a recording whose analysis has ended; nothing where nobody spoke."""
    if not visit.conversation.turns or not access.may("operator"):
        return

    if st.button("Keep this conversation", key="recording-keep", icon=":material/bookmark_add:"):
        keep_dialog.ask(lambda: visit.conversation, analysis.sound, gallery, "recording", kept=open_session)


def draw(gallery: Gallery) -> None:
    """The list of kept sessions."""
    shelf = sessions.shelf(gallery)
    with st.container(key="card-kept-sessions"):
        widgets.label("Kept sessions")
        for damaged in shelf.damaged:
            st.warning(
                f"The kept session {damaged.file} cannot be opened: {escaped(damaged.reason)}. It was left "
                "as it is; `python -m speakerid doctor` says more.",
                icon=":material/heart_broken:",
            )
        if not shelf.sessions:
            st.caption(
                "None yet. Keep a recording once it is analyzed, or a live session by “Keep …” over its log "
                "on the page Live: who spoke when, and the sound only if everybody agrees."
            )
            return
        found = _found(gallery, shelf.sessions)
        for session in found:
            _row(gallery, session)
        st.caption(keep_dialog.ABOUT)


def _found(gallery: Gallery, kept: Sequence[KeptSession]) -> Sequence[KeptSession]:
    if len(kept) <= _SHOWN:
        return kept
    wanted = st.text_input(
        "Find a session", key="kept-find", placeholder="A word of its title, or somebody who spoke"
    )
    words = wanted.casefold().split()
    if words:
        texts = {one.id: " ".join([one.title, *_people(gallery, one)]).casefold() for one in kept}
        kept = [one for one in kept if all(word in texts[one.id] for word in words)]
        if not kept:
            st.caption("No kept session has that.")
    if len(kept) > _SHOWN:
        st.caption(f"The latest {_SHOWN} of {len(kept):,}; a word above finds others.")
    return kept[:_SHOWN]


def _row(gallery: Gallery, session: KeptSession) -> None:
    people = _people(gallery, session)
    who = ", ".join(people[:4]) + (f" and {len(people) - 4} more" if len(people) > 4 else "")
    sound = "with sound" if session.sound else "without sound"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            escaped(session.title),
            key=f"kept-open-{session.id}",
            icon=":material/folder_open:",
            on_click=open_session,
            args=(session.id,),
        )
        st.caption(
            f"{day(session.kept_at)} · {clock(session.seconds).split('.')[0]} · {escaped(who)} · {sound}"
        )


def _people(gallery: Gallery, session: KeptSession) -> list[str]:
    return list(dict.fromkeys(turn.speaker for turn in conversation_of(session, gallery.speakers()).turns))


def head(shown: Reopened, gallery: Gallery) -> None:
    """What is above an open session: when, and what can be done with it."""
    session = shown.session
    how = {"live": "a live session", "recording": "a recording"}.get(session.source, session.source)
    with st.container(key="card-kept"):
        widgets.label(f"Kept {day(session.kept_at)}")
        agreed = "its sound is kept, as everybody agreed" if session.sound else "its sound was not kept"
        st.write(f"**{escaped(session.title)}**, {how}; {agreed}.")
        with st.container(horizontal=True):
            st.button("Close", key="kept-close", icon=":material/close:", on_click=close)
            _rename(session, gallery)
            _correct(shown, gallery)
            _delete(session, gallery)


def _rename(session: KeptSession, gallery: Gallery) -> None:
    with st.popover("Title", icon=":material/edit:", key="kept-title-open"):
        title = st.text_input("Title", session.title, key=f"kept-title-{session.id}", max_chars=200)
        if st.button("Call it so", key="kept-rename", type="primary"):
            try:
                with access.acting("operator", "change sessions"):
                    sessions.retitle(gallery, session.id, title)
            except SpeakerIdError as error:
                st.error(escaped(error))
                return
            st.rerun()


def _correct(shown: Reopened, gallery: Gallery) -> None:
    entries = shown.conversation.turns
    with st.popover("Correct a name", icon=":material/badge:", key="kept-correct-open"):
        st.caption(
            "A voice that was taken for somebody else, in all of its turns. Nothing is learned from it."
        )
        heard_as = st.selectbox(
            "Who is shown", list(dict.fromkeys(e.speaker for e in entries)), key="kept-who"
        )
        names = [person.name for person in gallery.speakers()]
        right = st.selectbox("Who it was", [UNKNOWN, *names], key="kept-right")
        if st.button("Correct", key="kept-correct", type="primary", disabled=heard_as == right):
            try:
                shown.named(right, [entry.start for entry in entries if entry.speaker == heard_as])
            except SpeakerIdError as error:
                st.error(escaped(error))
                return
            st.rerun()


def _delete(session: KeptSession, gallery: Gallery) -> None:
    if not access.may("admin"):
        return
    with st.popover("Delete", icon=":material/delete:", key="kept-delete"):
        st.write("The turns and the sound are deleted for good.")
        if st.button("Delete this session", key="kept-delete-now", type="primary"):
            try:
                with access.acting("admin", "delete sessions"):
                    sessions.delete(gallery, session.id)
            except SpeakerIdError as error:
                st.error(escaped(error))
                return
            close()
            st.toast(f"{escaped(session.title)} is deleted.", icon=":material/delete:")
            st.rerun()


def day(moment: str) -> str:
    """A stored moment (ISO 8601, UTC) as this computer's date and time."""
    try:
        return f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M}"
    except ValueError:
        return moment
