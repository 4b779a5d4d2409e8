"""Enroll somebody from stretches that were heard: choose them, hear them, give a name and the consent.

Streamlit keys, each followed by "-" and the number of the opening, so that nothing of one voice's dialog is
taken for another's: naming-name, naming-consent, naming-enroll, naming-instead, naming-distinct, and
naming-turn with the millisecond at which the turn begins after it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import streamlit as st

from speakerid.audio.format import RATE
from speakerid.conversation.entry import Entry, clock, is_stranger
from speakerid.dashboard.shared import access, enrolled, resources, widgets
from speakerid.dashboard.shared.colors import UNKNOWN
from speakerid.dashboard.shared.escaping import escaped
from speakerid.errors import EnrollmentRefused, SpeakerIdError
from speakerid.gallery import MIN_SPEECH_SECONDS, Consent, Gallery
from speakerid.gallery.consent import consent_text

_OPENED = "naming-opened"  # in the session: how often the dialog was opened
_OFFERED = 12  # turns when it opens; more do not make a better voiceprint
_LATER = 12  # more that may come while it is open
_LABEL = 260  # px of a turn's tick and label: the players stand below each other
_LOOK_S = 1.5  # between two looks for turns that were heard meanwhile


@dataclass(frozen=True, eq=False)
class Stretch:
    """A turn to enroll from.

    Attributes:
        start: seconds into the session or recording.
        label: when and what it was heard as, for people.
        chosen: whether it is surely the same voice as the one to name.
        samples: int16 [n] at 16 kHz; None where its sound was not kept.
        gain_db: by how much it was raised when it came in, because it is too quiet.
    """

    start: float
    label: str
    chosen: bool
    samples: np.ndarray | None = field(repr=False)
    gain_db: float = 0.0

    @property
    def seconds(self) -> float:
        """Of sound that can be used."""
        return 0.0 if self.samples is None else len(self.samples) / RATE


Named = Callable[[str, list[Stretch]], None]
"""Told the name under which these stretches' voice is enrolled now."""


@dataclass
class _Opening:
    """What one opening of the dialog remembers; the next voice's starts with nothing.

    Attributes:
        number: of the opening, in the session.
        order: seconds at which the turns begin that have a place in the list; places stay.
        at_once: save without another click, for an offer was taken or turned down.
        distinct: (name, person) that are not the same, as was confirmed.
    """

    number: int
    order: list[float] = field(default_factory=list)
    at_once: bool = False
    distinct: set[tuple[str, str]] = field(default_factory=set)

    def key(self, what: str) -> str:
        return f"naming-{what}-{self.number}"

    def turn(self, stretch: Stretch) -> str:
        return f"{self.key('turn')}-{round(stretch.start * 1000)}"

    def usable(self, offered: Sequence[Stretch]) -> list[Stretch]:
        """Those with sound, in their places; new ones come last."""
        found = {stretch.start: stretch for stretch in offered if stretch.samples is not None}
        most = _OFFERED + _LATER if self.order else _OFFERED
        for start in found:
            if start not in self.order and len(self.order) < most:
                self.order.append(start)
        return [found[start] for start in self.order if start in found]


def ask(offered: Callable[[], Sequence[Stretch]], gallery: Gallery, *, source: str, named: Named) -> None:
    """Open the dialog that asks for the name and the consent, and enrolls.

    Args:
        offered: the turns on offer now, at least one with samples; asked again while the dialog is open.
        source: stored with the consent: "live", "demo" or "recording".
    """
    number = st.session_state[_OPENED] = st.session_state.get(_OPENED, 0) + 1
    _dialog(_Opening(number), offered, gallery, source, named)


@st.dialog("Whose voice is this?", width="large", on_dismiss="rerun")  # which ends the search for turns
def _dialog(
    opening: _Opening,
    offered: Callable[[], Sequence[Stretch]],
    gallery: Gallery,
    source: str,
    named: Named,
) -> None:
    widgets.follow_scheme()
    st.write("Choose turns in which only this person speaks; hear them if in doubt.")
    if source == "demo":
        st.caption("Whoever is enrolled in the demo is forgotten when it starts again.")
    st.fragment(_turns, run_every=_LOOK_S)(opening, offered)
    name = st.text_input(
        "Name", key=opening.key("name"), help="Somebody who is enrolled already is added to."
    )
    agreed = st.checkbox(consent_text(keep_recordings=False), key=opening.key("consent"))
    enrolled.tell(name, gallery, opening.key("name"))
    with st.container(horizontal=True, vertical_alignment="center"):
        save = st.button(
            "Enroll this voice", type="primary", key=opening.key("enroll"), icon=":material/person_add:"
        )
        enrolled.tell_missing(enrolled.missing(name, agreed, gallery))
    if save or opening.at_once:
        opening.at_once = False
        chosen = [one for one in opening.usable(offered()) if st.session_state.get(opening.turn(one))]
        refused = _enroll(opening, name, agreed, chosen, gallery, source, named)
        for reason in refused.reasons:
            st.error(escaped(reason), icon=":material/block:")
        if other := refused.belongs_to:
            with st.container(horizontal=True):
                st.button(
                    f"Add it to {escaped(other)}",
                    key=opening.key("instead"),
                    icon=":material/person_check:",
                    on_click=_instead,
                    args=(opening, other),
                )
                widgets.somebody_else(
                    name, key=opening.key("distinct"), on_click=_distinct, args=(opening, name, other)
                )


def _turns(opening: _Opening, offered: Callable[[], Sequence[Stretch]]) -> None:
    """The turns, each with its sound and a tick; drawn again and again, for more may be heard meanwhile."""
    seconds = 0.0
    with st.container(key=opening.key("turns")):
        for stretch in opening.usable(offered()):
            with st.container(horizontal=True, vertical_alignment="center"):
                if st.checkbox(
                    escaped(stretch.label), stretch.chosen, key=opening.turn(stretch), width=_LABEL
                ):
                    seconds += stretch.seconds
                st.audio(stretch.samples, sample_rate=RATE, width=320)
    if seconds < MIN_SPEECH_SECONDS:
        st.caption(f"{seconds:.1f} s chosen; about {MIN_SPEECH_SECONDS:.0f} s of speech are needed.")


def meant(
    label: str, entries: Sequence[Entry], offered: Sequence[Stretch], chosen: Sequence[Stretch]
) -> list[float]:
    """When the turns begin that a name is for.

    They are those that were chosen, and of a stranger who was told apart ("unknown 2") all others, but for
    those whose tick somebody took away.

    Args:
        label: what the voice was called until now.
    """
    starts = {stretch.start for stretch in chosen}
    refused = {stretch.start for stretch in offered if stretch.chosen} - starts
    if label != UNKNOWN and is_stranger(label):
        starts |= {entry.start for entry in entries if entry.speaker == label} - refused
    return sorted(starts)


def _instead(opening: _Opening, name: str) -> None:
    """Take the offer: a callback, for it changes an input that is drawn already."""
    st.session_state[opening.key("name")] = name
    opening.at_once = True


def _distinct(opening: _Opening, name: str, other: str) -> None:
    """Turn the offer down: the voice only sounds like that person's."""
    opening.distinct.add((name, other))
    opening.at_once = True


def _enroll(
    opening: _Opening,
    name: str,
    agreed: bool,
    chosen: list[Stretch],
    gallery: Gallery,
    source: str,
    named: Named,
) -> EnrollmentRefused:
    """Why it was refused, and whose voice it is; draws the page anew where it was not."""
    reasons = []
    if not name.strip():
        reasons.append("A name is missing: type whose voice this is.")
    if not agreed:
        reasons.append("The consent is missing: tick it once the person agrees.")
    if not chosen:
        reasons.append("No turn is chosen: choose at least one.")
    if reasons:
        return EnrollmentRefused(reasons)
    today = f"{datetime.now():%Y-%m-%d}"
    try:
        with st.spinner("Making the voiceprint …"), access.acting("operator", "enroll people"):
            here = {person.name for person in gallery.speakers()}  # somebody may have removed one by now
            report = gallery.enroll(
                name,
                [
                    stretch.samples.astype(np.float32) / 32768
                    for stretch in chosen
                    if stretch.samples is not None
                ],
                resources.encoder(),
                consent=Consent.given(source),
                # When it was said, and not what it was heard as: that may be somebody else's name.
                sources=[f"{source}, {today}, at {clock(stretch.start)}" for stretch in chosen],
                gains_db=[stretch.gain_db for stretch in chosen],
                distinct_from=[one for of, one in opening.distinct if of == name and one in here],
            )
    except EnrollmentRefused as refused:
        return refused
    except SpeakerIdError as error:
        return EnrollmentRefused([str(error)])
    named(report.name, chosen)
    st.toast(f"{escaped(report.name)} is enrolled.", icon=":material/how_to_reg:")
    st.rerun()


def nothing_kept(remedy: str) -> None:
    """Say that there is no sound to enroll from, and what to do about it."""
    st.toast(
        f"A voice is enrolled from its sound, and no sound of this turn was kept. {remedy}", duration="long"
    )
