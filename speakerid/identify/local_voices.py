"""What the segmentation network tells of the last seconds of a stream: who speaks at once, and who took over.

Voices are slots (speakerid/model/segmentation.py): good for a few seconds, and nobody's name.
"""

from dataclasses import dataclass

import numpy as np

from speakerid.audio.format import RATE
from speakerid.model.segmentation import FRAME, VOICES, Segmenter

NONE = -1  # the slot of nobody
MOST_WAITING = RATE // 2  # samples that wait at most until the network hears them


@dataclass(frozen=True)
class VoicesConfig:
    """Seconds, but for `speaks` and the two that are on or off.

    speaks: probability from which on a voice speaks. In conversations without overlap two are heard for
        0.2 % of the time at 0.6, and for 1.3 % at 0.5 (speakerid/model/weights/README.md).
    beside: of the last frames, in most of which somebody speaks beside the main voice to be told.
    memory: for which a slot is taken for the same person.
    least: of one voice alone that is worth embedding.
    leave_out: whether windows to embed leave out the frames in which two speak, and no change of voice is
        looked for in them. Off until measured on conversations with the network that ships.
    takeovers: whether the segmentation tells when to look for a change of voice; else each look does.
    takeover: that another voice has spoken alone before it is thought to have taken over.
    """

    speaks: float = 0.6
    beside: float = 0.24
    memory: float = 10.0
    least: float = 0.4
    leave_out: bool = False
    takeovers: bool = False
    takeover: float = 0.2


class LocalVoices:
    """The voices of one stream's last seconds, frame by frame.

    The network hears what has come since it was last asked for in one go: a step at a time, as the sound
    comes, costs twice as much.

    Args:
        keep: seconds remembered.
    """

    def __init__(self, segmenter: Segmenter, config: VoicesConfig, keep: float):
        self.config = config
        self._stream = segmenter.stream()
        self._most = int(keep * RATE) // FRAME
        self._active = np.zeros((0, VOICES), bool)
        self._count = 0  # frames of the stream that are known
        self._waiting: list[np.ndarray] = []
        self._held = 0  # samples that wait

    @property
    def known(self) -> int:
        """Samples of the stream up to which it is known who speaks."""
        self._catch_up()
        return self._count * FRAME

    def hear(self, samples: np.ndarray) -> None:
        """The next samples [n] of the stream."""
        self._waiting.append(samples)
        self._held += len(samples)
        if self._held >= MOST_WAITING:
            self._catch_up()

    def between(self, start: int, end: int) -> np.ndarray:
        """Who speaks in the frames that begin in samples start..end, as far as they are known and remembered:
        bool [t, 3]."""
        self._catch_up()
        first = self._count - len(self._active)
        return self._active[max(-(-start // FRAME) - first, 0) : max(-(-end // FRAME) - first, 0)]

    def main(self, start: int, end: int) -> int:
        """The slot that speaks most there, alone rather than beside others; NONE for nobody."""
        active = self.between(start, end)
        alone = active & (active.sum(axis=1) == 1)[:, None]
        said = alone.sum(axis=0) + 0.25 * active.sum(axis=0)
        return int(said.argmax()) if said.any() else NONE

    def beside(self, main: int) -> tuple[int, ...]:
        """Slots other than `main` that speak just now, while `main` does or hardly before it."""
        active = self.between(self.known - int(self.config.beside * RATE), self.known)
        if main == NONE or not len(active):
            return ()
        both = (active.sum(axis=1) > 1).mean() >= 0.5
        return tuple(k for k in range(VOICES) if k != main and both and active[:, k].mean() >= 0.5)

    def takeover(self, start: int) -> int | None:
        """The sample from which on another voice speaks than before in the stretch of speech since `start`,
        alone by now; None if none took over."""
        active = self.between(start, self.known)
        least = max(int(self.config.takeover * RATE) // FRAME, 1)
        alone = np.where(active.sum(axis=1) == 1, active.argmax(axis=1), NONE)
        tail = alone[-least:]
        if len(alone) < 2 * least or tail[0] == NONE or (tail != tail[0]).any():
            return None
        now, spoken = tail[0], alone[alone != NONE]
        others = np.flatnonzero((alone != now) & (alone != NONE))
        if not len(others) or (spoken != now).sum() < least:
            return None
        after = others[-1] + 1
        begun = after + int(np.flatnonzero(alone[after:] == now)[0])
        first = self._count - len(active)
        return (first + begun) * FRAME

    def clean(self, start: int, end: int) -> np.ndarray:
        """Which samples hold one voice at most, as far as that is known: bool [end - start]."""
        self._catch_up()
        clean = np.ones(end - start, bool)
        first = max(self._count - len(self._active), -(-start // FRAME))
        for number, active in enumerate(self.between(start, end)):
            if active.sum() > 1:
                at = (first + number) * FRAME - start
                clean[at : at + FRAME] = False
        return clean

    def _catch_up(self) -> None:
        if not self._held:
            return
        new = self._stream.push(np.concatenate(self._waiting)) >= self.config.speaks
        self._waiting, self._held = [], 0
        self._count += len(new)
        self._active = np.concatenate([self._active, new])[-self._most :]
