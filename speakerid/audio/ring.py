"""The bounded buffer between a source of sound and whoever listens to it."""

import threading
from collections import deque

import numpy as np

from speakerid.audio.format import RATE, Block, empty


class Ring:
    """Blocks go in at one end, everything buffered comes out at the other; what does not fit is counted.

    One thread may push while another pops. When the ring is full the oldest sound goes: a live listener wants
    what is said now.

    Attributes:
        gain_db: by how much what came last was raised.
    """

    def __init__(self, seconds: float = 10.0):
        """Room for `seconds` of sound (more than 0)."""
        self.gain_db = 0.0
        self._capacity = int(seconds * RATE)
        if self._capacity < 1:
            raise ValueError(f"a ring needs room for at least one sample, not {seconds} s")
        self._blocks: deque[Block] = deque()
        self._held = self._pushed = self._dropped = 0
        self._changed = threading.Condition()

    @property
    def position(self) -> int:
        """Which of all samples ever pushed comes out next; those before it were popped or lost."""
        with self._changed:
            return self._pushed - self._held

    @property
    def dropped(self) -> int:
        """Samples lost because nobody popped them in time."""
        return self._dropped

    def __len__(self) -> int:
        """Samples waiting."""
        return self._held

    def push(self, block: Block, gain_db: float = 0.0) -> None:
        """Append a copy of the block; never waits for a reader.

        Args:
            gain_db: by how much it was raised, because it came in too quiet.
        """
        block = np.array(block, np.float32)
        with self._changed:
            self.gain_db = gain_db
            self._blocks.append(block)
            self._pushed += len(block)
            self._held += len(block)
            while self._held > self._capacity:
                self._drop(self._held - self._capacity)
            self._changed.notify_all()

    def _drop(self, surplus: int) -> None:
        """Lose at most `surplus` samples of the oldest block."""
        oldest = self._blocks.popleft()
        if len(oldest) > surplus:
            self._blocks.appendleft(oldest[surplus:])
        lost = min(surplus, len(oldest))
        self._held -= lost
        self._dropped += lost

    def pop(self) -> Block:
        """Everything buffered as one block, maybe of no samples; the ring is empty afterwards."""
        with self._changed:
            blocks, self._blocks = self._blocks, deque()
            self._held = 0
        return np.concatenate(blocks) if blocks else empty()

    def wait(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds for sound; -> whether there is any."""
        with self._changed:
            return self._changed.wait_for(lambda: self._held > 0, timeout)
