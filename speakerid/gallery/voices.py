"""Whether the recordings of one enrollment hold one voice: in turn, by their windows; at once, by a head."""

from collections.abc import Sequence

import numpy as np

from speakerid.audio.format import RATE
from speakerid.gallery.exemplars import MAX_WINDOWS, Embedder, Spoken
from speakerid.gallery.voiceprint import unit
from speakerid.model.overlap import WINDOW_SECONDS, OverlapHead

TWO_VOICES = 0.40  # two groups of windows whose means agree less than this are two voices
TWO_VOICES_SHORT = 0.20  # the same where there is little speech, as the means of few windows scatter
SHORT_SECONDS, LONG_SECONDS = 8.5, 10.0  # of speech, between which the one limit goes over into the other
AT_ONCE = 0.0  # mean log-odds of the windows from which on two voices are heard at once
MORE_THAN_ONE = (
    "More than one voice is heard: enroll each person from recordings in which nobody else speaks."
)


def voice_windows(spoken: Sequence[Spoken], encoder: Embedder) -> np.ndarray:
    """Unit embeddings [m, d] of short windows, which seldom hold two voices in turn."""
    pieces: list[np.ndarray] = []
    for part in spoken:
        size = min(round(WINDOW_SECONDS * RATE), len(part.samples))
        starts = range(0, len(part.samples) - size + 1, max(size // 2, 1))
        pieces += [part.samples[start : start + size] for start in starts]
    if len(pieces) > MAX_WINDOWS:  # evenly over everything that was said
        pieces = [pieces[i] for i in np.linspace(0, len(pieces) - 1, MAX_WINDOWS).round().astype(int)]
    return unit(encoder.embed(pieces))


def more_than_one(windows: np.ndarray, seconds: float, model_id: str) -> bool:
    """Whether windows [m, d] out of so many seconds of speech are of more than one voice."""
    return (
        agreement_of_voices(windows) < two_voices_limit(seconds) or odds_at_once(windows, model_id) > AT_ONCE
    )


def odds_at_once(windows: np.ndarray, model_id: str) -> float:
    """Mean log-odds that windows [m, d] hold two voices at once; minus infinity where the model has no head
    that could tell."""
    head = OverlapHead.load(model_id)
    return -np.inf if head is None else float(head.log_odds(windows).mean())


def two_voices_limit(seconds: float) -> float:
    """The agreement below which so many seconds of speech count as two voices."""
    limits = (TWO_VOICES_SHORT, TWO_VOICES)
    return float(np.interp(seconds, (SHORT_SECONDS, LONG_SECONDS), limits))


def agreement_of_voices(windows: np.ndarray) -> float:
    """Cosine between the means of the two groups that the windows [m, d] fall into; 1.0 below two windows.

    Two-means from the pair least alike: within one voice the two means agree, between two voices they do not.
    """
    if len(windows) < 2:
        return 1.0
    alike = windows @ windows.T
    centers = windows[list(np.unravel_index(int(alike.argmin()), alike.shape))]
    for _ in range(10):
        second = (windows @ centers[1]) > (windows @ centers[0])
        if second.all() or not second.any():
            return 1.0
        centers = unit(np.stack([windows[~second].mean(axis=0), windows[second].mean(axis=0)]))
    return float(centers[0] @ centers[1])
