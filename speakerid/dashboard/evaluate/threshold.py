"""Evaluate's card of the threshold: which would be best, and what any other would cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from speakerid.dashboard.shared import widgets
from speakerid.dashboard.shared.escaping import escaped
from speakerid.errors import SpeakerIdError
from speakerid.plural import counted

if TYPE_CHECKING:
    from speakerid.evaluate.own import Threshold, Tries

FEW = 30  # tries below which the page warns that the figures are coarse


def draw(tries: Tries, best: Threshold) -> None:
    """The card; what is chosen on it is in the session state as evaluate-threshold, in percent."""
    from speakerid.evaluate.own import OVERLAP, error_still_possible
    from speakerid.identify import ListenerConfig

    now = ListenerConfig().threshold
    with st.container(key="evaluate-verdict"), st.container(key="card-verdict"):
        widgets.label("Suggested threshold")
        if best.cost > OVERLAP:
            st.subheader("The voices overlap: no threshold is suggested", anchor=False)
            st.write(
                f"Even the best one, {best.value:.0%}, would refuse {best.refused} of "
                f"{counted(best.tried, 'piece')} of the right voice and give a name to {best.named} of "
                f"{counted(best.strangers, 'stranger')}. Enroll "
                "longer recordings in a quieter place, or check that each holds one voice only."
            )
        else:
            st.subheader(f"Show a name from {best.value:.0%} on", anchor=False)
            clean = best.refused == best.named == 0
            st.write(
                f"At this probability {_cost(best)}"
                + (
                    f" But {counted(tries.recordings, 'recording')} without an error cannot rule out "
                    f"error rates up to {error_still_possible(tries.recordings):.0%}."
                    if clean
                    else ""
                )
            )
            _apply(best.value, "evaluate-apply")
        st.slider(
            "Try another threshold", 1, 99, round(100 * now), format="%d%%", key="evaluate-threshold",
            help=f"A name is shown when its probability reaches this. The live page starts at {now:.0%}.",
        )  # fmt: skip
        with st.container(key="evaluate-cost"):
            there = tries.at(st.session_state["evaluate-threshold"] / 100)
            widgets.tiles(
                [
                    (
                        "right voice refused",
                        f"{there.refused / there.tried:.0%}",
                        f"{there.refused} of {counted(there.tried, 'piece')}",
                        tone(there.refused / there.tried),
                    ),
                    (
                        "stranger named",
                        f"{there.named / there.strangers:.0%}",
                        f"{there.named} of {counted(there.strangers, 'piece')}",
                        tone(there.named / there.strangers),
                    ),
                ]
            )
        tried = st.session_state["evaluate-threshold"]
        if best.cost > OVERLAP or tried != round(100 * best.value):
            _apply(tried / 100, "evaluate-apply-tried")
        if best.tried < FEW:
            st.caption(f"Only {counted(best.tried, 'piece')} could be tried, so one more error changes much.")


def _apply(threshold: float, key: str) -> None:
    """A button that makes a threshold the Live page's."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(f"Use {threshold:.0%} on the Live page", key=key, icon=":material/tune:"):
            from speakerid.dashboard.live import page as live_page

            try:
                used = live_page.show_names_from(threshold)
            except SpeakerIdError as error:
                st.error(escaped(error), icon=":material/folder_off:")
                return
            st.write(f"The Live page of this browser tab shows a name from {used:.0%} on.")
            widgets.go("pages/2_Live.py", "Go live", ":material/graphic_eq:", first=True)


def _cost(one: Threshold) -> str:
    return (
        f"{one.refused} of {counted(one.tried, 'piece')} of the right voice would not get their name, and "
        f"{one.named} of {counted(one.strangers, 'piece')} of somebody who is not enrolled would get one."
    )


def tone(share: float) -> widgets.Tone:
    """What to think of a share of errors."""
    return "good" if share <= 0.05 else "warn" if share <= 0.2 else "bad"
