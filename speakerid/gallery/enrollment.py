"""From recordings to exemplar embeddings: what a good voiceprint is made of, and what is refused.

A bad voiceprint spoils every later answer, so whatever would make one is refused with the way to do better.
The limits below are of recordings; those of voices belong to the model (model/limits.py). `python -m
speakerid quality-gate MANIFEST.csv` shows what each of them refuses and accepts with the model in use.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from speakerid.audio.format import RATE
from speakerid.errors import EnrollmentRefused, GalleryError
from speakerid.gallery.exemplars import Exemplars, Spoken, embed_speech
from speakerid.gallery.pauses import LOUD_PAUSES_DB, speech_above_pauses
from speakerid.gallery.segmented import segmented
from speakerid.gallery.voices import MORE_THAN_ONE, embed_phrases, more_than_one, phrases_of
from speakerid.model.embedder import Embedder
from speakerid.model.limits import TYPICAL, Limits, limits_of

if TYPE_CHECKING:
    from speakerid.audio.quality import Quality

MIN_SPEECH_SECONDS = 5.0  # of speech with its short pauses, added up over the recordings of one enrollment
MAX_CLIPPED = 0.01  # share of clipped samples above which a recording is not used
MIN_SNR_DB = 8.0  # below it a recording is not used: the noise would become part of the voiceprint
POOR_SNR_DB = 15.0  # below it a recording is used with a warning
TOO_QUIET_DBFS = -58.0  # speech that came in below it is not used: of most microphones, noise is left there
SILENT_DBFS = -60.0  # a recording below this level holds no sound at all
LONGEST_PAUSE_SECONDS = 0.5  # a longer pause is cut down to this


@dataclass(frozen=True)
class EnrollmentReport:
    """What an enrollment stored.

    Attributes:
        name: the person, as stored.
        added: exemplars made from these recordings that were kept.
        exemplars: exemplars the person has now.
        speech_seconds: speech in the recordings that were used.
        quality: measures of each recording given, in the order given.
        warnings: what could be better, one sentence each.
    """

    name: str
    added: int
    exemplars: int
    speech_seconds: float
    quality: "list[Quality]"
    warnings: list[str]


@dataclass(frozen=True)
class Examined:
    """What was found in the recordings of one enrollment."""

    exemplars: Exemplars
    windows: np.ndarray  # float32 [m, d]: embeddings of all windows of speech
    speech_seconds: float
    quality: "list[Quality]"
    warnings: list[str]
    used: tuple[int, ...]  # the recordings that were good enough, by their place
    limits: Limits = TYPICAL  # of the model that embedded them


def examine(
    blocks: Sequence[np.ndarray],
    encoder: Embedder,
    sources: Sequence[str],
    recordings: Sequence[str] = (),
    gains_db: Sequence[float] = (),
) -> Examined:
    """Measure recordings and embed their speech.

    Args:
        blocks: one [samples] array a recording, 16 kHz mono, -1..1.
        encoder: the model that makes the embeddings.
        sources: one label a recording, used in messages and kept with the exemplars.
        recordings: the id under which each recording is kept, where they are kept.
        gains_db: by how much each recording was raised when it came in, where that is known.

    Raises:
        EnrollmentRefused: silent, too quiet, too little speech, clipped, too noisy, music in the pauses, or
            more than one voice.
        GalleryError: if a recording is not a one-dimensional array of finite numbers.
    """
    from speakerid.audio.quality import measure
    from speakerid.audio.sameness import same_recording
    from speakerid.audio.vad import speech_probabilities

    samples = [_as_samples(block, source) for block, source in zip(blocks, sources, strict=True)]
    heard = [speech_probabilities(block) for block in samples]
    quality = [measure(block, probabilities) for block, probabilities in zip(samples, heard, strict=True)]
    spoken: list[Spoken] = []
    phrases: list[np.ndarray] = []
    refusals: list[str] = []
    warnings: list[str] = []
    used: list[int] = []
    for index, (block, probabilities, source, measured) in enumerate(
        zip(samples, heard, sources, quality, strict=True)
    ):
        before = next((place for place in used if same_recording(samples[place], block)), None)
        if before is not None:
            warnings.append(f'"{source}" is the same recording as "{sources[before]}": it counts once.')
            continue
        refusal = _refusal(source, measured, gains_db[index] if gains_db else 0.0)
        if not refusal and speech_above_pauses(block, probabilities) < LOUD_PAUSES_DB:
            refusal = (
                f'Music or something else is heard in the pauses of "{source}", nearly as loud as the '
                "speech: switch it off or record in a quieter place."
            )
        if refusal:
            refusals.append(refusal)
            continue
        if measured.snr_db < POOR_SNR_DB:
            warnings.append(f'There is noise in "{source}": a quieter place would make a better voiceprint.')
        speech = without_silence(block, probabilities)
        spoken.append(Spoken(speech, len(speech) / RATE, source, recordings[index] if recordings else ""))
        phrases += phrases_of(block, probabilities)
        used.append(index)
    seconds = sum(part.seconds for part in spoken)
    if seconds < MIN_SPEECH_SECONDS:
        if spoken or not refusals:
            counted = int(seconds * 10) / 10  # rounded down: 4.98 s are not "5.0 seconds"
            refusals.append(
                f"There are {counted:.1f} seconds of usable speech and {MIN_SPEECH_SECONDS:g} are needed: "
                "record a longer piece, or add another recording."
            )
        raise EnrollmentRefused(refusals)
    warnings = [f"{refusal} It was left out." for refusal in refusals] + warnings
    windows, whole = embed_speech(spoken, encoder)
    limits = limits_of(encoder.id)
    heard_apart = segmented([samples[place] for place in used])
    if more_than_one(embed_phrases(phrases, encoder), heard_apart, encoder, limits):
        raise EnrollmentRefused([MORE_THAN_ONE])
    return Examined(whole.join(windows), windows.embeddings, seconds, quality, warnings, tuple(used), limits)


def _as_samples(block: np.ndarray, source: str) -> np.ndarray:
    samples = np.asarray(block)
    if samples.ndim != 1 or samples.dtype.kind != "f":
        raise GalleryError(f'"{source}" is not mono audio: give an array [samples] of floats at 16 kHz.')
    if not np.isfinite(samples).all():
        raise GalleryError(f'"{source}" holds values that are not numbers: record it again.')
    return samples.astype(np.float32, copy=False)


def _refusal(source: str, measured: "Quality", gain_db: float = 0.0) -> str | None:
    """Why a recording cannot be used, if it cannot."""
    if measured.seconds == 0 or measured.level_dbfs < SILENT_DBFS:
        return f'"{source}" is silent: check that the right microphone is chosen and not muted.'
    if measured.speech_seconds == 0:
        return (
            f'No speech is heard in "{source}", only music, noise or other sounds: choose another recording, '
            "or speak in a normal voice, close to the microphone."
        )
    level = measured.level_dbfs - gain_db
    if level < TOO_QUIET_DBFS:
        return (
            f'"{source}" is too quiet ({level:.0f} dB): come closer to the microphone or turn it up, and '
            "record again."
        )
    if measured.clipped > MAX_CLIPPED:
        return (
            f'"{source}" is clipped ({100 * measured.clipped:.0f} % of it is at full scale): '
            "lower the microphone's level or move back from it, and record again."
        )
    if measured.snr_db < MIN_SNR_DB:
        return f'"{source}" is too noisy: record in a quieter place or closer to the microphone.'
    return None


def spoken_spans(probabilities: np.ndarray, seconds: float) -> list[tuple[float, float]]:
    """What of a recording counts as speech: (start, end) in seconds, its short pauses included.

    Args:
        probabilities: of speech, one a frame of the recording (`speakerid.audio.vad`).
        seconds: the recording's length.
    """
    from speakerid.audio.vad import segments

    return segments(probabilities, seconds, pad=LONGEST_PAUSE_SECONDS / 2)


def without_silence(samples: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """The speech of a recording, with pauses up to LONGEST_PAUSE_SECONDS: the Listener hears those too."""
    spans = spoken_spans(probabilities, len(samples) / RATE)
    return np.concatenate([samples[round(start * RATE) : round(end * RATE)] for start, end in spans])
