"""Controls of the live page that act at once, with the calibrated defaults and a way back to them."""

import streamlit as st

from speakerid.dashboard.live import LiveSession


def draw(session: LiveSession) -> None:
    """A button that opens the controls."""
    names = [person.name for person in session.everybody()]
    with st.popover("Controls", icon=":material/tune:", key="live-controls"):
        taking_part = st.pills(
            "Who takes part", names, selection_mode="multi", default=names, key="live-people"
        )
        session.leave_out(set(names) - set(taking_part))
