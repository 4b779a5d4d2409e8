"""What live sources share: PyAV frames of any format become normalized blocks as they come."""

from typing import TYPE_CHECKING

import numpy as np

from speakerid.audio.format import RATE, Block, empty
from speakerid.audio.normalize import Normalizer

if TYPE_CHECKING:
    import av


class LiveConverter:
    """One live source's frames -> normalized blocks; one instance a source.

    PyAV's resampler keeps its state between frames and costs about 0.05 ms a frame. Its target is s16, whose
    down-mix keeps the level; the float formats add 3 dB and exceed 1.
    """

    def __init__(self):
        self._resampler: av.AudioResampler | None = None
        self._format: tuple[str, str, int] | None = None
        self._normalizer = Normalizer()

    def push(self, frame: "av.AudioFrame") -> Block:
        """A frame of any rate, layout and format -> what it completes of the stream at 16 kHz.

        The format may change on the way: what the resampler still held comes first.
        """
        import av

        blocks = []
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if kind != self._format:
            blocks.append(self._rest())
            self._resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
            self._format = kind
        assert self._resampler is not None
        blocks += [_samples(out) for out in self._resampler.resample(frame)]
        return self._normalizer.push(np.concatenate([empty(), *blocks]))

    @property
    def gain_db(self) -> float:
        """By how much the sound is raised at the moment, because it comes in too quiet."""
        return self._normalizer.gain_db

    def _rest(self) -> Block:
        held = self._resampler.resample(None) if self._resampler else []
        return np.concatenate([empty(), *(_samples(out) for out in held)])


def _samples(frame: "av.AudioFrame") -> Block:
    return frame.to_ndarray()[0].astype(np.float32) / 32768
