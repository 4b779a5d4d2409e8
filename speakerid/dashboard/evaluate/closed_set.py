"""Evaluate's card for rooms in which only enrolled people speak: by the voiceprints, or by the tuned head."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import is_
from typing import TYPE_CHECKING

import streamlit as st

from speakerid.dashboard.evaluate.threshold import tone
from speakerid.dashboard.shared import state, widgets
from speakerid.dashboard.shared.escaping import escaped
from speakerid.errors import SpeakerIdError
from speakerid.plural import counted

if TYPE_CHECKING:
    from speakerid.evaluate.closed_set import Share
    from speakerid.gallery import Voiceprint

VOICEPRINTS, TUNED = "Voiceprints", "Tuned head"
HELP = (
    "Voiceprints: each person is the mean of what they enrolled. Tuned head: the speaker classification "
    "head, a prototype a person, fine-tuned on what all of them enrolled, which sets apart people who sound "
    "alike. On the command line it is `identify --closed-set tuned`."
)


@dataclass
class _Measured:
    """What was measured of these people, so that a rerun of the page does not tune again."""

    people: tuple[Voiceprint, ...] = ()
    shares: dict[str, Share] = field(default_factory=dict)

    def of(self, people: list[Voiceprint], by: str) -> Share:
        from speakerid.evaluate.closed_set import leave_one_out
        from speakerid.identify.scoring import Scorer

        if len(people) != len(self.people) or not all(map(is_, people, self.people)):
            self.people, self.shares = tuple(people), {}
        if by not in self.shares:
            scorer = Scorer.for_model(people[0].model)
            self.shares[by] = leave_one_out(people, scorer, by_head=by == TUNED)
        return self.shares[by]


def draw(people: list[Voiceprint]) -> None:
    """How often the right person is the likeliest, of people whom one model enrolled."""
    with st.container(key="evaluate-closed-set"), st.container(key="card-closed-set"):
        widgets.label("Where only enrolled people speak")
        st.write('The likeliest of them is always named, never "unknown".')
        by = st.segmented_control(
            "Compare by", (VOICEPRINTS, TUNED), default=VOICEPRINTS, key="evaluate-compare", help=HELP
        )
        by = by or VOICEPRINTS
        measured = state.kept("evaluate-closed-set-measured", _Measured)
        try:
            with st.spinner("Tuning the head …" if by == TUNED else "Comparing …"):
                share = measured.of(people, by)
        except SpeakerIdError as error:
            st.error(escaped(error), icon=":material/tune:")
            return
        widgets.tiles(
            [
                (
                    "right person named",
                    f"{share.right / share.tried:.0%}",
                    f"{share.right} of {counted(share.tried, 'piece')}",
                    tone(1 - share.right / share.tried),
                )
            ]
        )
        if st.button("Decide so on the Live page", key="evaluate-closed-apply", icon=":material/tune:"):
            _apply(tuned=by == TUNED)


def _apply(*, tuned: bool) -> None:
    from speakerid.dashboard.live import page as live_page

    try:
        live_page.only_enrolled(tuned=tuned)
    except SpeakerIdError as error:
        st.error(escaped(error), icon=":material/folder_off:")
        return
    how = "the tuned head" if tuned else "the voiceprints"
    st.write(f"The Live page of this browser tab names the likeliest of the enrolled people, by {how}.")
    widgets.go("pages/2_Live.py", "Go live", ":material/graphic_eq:", first=True)
