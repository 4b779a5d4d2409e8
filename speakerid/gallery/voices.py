"""Whether the recordings of one enrollment hold one voice: in turn, by their phrases and windows; at once, by
a head."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from speakerid.audio.format import RATE
from speakerid.gallery.exemplars import Embedder, Spoken, spread
from speakerid.gallery.voiceprint import unit
from speakerid.model.limits import Limits
from speakerid.model.overlap import WINDOW_SECONDS, OverlapHead

FEWEST_FOR_CHANGE = 7  # windows; the scatter of fewer is no measure
FEWEST_AT_ONCE = 6  # windows; the mean of fewer scatters too much to refuse anybody for it
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


def voice_windows(spoken: Sequence[Spoken], encoder: Embedder) -> np.ndarray:
    """Unit embeddings [m, d] of short windows, which seldom hold two voices in turn."""
    pieces: list[np.ndarray] = []
    for part in spoken:
        size = min(round(WINDOW_SECONDS * RATE), len(part.samples))
        starts = range(0, len(part.samples) - size + 1, max(size // 2, 1))
        pieces += [part.samples[start : start + size] for start in starts]
    return unit(encoder.embed(spread(pieces)))


def more_than_one(phrases: Phrases, windows: np.ndarray, model_id: str, limits: Limits) -> bool:
    """Whether phrases and windows [m, d] of one enrollment are of more than one voice."""
    apart, alike = change_of_voice(windows)
    changed = apart > limits.change and alike < limits.changed
    in_groups = agreement_of_voices(phrases, limits.per_doubling) < limits.two_voices
    return changed or in_groups or odds_at_once(windows, model_id) > limits.at_once


def odds_at_once(windows: np.ndarray, model_id: str) -> float:
    """Mean log-odds that windows [m, d] hold two voices at once; minus infinity where nobody can tell, as the
    windows are too few or the model has no head for it."""
    head = OverlapHead.load(model_id)
    if head is None or len(windows) < FEWEST_AT_ONCE:
        return -np.inf
    return float(head.log_odds(windows).mean())


def change_of_voice(windows: np.ndarray) -> tuple[float, float]:
    """Where windows [m, d], in order, are likeliest to change to another voice: how far apart both sides are,
    and the cosine of their means; 0 and 1 where there are too few windows to tell.

    The distance is Hotelling's T² (1931) with one variance for all directions: of the two means, squared, in
    units of the scatter around them that chance would leave.
    """
    best = 0.0, 1.0
    if len(windows) < FEWEST_FOR_CHANGE:
        return best
    for at in range(2, len(windows) - 2):  # the window in the middle hears both
        first, second = windows[:at], windows[at + 1 :]
        between = float(np.square(first.mean(axis=0) - second.mean(axis=0)).sum())
        within = np.concatenate([first - first.mean(axis=0), second - second.mean(axis=0)])
        weight = len(first) * len(second) / (len(first) + len(second))
        apart = weight * between / max(float(np.square(within).sum()) / len(within), 1e-9)
        if apart > best[0]:
            best = apart, float(unit(first.mean(axis=0)) @ unit(second.mean(axis=0)))
    return best


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
