"""Encrypted voiceprints that are not open yet: every page asks for the passphrase and shows nothing else.

Streamlit keys, for tests: card-unlock (container), unlock-passphrase (text input), unlock (button).
"""

import streamlit as st

from speakerid.dashboard.shared import resources
from speakerid.dashboard.shared.escaping import escaped
from speakerid.errors import SpeakerIdError
from speakerid.gallery.sealing import Locked
from speakerid.settings import PASSPHRASE


def ask(*, allowed: bool) -> None:
    """Nothing where the voiceprints are open; else ask for the passphrase, and end the run.

    Args:
        allowed: whether the visitor may type it.
    """
    try:
        resources.gallery().speakers()
        return
    except Locked:
        pass
    except SpeakerIdError:  # which the page says in its own words
        return
    with st.container(key="card-unlock", width=460):
        st.subheader("The voiceprints are locked", anchor=False)
        if not allowed:
            st.write(
                "They are encrypted, and nobody can be recognized before an operator or an admin opens this "
                "page and types the passphrase. Reload the page then."
            )
        else:
            _form()
    st.stop()


def _form() -> None:
    st.write(
        "They are encrypted. Their passphrase opens them for everybody who uses this app, until it is "
        "stopped; it is kept in memory only."
    )
    if PASSPHRASE.value:
        st.caption(f"The passphrase in {PASSPHRASE} does not open them.")
    with st.form("unlock-form", clear_on_submit=True, border=False):
        typed = st.text_input("Passphrase", type="password", key="unlock-passphrase")
        if not st.form_submit_button("Unlock", key="unlock", type="primary", icon=":material/lock_open:"):
            return
    if not typed:
        st.error("The passphrase is empty: type it, then press Unlock.")
        return
    try:
        with st.spinner("Opening the voiceprints …"):
            resources.gallery().unlock(typed)
    except Locked:
        st.error(
            "This passphrase does not open the voiceprints: look at capital letters and the keyboard's "
            "language, and type it again. Nothing was changed.",
            icon=":material/lock:",
        )
    except SpeakerIdError as error:
        st.error(escaped(error), icon=":material/lock:")
    else:
        st.rerun()
