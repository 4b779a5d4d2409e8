"""`speakerid.compare`: is this one voice, or are these two?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from speakerid.audio.format import RATE
from speakerid.errors import AudioError
from speakerid.identify.decision import sure
from speakerid.identify.scoring import Scorer

if TYPE_CHECKING:
    from speakerid.model.embedder import Embedder

Voice = str | Path | np.ndarray | Sequence["str | Path | np.ndarray"]
"""Recordings of one person: a file, float32 [n] at 16 kHz, or several of either."""


@dataclass(frozen=True)
class Comparison:
    """How much two voices sound like one.

    Attributes:
        probability: that it is one person (0..1), where either is as likely beforehand.
        llr: natural log-likelihood ratio, one person against two; for other odds beforehand.
        cosine: of the two embeddings, -1..1.
        seconds: of speech in each.
        calibrated: whether the probability can be taken at its word; False for a model without calibration.
    """

    probability: float
    llr: float
    cosine: float
    seconds: tuple[float, float]
    calibrated: bool

    def __repr__(self) -> str:
        return f"<Comparison {sure(self.probability)} one person, cosine {self.cosine:.2f}>"


@dataclass(frozen=True)
class _Profiled:
    name: str
    embeddings: np.ndarray
    seconds: np.ndarray


def compare(a: Voice, b: Voice, encoder: "Embedder | None" = None) -> Comparison:
    """Compare two voices, from recordings in which one person speaks each.

    Args:
        a: recordings of the one: a file, an array float32 [n] at 16 kHz, or a list of either.
        b: of the other.
        encoder: the model; the bundled one by default.

    Raises:
        AudioError: a recording cannot be read, or nobody speaks in one.
        ModelError: an array is not sound, or the model cannot be loaded.
    """
    encoder = encoder or _bundled()
    scorer = Scorer.for_model(encoder.id)
    one, other = (_profile(name, voice, encoder) for name, voice in (("first", a), ("second", b)))
    # Window by window, for the calibration knows windows of up to 3 s: the mean of what they say, not the
    # sum, since windows of one recording are no independent witnesses. Either may be the one that is tested;
    # the mean of both ways makes the order of the two mean nothing.
    ways = [
        scorer.score(test.embeddings, test.seconds, scorer.profiles([enrolled])).llr.mean()
        for test, enrolled in ((one, other), (other, one))
    ]
    llr = float(np.mean(ways))
    cosine = float(_center(one) @ _center(other))
    seconds = (float(one.seconds.sum()), float(other.seconds.sum()))
    return Comparison(1 / (1 + math.exp(-max(-700.0, llr))), llr, cosine, seconds, scorer.calibrated)


def _profile(name: str, voice: Voice, encoder: "Embedder") -> _Profiled:
    from speakerid.audio.loading import load
    from speakerid.audio.vad import speech_probabilities
    from speakerid.gallery.enrollment import spoken_spans, without_silence
    from speakerid.gallery.exemplars import Spoken, embed_speech
    from speakerid.model.encoder import MIN_SECONDS, is_array

    several = voice
    if isinstance(voice, str | Path) or (isinstance(voice, np.ndarray) and voice.ndim == 1):
        several = [voice]
    spoken: list[Spoken] = []
    for one in cast("Sequence[str | Path | np.ndarray]", several):
        samples = load(one) if isinstance(one, str | Path) else one
        if is_array(samples) and samples.ndim == 1 and np.isfinite(samples).all():
            heard = speech_probabilities(samples)
            if spoken_spans(heard, len(samples) / RATE):
                samples = without_silence(np.asarray(samples, np.float32), heard)
            else:
                continue
            if len(samples) >= MIN_SECONDS * RATE:
                spoken.append(Spoken(samples, len(samples) / RATE, ""))
        else:
            encoder.embed([samples])  # says what is wrong with it
    if not spoken:
        raise AudioError(f"Nobody speaks in the {name} recording: give some seconds of speech.")
    windows, _ = embed_speech(spoken, encoder)
    return _Profiled(name, windows.embeddings, windows.seconds)


def _center(voice: _Profiled) -> np.ndarray:
    mean = voice.embeddings.mean(axis=0)
    return mean / np.linalg.norm(mean)


@lru_cache(maxsize=1)
def _bundled() -> "Embedder":
    from speakerid.model import Encoder

    return Encoder.load()
