"""What live sources share: sound of any format becomes normalized 16 kHz mono blocks as it comes."""

from typing import TYPE_CHECKING

import numpy as np

from speakerid.audio.downmix import Downmix
from speakerid.audio.format import Block, empty
from speakerid.audio.normalize import Normalizer
from speakerid.audio.resample import Resampler
from speakerid.audio.samples import samples_of

if TYPE_CHECKING:
    import av


class LiveConverter:
    """One live source's frames -> normalized blocks; one instance a source.

    Channels are mixed so that a voice survives (`Downmix`); the pieces may be of any length, one sample too.
    """

    def __init__(self) -> None:
        self._resampler: Resampler | None = None
        self._rate = 0
        self._downmix = Downmix()
        self._normalizer = Normalizer()

    def push(self, frame: "av.AudioFrame") -> Block:
        """A frame of any rate, layout and format -> what it completes of the stream at 16 kHz."""
        return self.push_samples(samples_of(frame), frame.sample_rate)

    def push_samples(self, samples: np.ndarray, rate: int) -> Block:
        """float32 [channels, n], full scale at 1 -> what it completes of the stream at 16 kHz.

        Rate and channels may change on the way: what the resampler still held comes first.
        """
        held = empty()
        if self._resampler is None or rate != self._rate:
            held = self._resampler.flush() if self._resampler else held
            self._resampler, self._rate = Resampler(rate), rate
        block = self._resampler.push(self._downmix.push(samples, rate))
        return self._normalizer.push(np.concatenate([held, block]))

    def flush(self) -> Block:
        """The end of the source -> what the resampler still held; a source that goes on begins anew."""
        held = self._resampler.flush() if self._resampler else empty()
        self._resampler = None
        return self._normalizer.push(held)

    @property
    def gain_db(self) -> float:
        """By how much the sound is raised at the moment, because it comes in too quiet."""
        return self._normalizer.gain_db
