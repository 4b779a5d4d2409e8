"""From any sampling rate to 16 kHz by libsoxr, piece by piece, in constant memory.

How the sound is cut into pieces changes no bit of the result. The filter (soxr's "HQ") holds
back some 0.04 s of what was pushed at 48 kHz, 0.12 s at 8 kHz.
"""

from typing import TYPE_CHECKING

import numpy as np

from speakerid.audio.format import RATE, Block, empty

if TYPE_CHECKING:
    from soxr import ResampleStream


class Resampler:
    """Resamples one stream of mono sound; one instance a stream. At 16 kHz it does nothing."""

    def __init__(self, rate: int):
        """For a source of `rate` samples a second (more than 0)."""
        self._stream = None if rate == RATE else _resampler(rate)

    def push(self, samples: np.ndarray) -> Block:
        """Take samples [n] at the source's rate; -> what is ready at 16 kHz (later for other rates)."""
        samples = np.ascontiguousarray(samples, np.float32)
        return samples if self._stream is None else self._stream.resample_chunk(samples)

    def flush(self) -> Block:
        """The end of the source: -> the rest. Push nothing afterwards."""
        return empty() if self._stream is None else self._stream.resample_chunk(empty(), last=True)


def resampled(samples: np.ndarray, rate: int, to: int) -> np.ndarray:
    """Sound [n] at `rate` samples a second -> at `to`, all at once."""
    import soxr

    return soxr.resample(samples, rate, to)


def _resampler(rate: int) -> "ResampleStream":
    from soxr import ResampleStream

    return ResampleStream(rate, RATE, 1, dtype="float32", quality="HQ")
