"""The dialog of an admin for all voiceprints at once: take people along, bring people in, the passphrase.

Streamlit keys, for tests: everybody-open (button in the list of people); for the rest see enroll_export,
enroll_import and enroll_passphrase.
"""

from dataclasses import dataclass, field

import streamlit as st

from speakerid.dashboard.enroll import exporting as enroll_export
from speakerid.dashboard.enroll import importing as enroll_import
from speakerid.dashboard.enroll import passphrase as enroll_passphrase
from speakerid.dashboard.shared import access, state, widgets
from speakerid.dashboard.shared.escaping import escaped
from speakerid.errors import SpeakerIdError


@dataclass
class Opened:
    """Whether the dialog is open, and what its parts remember while it is."""

    is_open: bool = False
    prepared: enroll_export.Prepared = field(default_factory=enroll_export.Prepared)
    arriving: enroll_import.Arriving = field(default_factory=enroll_import.Arriving)
    said: enroll_passphrase.Said = field(default_factory=enroll_passphrase.Said)

    def show(self) -> None:
        """Open the dialog with the next drawing of the page."""
        self.is_open = True

    def close(self) -> None:
        """Leave it closed, and forget what was prepared, uploaded or said."""
        self.is_open = False
        self.prepared, self.arriving = enroll_export.Prepared(), enroll_import.Arriving()
        self.said = enroll_passphrase.Said()


def opened() -> Opened:
    """The dialog of this visit to the page."""
    return state.kept("everybody", Opened)


def button() -> None:
    """The button that opens the dialog; nothing for who is no admin."""
    if access.may("admin"):
        st.button(
            "Export, import, passphrase",
            key="everybody-open",
            icon=":material/encrypted:",
            width="stretch",
            on_click=opened().show,
        )


def draw() -> None:
    """Draw the dialog, if it is open."""
    if opened().is_open and access.may("admin"):
        st.dialog("All voiceprints", width="medium", on_dismiss=opened().close)(_draw)()


def _draw() -> None:
    if not access.may("admin"):  # a dialog is drawn again by itself, and roles may change meanwhile
        st.error("This takes an admin: ask whoever runs this app.", icon=":material/lock:")
        return
    widgets.follow_scheme()
    one, two, three = st.tabs(["Export", "Import", "Passphrase"])
    for tab, part in (
        (one, lambda: enroll_export.draw(opened().prepared)),
        (two, lambda: enroll_import.draw(opened().arriving)),
        (three, lambda: enroll_passphrase.draw(opened().said)),
    ):
        with tab:
            try:
                part()
            except SpeakerIdError as error:  # the dialog is drawn alone, without what the page catches
                st.error(escaped(error), icon=":material/error:")
