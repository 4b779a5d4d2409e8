"""Two people in one recording: one after the other, sentence by sentence, or at once."""

from itertools import chain

import numpy as np

from speakerid.audio.format import RATE

SENTENCE_SECONDS = 3.5  # about what is said before the other one has the word


def in_turn(mine: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """The first half of the shorter recording's length [n] from the one, as much from the other."""
    half = min(len(mine), len(theirs)) // 2
    return np.concatenate([mine[:half], theirs[:half]])


def by_sentences(mine: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """In turn at the pauses while both have something to say, at most as long as the shorter one [n]."""
    pairs = zip(_sentences(mine), _sentences(theirs), strict=False)
    return np.concatenate([mine[:0], *chain.from_iterable(pairs)])[: min(len(mine), len(theirs))]


def at_once(mine: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Both equally loud, as long as the shorter one [n]."""
    length = min(len(mine), len(theirs))
    louder = np.std(mine[:length]) / max(float(np.std(theirs[:length])), 1e-6)
    return 0.5 * (mine[:length] + louder * theirs[:length]).astype(np.float32)


def _sentences(samples: np.ndarray) -> list[np.ndarray]:
    """Cut at pauses, neighbours put together up to SENTENCE_SECONDS."""
    from speakerid.audio.vad import segments, speech_probabilities

    spans: list[tuple[float, float]] = []
    for start, end in segments(speech_probabilities(samples), len(samples) / RATE, pad=0.1):
        if spans and end - spans[-1][0] < SENTENCE_SECONDS:
            spans[-1] = spans[-1][0], end
        else:
            spans.append((start, end))
    return [samples[round(start * RATE) : round(end * RATE)] for start, end in spans]
