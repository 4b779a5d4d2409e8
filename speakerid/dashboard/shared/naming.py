"""Enroll somebody from stretches that were heard: choose them, hear them, give a name and the consent.

Streamlit keys: naming-turn-N, naming-name, naming-consent, naming-enroll, naming-instead,
naming-distinct.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import streamlit as st

from speakerid.audio.format import RATE
from speakerid.conversation.entry import clock
from speakerid.dashboard.enroll.prompts import CONSENT_VERSION, consent_text
from speakerid.dashboard.shared import access, enrolled, resources, widgets
from speakerid.dashboard.shared.escaping import escaped
from speakerid.errors import EnrollmentRefused, SpeakerIdError
from speakerid.gallery import MIN_SPEECH_SECONDS, Consent, Gallery

_AT_ONCE = "naming-save"  # in the session: save without another click, for an offer was taken or turned down
_DISTINCT = "naming-distinct-from"  # in the session: (name, person) that are not the same, as was confirmed
_OFFERED = 12  # turns; more do not make a better voiceprint


@dataclass(frozen=True, eq=False)
class Stretch:
    """A turn to enroll from.

    Attributes:
        start: seconds into the session or recording.
        label: when and what it was heard as, for people.
        chosen: whether it is thought to be the same voice as the one to name.
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


@st.dialog("Whose voice is this?", width="large")
def ask(stretches: Sequence[Stretch], gallery: Gallery, *, source: str, named: Named) -> None:
    """Ask for the name and the consent, and enroll.

    Args:
        stretches: the turns on offer; at least one has samples.
        source: stored with the consent: "live", "demo" or "recording".
    """
    usable = [stretch for stretch in stretches if stretch.samples is not None][:_OFFERED]
    st.write("Choose turns in which only this person speaks; hear them if in doubt.")
    if source == "demo":
        st.caption("Whoever is enrolled in the demo is forgotten when it starts again.")
    chosen = [stretch for number, stretch in enumerate(usable) if _offer(number, stretch)]
    seconds = sum(stretch.seconds for stretch in chosen)
    if seconds < MIN_SPEECH_SECONDS:
        st.caption(f"{seconds:.1f} s chosen; about {MIN_SPEECH_SECONDS:.0f} s of speech are needed.")
    name = st.text_input("Name", key="naming-name", help="Somebody who is enrolled already is added to.")
    agreed = st.checkbox(consent_text(keep_recordings=False).rpartition(" (version")[0], key="naming-consent")
    enrolled.tell(name, gallery, "naming-name")
    with st.container(horizontal=True, vertical_alignment="center"):
        save = st.button(
            "Enroll this voice", type="primary", key="naming-enroll", icon=":material/person_add:"
        )
        enrolled.tell_missing(enrolled.missing(name, agreed, gallery))
    if save or st.session_state.pop(_AT_ONCE, False):
        refused = _enroll(name, agreed, chosen, gallery, source, named)
        for reason in refused.reasons:
            st.error(escaped(reason), icon=":material/block:")
        if other := refused.belongs_to:
            with st.container(horizontal=True):
                st.button(
                    f"Add it to {escaped(other)}",
                    key="naming-instead",
                    icon=":material/person_check:",
                    on_click=_instead,
                    args=(other,),
                )
                widgets.somebody_else(name, key="naming-distinct", on_click=_distinct, args=(name, other))


def _instead(name: str) -> None:
    """Take the offer: a callback, for it changes an input that is drawn already."""
    st.session_state["naming-name"] = name
    st.session_state[_AT_ONCE] = True


def _distinct(name: str, other: str) -> None:
    """Turn the offer down: the voice only sounds like that person's."""
    st.session_state.setdefault(_DISTINCT, set()).add((name, other))
    st.session_state[_AT_ONCE] = True


def _offer(number: int, stretch: Stretch) -> bool:
    with st.container(horizontal=True, vertical_alignment="center"):
        ticked = st.checkbox(escaped(stretch.label), stretch.chosen, key=f"naming-turn-{number}")
        st.audio(stretch.samples, sample_rate=RATE, width=320)
    return ticked


def _enroll(
    name: str, agreed: bool, chosen: list[Stretch], gallery: Gallery, source: str, named: Named
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
            report = gallery.enroll(
                name,
                [
                    stretch.samples.astype(np.float32) / 32768
                    for stretch in chosen
                    if stretch.samples is not None
                ],
                resources.encoder(),
                consent=Consent.now(consent_text(keep_recordings=False), source, CONSENT_VERSION),
                # When it was said, and not what it was heard as: that may be somebody else's name.
                sources=[f"{source}, {today}, at {clock(stretch.start)}" for stretch in chosen],
                gains_db=[stretch.gain_db for stretch in chosen],
                distinct_from=[other for one, other in st.session_state.get(_DISTINCT, ()) if one == name],
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
