"""From any sampling rate to 16 kHz with torchaudio, piece by piece, in constant memory.

The pieces lie on a fixed grid and overlap by the reach of the filter (torchaudio's windowed sinc), so the
result is that of resampling the whole at once, and how the sound was cut into blocks changes no bit.
"""

import math
from fractions import Fraction

import numpy as np

from speakerid import threads
from speakerid.audio.format import RATE, Block, empty

_FINEST = (
    1000  # a rate is taken as a fraction of 16 kHz with at most this denominator (at most 0.00005 % off)
)


class Resampler:
    """Resamples one stream of mono sound; one instance a stream. At 16 kHz it does nothing, without torch."""

    def __init__(self, rate: int):
        """For a source of `rate` samples a second (more than 0)."""
        ratio = Fraction(rate, RATE).limit_denominator(_FINEST)
        # `old` samples come in for each `new` that go out; everything below moves in such groups.
        self._old, self._new = ratio.numerator, ratio.denominator
        self._transform = None if ratio == 1 else _transform(self._old, self._new)
        reach = self._transform.width if self._transform else 0
        self._margin = math.ceil(reach / self._old) + 1  # groups
        self._step = max(1, RATE // self._new)  # groups: about a second of sound
        self._waiting = [np.zeros(self._margin * self._old, np.float32)]
        self._count = self._margin * self._old  # samples waiting
        self._taken = self._given = 0

    def push(self, samples: np.ndarray) -> Block:
        """Take samples [n] at the source's rate; -> what is ready at 16 kHz (later for other rates)."""
        if self._transform is None:
            return np.asarray(samples, np.float32)
        self._waiting.append(np.asarray(samples, np.float32))
        self._count += len(samples)
        self._taken += len(samples)
        return self._convert()

    def flush(self) -> Block:
        """The end of the source: -> the rest. Push nothing afterwards."""
        if self._transform is None:
            return empty()
        missing = math.ceil(self._taken * self._new / self._old) - self._given
        steps = math.ceil(missing / (self._step * self._new))
        padded = (steps * self._step + 2 * self._margin) * self._old
        self._waiting.append(np.zeros(max(0, padded - self._count), np.float32))
        self._count = max(self._count, padded)
        return self._convert()[:missing]

    def _convert(self) -> Block:
        """Every whole step that is waiting with the margin on both its sides."""
        whole = (self._step + 2 * self._margin) * self._old
        if self._count < whole or self._transform is None:
            return empty()
        import torch

        threads.hold()
        waiting = np.concatenate(self._waiting)
        ready = []
        at = 0
        while len(waiting) - at >= whole:
            converted = self._transform(torch.from_numpy(waiting[at : at + whole])).numpy()
            ready.append(converted[self._margin * self._new : (self._margin + self._step) * self._new])
            at += self._step * self._old
        self._waiting = [waiting[at:].copy()]
        self._count = len(waiting) - at
        out = np.concatenate(ready)
        self._given += len(out)
        return out


def _transform(old: int, new: int):
    from torchaudio.transforms import Resample

    return Resample(old, new)
