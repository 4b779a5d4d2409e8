"""Whether two recordings are one: a copy, the same in another format, or louder."""

import numpy as np

from speakerid.audio.format import RATE, Block

_CELL = RATE // 100  # samples of one step of the envelope
_SHIFT = 10  # steps that a codec, or an exporter, may move the sound by
_LIKE = 0.98  # correlation of the envelopes; the same words said again stay below 0.9


def same_recording(one: Block, other: Block) -> bool:
    """Whether two blocks [n], [m] are the same recording, by the course of their level over time."""
    if abs(len(one) - len(other)) > _SHIFT * _CELL:
        return False
    if np.array_equal(one, other):
        return True
    first, second = _envelope(one), _envelope(other)
    size = min(len(first), len(second)) - 2 * _SHIFT
    if size < _SHIFT:
        return False
    middle = first[_SHIFT : _SHIFT + size]
    return any(_likeness(middle, second[at : at + size]) > _LIKE for at in range(2 * _SHIFT + 1))


def _envelope(samples: Block) -> np.ndarray:
    """Level every 10 ms."""
    whole = len(samples) // _CELL * _CELL
    return np.sqrt(np.mean(np.square(samples[:whole].reshape(-1, _CELL), dtype=np.float64), axis=1))


def _likeness(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / scale if scale else 0.0
