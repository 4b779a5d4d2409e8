"""Export: one person or everybody as a single file, encrypted where that is asked for.

Streamlit keys, for tests: export-who, export-one (select boxes; with many people a text input export-one-find
too), export-recordings (checkbox), export-passphrase, export-again (text inputs), export-prepare (button),
export-download (download button).
"""

from dataclasses import dataclass
from datetime import datetime

import streamlit as st

from speakerid.dashboard.enroll import edit as enroll_edit
from speakerid.dashboard.shared import access, resources
from speakerid.dashboard.shared.escaping import escaped
from speakerid.errors import SpeakerIdError

_EVERYBODY, _ONE = "Everybody", "One person"


@dataclass
class Prepared:
    """The file that waits to be downloaded, and what was chosen when it was made."""

    chosen: tuple[str, bool, str] | None = None
    content: bytes = b""


def draw(prepared: Prepared) -> None:
    """Draw the tab.

    Raises:
        SpeakerIdError: if the voiceprints cannot be read.
    """
    gallery = resources.gallery()
    people = gallery.speakers()
    if not people:
        st.caption("Nobody is enrolled, so there is nothing to export.")
        return
    st.write("A file to take people to another computer, or to keep as a copy. **Import** reads it again.")
    name = ""
    if st.selectbox("Who", [_EVERYBODY, _ONE], key="export-who") == _ONE:
        found = enroll_edit.somebody("Person", [person.name for person in people], "export-one")
        if found is None:
            return
        name = found
    recordings = False
    if gallery.recording_counts():
        recordings = st.checkbox("With the kept recordings", True, key="export-recordings")
    secret = st.text_input("Passphrase of the file", type="password", key="export-passphrase")
    again = st.text_input("The same again", type="password", key="export-again")
    if not secret:
        st.warning(
            "Without a passphrase, whoever gets the file can read the names and use the voiceprints.",
            icon=":material/lock_open:",
        )
    if st.button("Prepare the file", key="export-prepare", type="primary", icon=":material/archive:"):
        if secret != again:
            st.error("The two passphrases differ: type the same one twice.")
        else:
            _prepare(prepared, name, recordings, secret)
    if prepared.content and prepared.chosen == (name, recordings, secret):
        st.download_button(
            f"Download ({_size(len(prepared.content))})",
            prepared.content,
            file_name=f"people-{datetime.now():%Y-%m-%d}.speakers",
            mime="application/octet-stream",
            key="export-download",
            icon=":material/download:",
            on_click="ignore",
        )


def _prepare(prepared: Prepared, name: str, recordings: bool, secret: str) -> None:
    prepared.chosen, prepared.content = None, b""
    bar = st.progress(0.0, "Reading …")

    def progress(done: int, total: int, _: str) -> None:
        bar.progress(done / max(total, 1), f"{done} of {total} people")

    try:
        with access.acting("admin", "export people"):
            prepared.content = resources.gallery().export_bytes(
                [name] if name else [], secret, recordings=recordings, progress=progress
            )
    except SpeakerIdError as error:
        st.error(escaped(error), icon=":material/error:")
    else:
        prepared.chosen = (name, recordings, secret)
    finally:
        bar.empty()


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{max(count / 1e3, 0.1):.1f} kB"
