"""Whether the recordings of one enrollment hold one voice: in the same recording, as the segmentation hears
them; in several, by the phrases between pauses."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from speakerid.audio.format import RATE
from speakerid.gallery.exemplars import spread
from speakerid.gallery.segmented import MOST_AT_ONCE, Segmented, agreement_of_pairs
from speakerid.gallery.voiceprint import unit
from speakerid.model.embedder import Embedder
from speakerid.model.limits import Limits

MORE_THAN_ONE = (
    "More than one voice is heard: enroll each person from recordings in which nobody else speaks."
)
PAUSE_SECONDS = 0.15  # a shorter pause does not end a phrase
PHRASE_SECONDS = (1.2, 3.0)  # shorter phrases are put together, longer ones cut
SHORTEST_REST = 0.8  # seconds; a shorter rest belongs to the phrase before it
SHORTEST_GROUP = 1.0  # seconds of phrases below which they make no voice of their own
_STARTS = 60  # pairs of phrases that the groups are looked for from


@dataclass(frozen=True)
class Phrases:
    """What was said between pauses, where people seldom take turns: unit embeddings [m, d], seconds [m]."""

    embeddings: np.ndarray
    seconds: np.ndarray


def phrases_of(samples: np.ndarray, probabilities: np.ndarray) -> list[np.ndarray]:
    """Cut a recording [n] at its pauses.

    Args:
        probabilities: of speech, one a frame of the recording (`speakerid.audio.vad`).
    """
    from speakerid.audio.vad import segments

    shortest, longest = (round(seconds * RATE) for seconds in PHRASE_SECONDS)
    phrases: list[np.ndarray] = []
    waiting = np.zeros(0, np.float32)
    for start, end in segments(probabilities, len(samples) / RATE, min_silence=PAUSE_SECONDS, pad=0.05):
        waiting = np.concatenate([waiting, samples[round(start * RATE) : round(end * RATE)]])
        if len(waiting) >= shortest:
            phrases.append(waiting)
            waiting = waiting[:0]
    if phrases and len(waiting) < SHORTEST_REST * RATE:
        phrases[-1] = np.concatenate([phrases[-1], waiting])
    elif len(waiting):
        phrases.append(waiting)
    return [piece for phrase in phrases for piece in np.array_split(phrase, -(-len(phrase) // longest))]


def embed_phrases(pieces: Sequence[np.ndarray], encoder: Embedder) -> Phrases:
    """Embed phrases, those that `spread` leaves."""
    pieces = spread(pieces)
    seconds = np.array([len(piece) / RATE for piece in pieces], np.float32)
    return Phrases(unit(encoder.embed(pieces)), seconds)


def more_than_one(phrases: Phrases, heard: Segmented, encoder: Embedder, limits: Limits) -> bool:
    """Whether an enrollment holds more than one voice, as it was heard and as its phrases agree."""
    if heard.at_once > MOST_AT_ONCE or agreement_of_pairs(heard.pairs, encoder) < limits.apart:
        return True
    return agreement_of_voices(phrases, limits.per_doubling) < limits.two_voices


def agreement_of_voices(phrases: Phrases, per_doubling: float) -> float:
    """Cosine between the means of the two groups that the phrases fall into, less what the seconds in the
    shorter one ask for above two; 1.0 where there are no two groups of SHORTEST_GROUP.

    Two-means, from the pairs least alike; of what they lead to, the groups whose means lie farthest apart for
    their seconds: within one voice these agree, between two voices they do not.
    """
    rows, seconds = phrases.embeddings, phrases.seconds
    alike = rows @ rows.T
    best = 0.0, 1.0
    for one, other in sorted(combinations(range(len(rows)), 2), key=lambda pair: alike[pair])[:_STARTS]:
        second = _two_means(rows, seconds, alike[other] > alike[one])
        parts = float(seconds[~second].sum()), float(seconds[second].sum())
        if min(parts) < SHORTEST_GROUP:
            continue
        means = [seconds[part] @ rows[part] / seconds[part].sum() for part in (~second, second)]
        apart = parts[0] * parts[1] / sum(parts) * float(np.square(means[0] - means[1]).sum())
        if apart > best[0]:
            cosine = float(unit(means[0]) @ unit(means[1]))
            best = apart, cosine - per_doubling * (float(np.log2(np.clip(min(parts), 1, 4))) - 1)
    return best[1]


def _two_means(rows: np.ndarray, seconds: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Which rows [m, d] are of the second of two groups, from a first guess."""
    for _ in range(10):
        if second.all() or not second.any():
            break
        centers = unit(np.stack([seconds[part] @ rows[part] for part in (~second, second)]))
        closer = rows @ centers[1] > rows @ centers[0]
        if (closer == second).all():
            break
        second = closer
    return second
