"""From recordings to exemplar embeddings: what a good voiceprint is made of, and what is refused.

A bad voiceprint spoils every later answer, so whatever would make one is refused with the way to do better.
The limits below are cosines between unit embeddings and shares of a recording.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from speakerid.audio.format import RATE
from speakerid.errors import EnrollmentRefused, GalleryError
from speakerid.gallery.exemplars import Embedder, Exemplars, Spoken, embed_speech
from speakerid.gallery.voiceprint import Voiceprint, unit

if TYPE_CHECKING:
    from speakerid.audio.quality import Quality

MIN_SPEECH_SECONDS = 5.0  # of speech with its short pauses, added up over the recordings of one enrollment
MAX_CLIPPED = 0.01  # share of clipped samples above which a recording is not used
MIN_SNR_DB = 3.0  # below it a recording is not used: the noise would become part of the voiceprint
POOR_SNR_DB = 10.0  # below it a recording is used with a warning
SILENT_DBFS = -60.0  # a recording below this level holds no sound at all
LONGEST_PAUSE_SECONDS = 0.5  # a longer pause is cut down to this
TWO_VOICES = 0.25  # two groups of windows whose means agree less than this are two voices
OTHER_VOICE = 0.85  # agreement with somebody enrolled from which on the voice counts as theirs
SAME_VOICE = 0.40  # a new recording must agree at least this much with what its person enrolled before


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


def examine(blocks: Sequence[np.ndarray], encoder: Embedder, sources: Sequence[str]) -> Examined:
    """Measure recordings and embed their speech.

    Args:
        blocks: one [samples] array a recording, 16 kHz mono, -1..1.
        encoder: the model that makes the embeddings.
        sources: one label a recording, used in messages and kept with the exemplars.

    Raises:
        EnrollmentRefused: silent, too little speech, clipped, too noisy, or more than one voice.
        GalleryError: if a recording is not a one-dimensional array of finite numbers.
    """
    from speakerid.audio.quality import measure
    from speakerid.audio.vad import speech_probabilities

    samples = [_as_samples(block, source) for block, source in zip(blocks, sources, strict=True)]
    heard = [speech_probabilities(block) for block in samples]
    quality = [measure(block, probabilities) for block, probabilities in zip(samples, heard, strict=True)]
    spoken: list[Spoken] = []
    refusals: list[str] = []
    warnings: list[str] = []
    for block, probabilities, source, measured in zip(samples, heard, sources, quality, strict=True):
        refusal = _refusal(source, measured)
        if refusal:
            refusals.append(refusal)
            continue
        if measured.snr_db < POOR_SNR_DB:
            warnings.append(f'There is noise in "{source}": a quieter place would make a better voiceprint.')
        speech = _without_silence(block, probabilities)
        spoken.append(Spoken(speech, len(speech) / RATE, source))
    seconds = sum(part.seconds for part in spoken)
    if seconds < MIN_SPEECH_SECONDS:
        if spoken or not refusals:
            refusals.append(
                f"There are {seconds:.1f} seconds of usable speech and {MIN_SPEECH_SECONDS:g} are needed: "
                "record a longer piece, or add another recording."
            )
        raise EnrollmentRefused(refusals)
    warnings = [f"{refusal} It was left out." for refusal in refusals] + warnings
    windows, whole = embed_speech(spoken, encoder)
    if _agreement_of_halves(windows.embeddings) < TWO_VOICES:
        raise EnrollmentRefused(
            ["More than one voice is heard: enroll each person from recordings in which nobody else speaks."]
        )
    return Examined(whole.join(windows), windows.embeddings, seconds, quality, warnings)


def check_owner(examined: Examined, name: str, own: Voiceprint | None, others: Sequence[Voiceprint]) -> None:
    """Refuse a voice that is already somebody else's, or not the one this person enrolled before.

    Args:
        examined: the recordings.
        name: the person to enroll.
        own: what this person enrolled before, if anything.
        others: everybody else, made by the same model.

    Raises:
        EnrollmentRefused: naming the other person.
    """
    voice = unit(examined.windows.mean(axis=0))
    with_own = float(own.centroid @ voice) if own else -1.0
    if others:
        scores = np.stack([other.centroid for other in others]) @ voice
        nearest = int(scores.argmax())
        if scores[nearest] >= OTHER_VOICE and scores[nearest] > with_own:
            other = others[nearest].name
            raise EnrollmentRefused(
                [f'This is the voice of "{other}", who is enrolled: add the recording to "{other}" instead.']
            )
    if own and with_own < SAME_VOICE:
        raise EnrollmentRefused(
            [
                f'This does not sound like the voice that "{name}" enrolled before: '
                "choose another name, or remove the old voiceprint first."
            ]
        )


def _as_samples(block: np.ndarray, source: str) -> np.ndarray:
    samples = np.asarray(block)
    if samples.ndim != 1 or samples.dtype.kind != "f":
        raise GalleryError(f'"{source}" is not mono audio: give an array [samples] of floats at 16 kHz.')
    if not np.isfinite(samples).all():
        raise GalleryError(f'"{source}" holds values that are not numbers: record it again.')
    return samples.astype(np.float32, copy=False)


def _refusal(source: str, measured: "Quality") -> str | None:
    """Why a recording cannot be used, if it cannot."""
    if measured.seconds == 0 or measured.level_dbfs < SILENT_DBFS:
        return f'"{source}" is silent: check that the right microphone is chosen and not muted.'
    if measured.speech_seconds == 0:
        return f'No speech is heard in "{source}": speak in a normal voice, close to the microphone.'
    if measured.clipped > MAX_CLIPPED:
        return (
            f'"{source}" is clipped ({100 * measured.clipped:.0f} % of it is at full scale): '
            "lower the microphone's level or move back from it, and record again."
        )
    if measured.snr_db < MIN_SNR_DB:
        return f'"{source}" is too noisy: record in a quieter place or closer to the microphone.'
    return None


def _without_silence(samples: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """The speech of a recording, with pauses up to LONGEST_PAUSE_SECONDS: the Listener hears those too."""
    from speakerid.audio.vad import segments

    spans = segments(probabilities, len(samples) / RATE, pad=LONGEST_PAUSE_SECONDS / 2)
    return np.concatenate([samples[round(start * RATE) : round(end * RATE)] for start, end in spans])


def _agreement_of_halves(rows: np.ndarray) -> float:
    """Cosine between the means of the two groups that the windows [m, d] fall into; 1.0 below two windows.

    Two-means from the pair least alike: within one voice the two means agree, between two voices they do not.
    """
    if len(rows) < 2:
        return 1.0
    alike = rows @ rows.T
    centers = rows[list(np.unravel_index(int(alike.argmin()), alike.shape))]
    for _ in range(10):
        second = (rows @ centers[1]) > (rows @ centers[0])
        if second.all() or not second.any():
            return 1.0
        centers = unit(np.stack([rows[~second].mean(axis=0), rows[second].mean(axis=0)]))
    return float(centers[0] @ centers[1])
