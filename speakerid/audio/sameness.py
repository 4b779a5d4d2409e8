"""Whether two recordings are one: a copy, the same in another format, louder, trimmed or padded."""

import numpy as np

from speakerid.audio.format import RATE, Block

_CELL = RATE // 100  # samples of one step of the envelope
_SHIFT = 10  # steps that a codec, or an exporter, may move the sound by
_PHASES = 8  # places within a step at which it is compared
_LONGER = 0.25  # of the shorter one: what is longer holds more than the same
_EDGE = 0.1  # of the shorter one, at each end, may be missing in the longer one
_LIKE = 0.97  # correlation of the envelopes; the same words said again stay below 0.94


def same_recording(one: Block, other: Block) -> bool:
    """Whether two blocks [n], [m] are the same recording, by the course of their level over time."""
    if np.array_equal(one, other):
        return True
    shorter, longer = sorted((one, other), key=len)
    if len(longer) - len(shorter) > max(_SHIFT * _CELL, _LONGER * len(shorter)):
        return False
    whole = _envelope(longer)
    edge = max(_SHIFT * _CELL, round(_EDGE * len(shorter)))
    for phase in range(0, _CELL, _CELL // _PHASES):  # what was cut off is no whole number of steps
        middle = _envelope(shorter[edge + phase : len(shorter) - edge])
        if len(middle) >= _SHIFT and _likeness(middle, whole) > _LIKE:
            return True
    return False


def _envelope(samples: Block) -> np.ndarray:
    """Level every 10 ms."""
    whole = len(samples) // _CELL * _CELL
    return np.sqrt(np.mean(np.square(samples[:whole].reshape(-1, _CELL), dtype=np.float64), axis=1))


def _likeness(piece: np.ndarray, whole: np.ndarray) -> float:
    """The highest correlation of a piece [k] with any as long one of a whole [n]."""
    piece = piece - piece.mean()
    size, length = len(piece), len(whole)
    whole = whole - whole.mean()
    spectrum = np.fft.rfft(whole) * np.conj(np.fft.rfft(piece, length))
    products = np.fft.irfft(spectrum, length)[: length - size + 1]
    sums, squares = (np.concatenate([[0.0], np.cumsum(values)]) for values in (whole, whole**2))
    means = (sums[size:] - sums[:-size]) / size
    energies = squares[size:] - squares[:-size] - size * means**2
    scales = np.linalg.norm(piece) * np.sqrt(np.maximum(energies, 0.0))
    enough = scales > 1e-9
    return float((products[enough] / scales[enough]).max(initial=0.0))
