"""The speaker classification head: for rooms in which everybody is enrolled.

A prototype a person, started from the voiceprint and fine-tuned on the exemplars of everybody by a
large-margin softmax (Wang et al., "Additive margin softmax", arXiv:1801.05599), so that people who sound
alike are told apart by what differs between them. It cannot say "unknown": the open-set decision stays on
calibrated scores.
"""

from collections.abc import Sequence

import numpy as np

from speakerid.identify.scoring import Enrolled

SCALE, MARGIN = 20.0, 0.15
STEPS, RATE = 150, 0.02
STAY = 4.0  # pull back to the voiceprint: a handful of exemplars must not carry a prototype away
FEWEST_EXEMPLARS = 3  # a person; with fewer there is nothing to tune on


def prototypes(people: Sequence[Enrolled], tune: bool = True) -> np.ndarray:
    """Unit prototypes [p, d]: the voiceprints' centers, fine-tuned where there is enough to learn from.

    Args:
        tune: False gives the centers.
    """
    centers = _unit(np.stack([np.asarray(one.embeddings, np.float64).mean(axis=0) for one in people]))
    if not tune or len(people) < 2 or min(len(one.embeddings) for one in people) < FEWEST_EXEMPLARS:
        return centers.astype(np.float32)
    rows = _unit(np.concatenate([np.asarray(one.embeddings, np.float64) for one in people]))
    owner = np.repeat(np.arange(len(people)), [len(one.embeddings) for one in people])
    own = np.eye(len(people))[owner]
    importance = 1 / (own.sum(axis=0)[owner] * len(people))  # people weigh alike, however much they enrolled
    free, first, second = centers.copy(), np.zeros_like(centers), np.zeros_like(centers)
    for step in range(1, STEPS + 1):
        length = np.linalg.norm(free, axis=1, keepdims=True)
        unit = free / length
        logits = SCALE * (rows @ unit.T - MARGIN * own)
        likely = np.exp(logits - logits.max(axis=1, keepdims=True))
        likely /= likely.sum(axis=1, keepdims=True)
        slope = SCALE * ((likely - own) * importance[:, None]).T @ rows + STAY * (unit - centers) / len(
            people
        )
        slope = (slope - unit * (slope * unit).sum(axis=1, keepdims=True)) / length
        first, second = 0.9 * first + 0.1 * slope, 0.99 * second + 0.01 * slope**2  # Adam
        corrected = first / (1 - 0.9**step)
        free -= RATE * corrected / (np.sqrt(second / (1 - 0.99**step)) + 1e-8)
    return _unit(free).astype(np.float32)


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
