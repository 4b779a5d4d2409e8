"""The dialog that keeps a conversation, live or recorded: title, what is kept, the consent to its sound.

Streamlit keys, each followed by "-" and the number of the opening: keep-title, keep-sound, keep-save.
"""

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from speakerid.conversation.conversation import Conversation
from speakerid.conversation.entry import clock
from speakerid.conversation.kept import removed_since, stretches, to_keep
from speakerid.conversation.kept_sound import KeptSound
from speakerid.conversation.recorded_sound import RecordedSound
from speakerid.dashboard.shared import access, widgets
from speakerid.dashboard.shared.escaping import escaped
from speakerid.errors import SpeakerIdError
from speakerid.gallery import Consent, Gallery, sessions
from speakerid.gallery.kept_session import REMOVED, SOUND_CONSENT, SOUND_CONSENT_VERSION
from speakerid.plural import counted

_OPENED = "keep-opened"  # in the session: how often the dialog was opened, so that each opening starts empty

ABOUT = (
    f"Kept are the turns and who spoke in them, beside the voiceprints and encrypted as they are. Who is "
    f"removed from the app is silenced here, and “{REMOVED}” stands in the place of the name. No voiceprints "
    "are made or kept of anybody by this."
)


def ask(
    talk: Callable[[], Conversation],
    sound: KeptSound | RecordedSound,
    gallery: Gallery,
    source: str,
    kept: Callable[[str], None],
) -> None:
    """Open the dialog.

    Args:
        talk: what there is to keep now, its name the title unless somebody knows better; asked again when it
            is kept.
        sound: of it, kept where everybody agreed.
        source: "live" or "recording".
        kept: told the id of the session once it is kept.
    """
    number = st.session_state[_OPENED] = st.session_state.get(_OPENED, 0) + 1
    _dialog(number, talk, sound, gallery, source, kept)


@st.dialog("Keep this conversation", width="medium")
def _dialog(
    number: int,
    talk: Callable[[], Conversation],
    sound: KeptSound | RecordedSound,
    gallery: Gallery,
    source: str,
    kept: Callable[[str], None],
) -> None:
    widgets.follow_scheme()
    now = talk()
    title = st.text_input("Title", now.name, key=f"keep-title-{number}", max_chars=200)
    st.caption(ABOUT)
    seconds = sum(end - start for start, end in _ranges(sound))
    agreed = False
    if seconds:
        agreed = st.checkbox(
            f"Keep its sound too, {clock(seconds).split('.')[0]}. {SOUND_CONSENT}", key=f"keep-sound-{number}"
        )
    elif isinstance(sound, KeptSound):
        st.caption('Its sound cannot be kept: "Keep sound" was off while people spoke.')
    if gone := removed_since(now, gallery.speakers()):
        st.warning(
            f"{escaped(', '.join(gone))}: not enrolled under that name any more, so kept as “{REMOVED}”, "
            "and silent.",
            icon=":material/person_off:",
        )
    if not st.button("Keep", key=f"keep-save-{number}", type="primary", icon=":material/bookmark_add:"):
        return
    try:
        with st.spinner("Keeping it …"), access.acting("operator", "keep conversations"):
            identifier = _keep(replace(talk(), name=title), sound if agreed else None, gallery, source)
    except SpeakerIdError as error:
        st.error(escaped(error), icon=":material/error:")
        return
    kept(identifier)
    turns = counted(len(now.turns), "turn")
    st.toast(f"Kept, {turns}: it is on the page Recordings.", icon=":material/bookmark_added:")
    st.rerun()


def _keep(talk: Conversation, sound: KeptSound | RecordedSound | None, gallery: Gallery, source: str) -> str:
    session = to_keep(talk, gallery.speakers(), source)
    if sound is None:
        return sessions.keep(gallery, session).id
    consent = Consent.now(SOUND_CONSENT, source, SOUND_CONSENT_VERSION)
    return sessions.keep(gallery, session, stretches(sound), consent).id


def _ranges(sound: KeptSound | RecordedSound) -> list[tuple[float, float]]:
    return sound.ranges() if isinstance(sound, KeptSound) else [(0.0, sound.seconds)]
