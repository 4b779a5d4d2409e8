"""The sound of a live session, kept in memory while its operator wants that, to hear turns and enroll from.

Off until it is asked for; never written to a disk; only the latest `KEPT_S` seconds; gone with the page.
"""

import io
import threading
import wave
from collections import deque

import numpy as np

from speakerid.audio.format import RATE, Block
from speakerid.audio.ring import Ring
from speakerid.conversation.gains import Gains

KEPT_S = 15 * 60.0
_LEAST_S = 0.2  # a stretch shorter than this is nothing to hear


class KeptSound:
    """What one session has heard, by its own time: seconds of audio since it began. Thread-safe."""

    def __init__(self, seconds: float = KEPT_S):
        """Keep at most the latest `seconds` (more than 0)."""
        self.on = False
        self.limit = seconds
        self._lock = threading.Lock()
        self._pieces: deque[tuple[int, np.ndarray]] = deque()  # first sample's number, int16 [n]
        self._at = 0  # number of the next sample
        self._held = 0
        self._gains = Gains()

    def keep(self, on: bool) -> None:
        """Keep what comes from now on, or stop and forget what was kept."""
        with self._lock:
            self.on = on
            if not on:
                self._forget()

    def forget(self) -> None:
        """Free everything kept so far."""
        with self._lock:
            self._forget()

    def begin(self, at: float) -> None:
        """Another stream begins at this second of the session; what was kept from there on is dropped."""
        with self._lock:
            self._at = round(at * RATE)
            while self._pieces and self._pieces[-1][0] >= self._at:
                self._held -= len(self._pieces.pop()[1])

    def add(self, block: Block, gain_db: float = 0.0) -> None:
        """The next samples, float32 [n] at 16 kHz in −1..1, and by how much they were raised."""
        with self._lock:
            start, self._at = self._at, self._at + len(block)
            if not self.on or not len(block):
                return
            self._gains.note(start, gain_db)
            samples = _int16(block)
            if self._pieces and _end(self._pieces[-1]) == start and len(self._pieces[-1][1]) < RATE:
                first, last = self._pieces.pop()
                self._pieces.append((first, np.concatenate([last, samples])))
            else:
                self._pieces.append((start, samples))
            self._held += len(samples)
            while self._held > self.limit * RATE:
                self._held -= len(self._pieces.popleft()[1])

    def cut(self, start: float, end: float) -> np.ndarray | None:
        """int16 [n] at 16 kHz from `start` to `end` (s); None where that was not kept from begin to end."""
        first, last = round(start * RATE), round(end * RATE)
        with self._lock:
            pieces = [piece for piece in self._pieces if piece[0] < last and _end(piece) > first]
        samples = np.concatenate(
            [part[max(0, first - at) : last - at] for at, part in pieces] or [np.zeros(0, np.int16)]
        )
        # The last turn of a stream may be said to end a moment after its last sample.
        whole = len(samples) >= last - first - RATE // 5 and bool(pieces) and pieces[0][0] <= first
        return samples if whole and len(samples) >= _LEAST_S * RATE else None

    def gain_db(self, start: float, end: float) -> float:
        """By how much what is kept from `start` to `end` (s) was raised when it came in, on average."""
        with self._lock:
            return self._gains.between(round(start * RATE), round(end * RATE))

    def ranges(self) -> list[tuple[float, float]]:
        """What is kept, as (start, end) in seconds of the session."""
        with self._lock:
            pieces = list(self._pieces)
        found: list[tuple[int, int]] = []
        for piece in pieces:
            if found and found[-1][1] == piece[0]:
                found[-1] = (found[-1][0], _end(piece))
            else:
                found.append((piece[0], _end(piece)))
        return [(first / RATE, last / RATE) for first, last in found]

    def _forget(self) -> None:
        self._pieces.clear()
        self._gains = Gains()
        self._held = 0


class KeepingRing(Ring):
    """A ring whose sound is kept as it is taken out, so that its time is the time of who hears it."""

    def __init__(self, sound: KeptSound):
        super().__init__()
        self._sound = sound

    def pop(self) -> Block:
        """Everything buffered, as `Ring.pop` gives it."""
        block = super().pop()
        self._sound.add(block, self.gain_db)
        return block


def wav(samples: np.ndarray) -> bytes:
    """A WAV file of int16 samples [n] at 16 kHz."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())
    return out.getvalue()


def _int16(block: Block) -> np.ndarray:
    return (np.clip(block, -1.0, 1.0) * 32767).astype(np.int16)


def _end(piece: tuple[int, np.ndarray]) -> int:
    return piece[0] + len(piece[1])
