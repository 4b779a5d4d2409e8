"""What came of a recording on the Enroll page: measures, pictures, playback, the answer and the way on."""

from dataclasses import replace

import streamlit as st

from speakerid.audio.format import RATE
from speakerid.dashboard.enroll import spectrogram
from speakerid.dashboard.enroll.session import Enrollment
from speakerid.dashboard.enroll.take import Take
from speakerid.dashboard.shared import access, enrolled, resources, widgets
from speakerid.dashboard.shared.escaping import escaped
from speakerid.dashboard.shared.widgets import Tone
from speakerid.errors import EnrollmentRefused, SpeakerIdError
from speakerid.gallery import MIN_SPEECH_SECONDS, Consent, EnrollmentReport
from speakerid.gallery.enrollment import MAX_CLIPPED, MIN_SNR_DB, POOR_SNR_DB, TOO_QUIET_DBFS
from speakerid.gallery.names import free_name, name_key
from speakerid.plural import counted

_PICTURES = 5  # recordings shown with picture and player


def draw(
    enrollment: Enrollment, takes: list[Take], *, name: str, consented: bool, keep: bool, source: str
) -> None:
    """Draw the result, or nothing while there is none.

    Args:
        takes: the recordings of this one person.
        name: as typed; may be empty.
        consented: whether the consent is ticked.
        keep: whether the person agreed that the recordings are kept too.
        source: how the recordings came in ("browser", "microphone" …); stored with the consent.
    """
    with st.container(key="enroll-result"):
        if enrollment.report and not takes:
            _stored(enrollment, enrollment.report)
        elif takes:
            agreed = Consent.given(source, keep_recordings=keep)
            consent = replace(agreed, keep_recordings=keep) if consented else None
            _review(enrollment, takes, name, consent)


def _review(enrollment: Enrollment, takes: list[Take], name: str, consent: Consent | None) -> None:
    with st.container(key="card-review"):
        widgets.label("Your recording" if len(takes) == 1 else counted(len(takes), "recording"))
        widgets.tiles(measures(takes))
        for number, take in enumerate(takes[:_PICTURES]):
            _recording(number, take, alone=len(takes) == 1)
        if len(takes) > _PICTURES:
            st.caption(f"… and {len(takes) - _PICTURES} more")
        enrolled.tell(name, resources.gallery(), "enroll-name")
        place = st.container()
        with st.container(horizontal=True, vertical_alignment="center"):
            save = st.button("Save voiceprint", key="enroll-save", type="primary", icon=":material/check:")
            go_live = st.button("Save and go live", key="enroll-live", icon=":material/graphic_eq:")
            if enrollment.take and st.button("Record again", key="enroll-again", icon=":material/replay:"):
                enrollment.close()
                st.rerun()
            enrolled.tell_missing(_missing(takes, name, consent))
        with place:
            if save or go_live or enrollment.save_now:
                _save(enrollment, takes, name, consent, go_live=go_live)
            _refusal(enrollment, name)


def _missing(takes: list[Take], name: str, consent: Consent | None) -> list[str]:
    lacks = enrolled.missing(name, consent is not None, resources.gallery())
    if sum(take.speech_seconds for take in takes) < MIN_SPEECH_SECONDS:
        lacks.append(f"more speech, {MIN_SPEECH_SECONDS:.0f} s at least")
    return lacks


def _recording(number: int, take: Take, *, alone: bool) -> None:
    """One recording: its shape with the speech marked, the player, the spectrogram when it is asked for."""
    if not alone:
        st.caption(f"{escaped(take.name)} · {take.speech_seconds:.1f} s of speech")
    widgets.waveform(take.samples, take.speech, rate=RATE)
    left, right = st.columns([4, 1], vertical_alignment="center")
    left.audio(take.samples, sample_rate=RATE)
    if right.toggle("Spectrogram", key=f"enroll-spectrogram-{number}"):
        st.image(spectrogram.picture(take.samples), width="stretch")
        st.caption(
            f"Time runs to the right, pitch goes up to {spectrogram.TOP_HZ // 1000} kHz, and louder is "
            "brighter. Speech shows as stacked, moving stripes; noise as an even haze."
        )
    for warning in take.warnings:
        st.caption(f":material/info: {escaped(warning)}")


def _refusal(enrollment: Enrollment, name: str) -> None:
    """Why nothing was stored, and the way on."""
    for reason in enrollment.reasons:
        st.error(escaped(reason), icon=":material/block:")
    if offer := enrollment.offer:
        text = (
            f"Add it to {escaped(offer)} instead"
            if enrollment.offer_known
            else f"Save it as “{escaped(offer)}” instead"
        )
        with st.container(horizontal=True):
            st.button(
                text,
                key="enroll-instead",
                icon=":material/person_check:",
                on_click=_instead,
                args=(enrollment,),
            )
            if enrollment.offer_known:
                widgets.somebody_else(
                    name, key="enroll-distinct", on_click=_distinct, args=(enrollment, name)
                )


def _instead(enrollment: Enrollment) -> None:
    """Take the offer: a callback, for it changes an input that is drawn already."""
    st.session_state["enroll-name"] = enrollment.offer
    enrollment.save_now = True


def _distinct(enrollment: Enrollment, name: str) -> None:
    """Turn the offer down: the voice only sounds like that person's."""
    enrollment.distinct.add((name, enrollment.offer))
    enrollment.save_now = True


def _save(
    enrollment: Enrollment, takes: list[Take], name: str, consent: Consent | None, *, go_live: bool
) -> None:
    """Enroll, and go on to the Live page where that is wanted; or say what is missing."""
    missing = []
    if not name.strip():
        missing.append("A name is missing: type whose voice this is at the top, then save again.")
    if not consent:
        missing.append("The consent is missing: tick it at the top once the person agrees, then save again.")
    enrollment.refuse(missing)
    if missing:
        return
    gallery = resources.gallery()
    try:
        with access.acting("operator", "enroll people"), st.spinner("Making the voiceprint …"):
            here = {person.name for person in gallery.speakers()}  # somebody may have removed one by now
            report = gallery.enroll(
                name,
                [take.samples for take in takes],
                resources.encoder(),
                consent=consent,
                sources=[take.name for take in takes],
                keep_recordings=bool(consent and consent.keep_recordings),
                gains_db=[take.gain_db for take in takes],
                distinct_from=[one for of, one in enrollment.distinct if of == name and one in here],
            )
    except EnrollmentRefused as refused:
        offer = refused.belongs_to or (_free_name(name) if refused.other_voice else "")
        enrollment.refuse(refused.reasons, offer=offer, known=bool(refused.belongs_to))
    except SpeakerIdError as error:
        enrollment.refuse([str(error)])
    else:
        enrollment.close()
        enrollment.report = report
        enrollment.clear_inputs = True
        enrollment.round += 1
        if go_live:
            _go_live(consent)
        st.rerun()


def _go_live(consent: Consent | None) -> None:
    """Open the Live page; it listens at once where the browser's microphone is allowed already."""
    if consent and consent.source == "browser":
        from speakerid.dashboard.live import page as live_page

        live_page.listen_at_once()
    st.switch_page("pages/2_Live.py")


def _free_name(name: str) -> str:
    """The name with the first number that makes it one that nobody has."""
    taken = {name_key(person.name) for person in resources.gallery().speakers()}
    return free_name(name, taken)


def _stored(enrollment: Enrollment, report: EnrollmentReport) -> None:
    stored = next((p for p in resources.gallery().speakers() if p.name == report.name), None)
    if stored is None:  # renamed, merged or deleted since: what was saved is no news any more
        enrollment.report = None
        return
    with st.container(key="card-stored"):
        widgets.label("Saved")
        st.subheader(f"{escaped(report.name)} is enrolled", anchor=False)
        used = int(report.speech_seconds * 10) / 10
        st.write(
            f"{used:.1f} seconds of speech were used. The voiceprint now has "
            f"{counted(report.exemplars, 'exemplar')}: "
            "pieces of speech that a live voice is compared with."
        )
        for warning in report.warnings:
            st.warning(escaped(warning), icon=":material/info:")
        if len(set(stored.sources)) == 1:
            st.caption(
                ":material/lightbulb: One more recording, from the room and with the microphone that you "
                f"will use, makes it steadier: type {escaped(report.name)} again as the name."
            )
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button("Enroll another voice", key="enroll-next", icon=":material/person_add:"):
                enrollment.next_person()
                st.rerun()
            widgets.go("pages/2_Live.py", "Go live", ":material/graphic_eq:", first=True)


def measures(takes: list[Take]) -> list[tuple[str, str, str, Tone]]:
    """The tiles for one or several recordings: speech adds up, the rest shows the worst."""
    qualities = [take.quality for take in takes]
    speech = sum(take.speech_seconds for take in takes)
    level = min(take.level_dbfs for take in takes)
    clipped = max(q.clipped for q in qualities)
    snr = min(q.snr_db for q in qualities)
    return [
        ("Speech", f"{int(speech * 10) / 10:.1f} s", *_judge_speech(speech)),
        ("Level", f"{level:.0f} dB", *_judge_level(level)),
        ("Clipping", f"{100 * clipped:.1f} %", *_judge_clipping(clipped)),
        ("Above the noise", f"{snr:.0f} dB", *_judge_noise(snr)),
    ]


def _judge_speech(seconds: float) -> tuple[str, Tone]:
    if seconds < MIN_SPEECH_SECONDS:
        return f"at least {MIN_SPEECH_SECONDS:.0f} s needed", "bad"
    return ("enough", "good") if seconds >= 10 else ("enough; more is better", "good")


def _judge_level(level: float) -> tuple[str, Tone]:
    if level < TOO_QUIET_DBFS:
        return "too quiet: come closer", "bad"
    if level < -45:
        return "quiet: come closer", "warn"
    return ("very loud", "warn") if level > -8 else ("good", "good")


def _judge_clipping(share: float) -> tuple[str, Tone]:
    if share > MAX_CLIPPED:
        return "distorted: turn down", "bad"
    return ("slight", "warn") if share > 0.001 else ("none", "good")


def _judge_noise(snr: float) -> tuple[str, Tone]:
    if snr < MIN_SNR_DB:
        return "too noisy", "bad"
    return ("some noise", "warn") if snr < POOR_SNR_DB else ("clear", "good")
