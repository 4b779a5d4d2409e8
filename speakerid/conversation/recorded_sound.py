"""The sound of a recording that is being looked at, to hear turns of it and to enroll from them."""

import tempfile
import threading

import numpy as np

from speakerid.audio.format import RATE, Block
from speakerid.conversation.gains import Gains

_IN_MEMORY = 64 * 2**20  # bytes, half an hour; longer recordings go to a temporary file without a name


class RecordedSound:
    """16 kHz samples in the order in which they are heard; gone with `close`. Thread-safe."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  # closed by close()
        self._lock = threading.Lock()
        self._samples = 0
        self._gains = Gains()

    @property
    def seconds(self) -> float:
        """How much there is to hear; 0.0 once it is closed."""
        with self._lock:
            return 0.0 if self._file.closed else self._samples / RATE

    def add(self, block: Block, gain_db: float = 0.0) -> None:
        """The next samples, float32 [n] in −1..1, and by how much they were raised; nothing once closed.

        Raises:
            OSError: the disk is full.
        """
        with self._lock:
            if not self._file.closed:
                self._gains.note(self._samples, gain_db)
                self._file.seek(2 * self._samples)
                self._file.write((np.clip(block, -1.0, 1.0) * 32767).astype(np.int16).tobytes())
                self._samples += len(block)

    def cut(self, start: float, end: float) -> np.ndarray | None:
        """int16 [n] at 16 kHz from `start` to `end` (s); None where there is nothing."""
        first, last = round(start * RATE), round(end * RATE)
        with self._lock:
            if self._file.closed:
                return None
            self._file.seek(2 * first)
            found = np.frombuffer(self._file.read(2 * max(0, last - first)), np.int16)
        return found if len(found) else None

    def gain_db(self, start: float, end: float) -> float:
        """By how much the sound from `start` to `end` (s) was raised when it was read, on average."""
        with self._lock:
            return self._gains.between(round(start * RATE), round(end * RATE))

    def close(self) -> None:
        """Free it."""
        with self._lock:
            self._file.close()
