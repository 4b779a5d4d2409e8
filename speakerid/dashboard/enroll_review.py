"""What came of a recording on the Enroll page: measures, picture, playback, keep or record again, the "
"answer."""

import streamlit as st

from speakerid.audio.format import RATE
from speakerid.audio.quality import Quality
from speakerid.dashboard import resources, widgets
from speakerid.dashboard.enroll import Take
from speakerid.dashboard.enroll_prompts import CONSENT, CONSENT_VERSION
from speakerid.dashboard.enroll_session import Enrollment
from speakerid.dashboard.widgets import Tone
from speakerid.errors import EnrollmentRefused, SpeakerIdError
from speakerid.gallery import MIN_SPEECH_SECONDS, Consent, EnrollmentReport
from speakerid.gallery.enrollment import MAX_CLIPPED, MIN_SNR_DB, POOR_SNR_DB
from speakerid.gallery.names import name_key


def draw(enrollment: Enrollment, takes: list[Take], *, name: str, consented: bool, source: str) -> None:
    """Draw the result, or nothing while there is none.

    Args:
        takes: the recordings of this one person.
        name: as typed; may be empty.
        consented: whether the consent is ticked.
        source: how the recordings came in ("browser", "microphone" …); stored with the consent.
    """
    with st.container(key="enroll-result"):
        if enrollment.report:
            _stored(enrollment, enrollment.report)
        elif takes:
            _review(enrollment, takes, name=name, consented=consented, source=source)


def _review(enrollment: Enrollment, takes: list[Take], *, name: str, consented: bool, source: str) -> None:
    with st.container(key="card-review"):
        widgets.label("Your recording" if len(takes) == 1 else f"{len(takes)} recordings")
        widgets.tiles(measures([take.quality for take in takes]))
        for number, take in enumerate(takes):
            if len(takes) > 1:
                st.caption(f"{take.name} · {take.quality.speech_seconds:.1f} s of speech")
            widgets.waveform(take.samples, take.speech, rate=RATE)
            st.audio(take.samples, sample_rate=RATE)
            for warning in take.warnings:
                st.caption(f":material/info: {warning}")
            if number == 4 and len(takes) > 5:
                st.caption(f"… and {len(takes) - 5} more")
                break
        _existing(name)
        place = st.container()
        with st.container(horizontal=True):
            save = st.button("Save voiceprint", key="enroll-save", type="primary", icon=":material/check:")
            if enrollment.take and st.button("Record again", key="enroll-again", icon=":material/replay:"):
                enrollment.close()
                st.rerun()
        if save:
            with place:
                _save(enrollment, takes, name=name, consented=consented, source=source)
        with place:
            for reason in enrollment.reasons:
                st.error(reason, icon=":material/block:")


def _save(enrollment: Enrollment, takes: list[Take], *, name: str, consented: bool, source: str) -> None:
    """Enroll, or say what is missing."""
    enrollment.reasons = []
    if not name.strip():
        enrollment.reasons.append("A name is missing: type whose voice this is at the top, then save again.")
    if not consented:
        enrollment.reasons.append(
            "The consent is missing: tick it at the top once the person agrees, then save again."
        )
    if enrollment.reasons:
        return
    try:
        with st.spinner("Making the voiceprint …"):
            report = resources.gallery().enroll(
                name,
                [take.samples for take in takes],
                resources.encoder(),
                consent=Consent.now(f"{CONSENT} (version {CONSENT_VERSION})", source),
                sources=[take.name for take in takes],
            )
    except EnrollmentRefused as refused:
        enrollment.reasons = refused.reasons
    except SpeakerIdError as error:
        enrollment.reasons = [str(error)]
    else:
        enrollment.close()
        enrollment.report = report
        enrollment.clear_inputs = True
        enrollment.round += 1
        st.rerun()


def _stored(enrollment: Enrollment, report: EnrollmentReport) -> None:
    with st.container(key="card-stored"):
        widgets.label("Saved")
        st.subheader(f"{report.name} is enrolled", anchor=False)
        st.write(
            f"{report.speech_seconds:.1f} seconds of speech made {_count(report.added, 'exemplar')} of this "
            f"voice; the voiceprint now has {report.exemplars}. The recording was not kept."
        )
        widgets.tiles(measures(report.quality))
        for warning in report.warnings:
            st.warning(warning, icon=":material/info:")
        with st.container(horizontal=True):
            if st.button("Enroll another voice", key="enroll-next", icon=":material/person_add:"):
                enrollment.next_person()
                st.rerun()
            widgets.go("pages/2_Live.py", "Go live", ":material/graphic_eq:", first=True)


def _existing(name: str) -> None:
    """Say so if the name is taken: saving adds to that person's voiceprint."""
    wanted = name_key(name)
    for person in resources.gallery().speakers() if wanted else ():
        if name_key(person.name) == wanted:
            st.info(
                f"{person.name} is enrolled already; saving adds this recording to that voiceprint. "
                "Different rooms and microphones make it better.",
                icon=":material/group_add:",
            )


def measures(qualities: list[Quality]) -> list[tuple[str, str, str, Tone]]:
    """The tiles for one or several recordings: speech adds up, the rest shows the worst."""
    speech = sum(q.speech_seconds for q in qualities)
    level = min(q.level_dbfs for q in qualities)
    clipped = max(q.clipped for q in qualities)
    snr = min(q.snr_db for q in qualities)
    return [
        ("Speech", f"{speech:.1f} s", *_judge_speech(speech)),
        ("Level", f"{level:.0f} dB", *_judge_level(level)),
        ("Clipping", f"{100 * clipped:.1f} %", *_judge_clipping(clipped)),
        ("Above the noise", f"{snr:.0f} dB", *_judge_noise(snr)),
    ]


def _judge_speech(seconds: float) -> tuple[str, Tone]:
    if seconds < MIN_SPEECH_SECONDS:
        return f"at least {MIN_SPEECH_SECONDS:.0f} s needed", "bad"
    return ("enough", "good") if seconds >= 10 else ("enough; more is better", "good")


def _judge_level(level: float) -> tuple[str, Tone]:
    if level < -45:
        return "too quiet: come closer", "warn"
    return ("very loud", "warn") if level > -8 else ("good", "good")


def _judge_clipping(share: float) -> tuple[str, Tone]:
    if share > MAX_CLIPPED:
        return "distorted: turn down", "bad"
    return ("slight", "warn") if share > 0.001 else ("none", "good")


def _judge_noise(snr: float) -> tuple[str, Tone]:
    if snr < MIN_SNR_DB:
        return "too noisy", "bad"
    return ("some noise", "warn") if snr < POOR_SNR_DB else ("clear", "good")


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
