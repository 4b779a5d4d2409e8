"""The passphrase of all voiceprints: turn encryption on, change it, turn it off.

Streamlit keys, for tests (N counts the changes of this visit): passphrase-what-N (radio), passphrase-old-N,
passphrase-new-N, passphrase-again-N (text inputs), passphrase-sure-N (checkbox), passphrase-change (button).
"""

from dataclasses import dataclass
from typing import Literal

import streamlit as st

from speakerid.dashboard.shared import access, resources
from speakerid.dashboard.shared.escaping import escaped
from speakerid.errors import SpeakerIdError
from speakerid.gallery.sealing import SHORTEST
from speakerid.plural import counted
from speakerid.settings import PASSPHRASE

What = Literal["change", "rest", "off"]
_WHAT: dict[What, str] = {
    "change": "Change the passphrase",
    "rest": "Encrypt what is not encrypted yet",
    "off": "Turn encryption off",
}


@dataclass
class Said:
    """What the last change did, and how many there were; the latter is part of the keys of the inputs."""

    message: str = ""
    round: int = 0


def draw(said: Said) -> None:
    """Draw the tab.

    Raises:
        SpeakerIdError: if the voiceprints cannot be read.
    """
    gallery = resources.gallery()
    people = len(gallery.speakers())
    if said.message:
        st.success(said.message, icon=":material/check:")
    if not people:
        st.caption("Nobody is enrolled yet, so there is nothing to encrypt.")
        return
    if gallery.is_encrypting:
        _encrypted(said, len(gallery.in_clear))
    else:
        _in_clear(said)


def _in_clear(said: Said) -> None:
    st.write(
        "The voiceprints are **not encrypted**: whoever can read their folder can read names and "
        "voiceprints. With a passphrase, every voiceprint and kept recording is encrypted, names included."
    )
    new = _new(said)
    sure = st.checkbox(
        "I have written the passphrase down: without it, nobody can read the voiceprints again",
        key=f"passphrase-sure-{said.round}",
    )
    if st.button("Encrypt", key="passphrase-change", type="primary", icon=":material/lock:"):
        _change(said, "", new, sure, "Everything is encrypted now.")


def _encrypted(said: Said, in_clear: int) -> None:
    st.write("The voiceprints are **encrypted**.")
    options: list[What] = ["change", "rest", "off"] if in_clear else ["change", "off"]
    what = st.radio(
        "What to do",
        options,
        format_func=_WHAT.__getitem__,
        key=f"passphrase-what-{said.round}",
        label_visibility="collapsed",
    )
    old = st.text_input("Present passphrase", type="password", key=f"passphrase-old-{said.round}")
    if what == "rest":
        st.caption(f"{counted(in_clear, 'file is', 'files are')} not encrypted.")
        if st.button("Encrypt the rest", key="passphrase-change", type="primary", icon=":material/lock:"):
            _change(said, old, (old, old), True, "Everything is encrypted now.")
    elif what == "off":
        sure = st.checkbox(
            "From now on, whoever can read the folder may read names and voiceprints",
            key=f"passphrase-sure-{said.round}",
        )
        if st.button("Turn encryption off", key="passphrase-change", icon=":material/lock_open:"):
            _change(said, old, ("", ""), sure, "Nothing is encrypted any more.", off=True)
    else:
        new = _new(said)
        sure = st.checkbox(
            "I have written the new passphrase down: without it, nobody can read the voiceprints again",
            key=f"passphrase-sure-{said.round}",
        )
        if st.button("Change", key="passphrase-change", type="primary", icon=":material/lock_reset:"):
            _change(said, old, new, sure, "Everything is encrypted with the new passphrase.")


def _new(said: Said) -> tuple[str, str]:
    help_ = f"At least {SHORTEST} characters; several words are better than one."
    new = st.text_input("New passphrase", type="password", key=f"passphrase-new-{said.round}", help=help_)
    return new, st.text_input("The same again", type="password", key=f"passphrase-again-{said.round}")


def _change(said: Said, old: str, new: tuple[str, str], sure: bool, done: str, *, off: bool = False) -> None:
    """Make the change and draw the page again, or say what is missing."""
    gallery = resources.gallery()
    said.message = ""
    if not new[0] and not off:
        st.error("The new passphrase is empty: type it twice.")
    elif new[0] != new[1]:
        st.error("The two new passphrases differ: type the same one twice.")
    elif not sure:
        st.error("Tick the line above first.")
    elif not gallery.is_passphrase(old):
        st.error("That is not the present passphrase: type it again. Nothing was changed.")
    else:
        bar = st.progress(0.0, "Starting …")

        def progress(done: int, total: int) -> None:
            bar.progress(done / max(total, 1), f"{done} of {total} files")

        try:
            with access.acting("admin", "change the passphrase"):
                gallery.change_passphrase(new[0], progress)
        except SpeakerIdError as error:
            bar.empty()
            st.error(escaped(error), icon=":material/error:")
            return
        said.message, said.round = f"{done} {_next(new[0])}", said.round + 1
        st.rerun()


def _next(new: str) -> str:
    """What to do before the next start."""
    if new:
        where = f"put it into {PASSPHRASE} as well" if PASSPHRASE.value else f"set {PASSPHRASE} to it"
        return (
            f"At its next start the app asks for the passphrase; or {where}. The command line does the same."
        )
    return f"Unset {PASSPHRASE} before the next start." if PASSPHRASE.value else ""
