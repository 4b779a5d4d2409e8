"""A recording as a live source: its blocks come in real time, as from a microphone."""

import threading
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from speakerid.audio.decode import stream
from speakerid.audio.format import RATE, Block
from speakerid.audio.ring import Ring
from speakerid.errors import AudioError

_BLOCK = RATE // 50


class Replay:
    """Plays a recording into a ring. Use `start` and `close`, or `with Replay(...) as replay:`.

    Attributes:
        ring: where the blocks go.
        closed: it has played to its end, was closed, or failed.
        error: the sentence to show if the recording could not be read (to its end), else "".
    """

    def __init__(self, recording: Block | str | Path | bytes, ring: Ring | None = None):
        """A block [n], or a path, or the bytes of a file."""
        self.ring = Ring() if ring is None else ring
        self.error = ""
        self.closed = False
        self._recording = recording
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._play, name="replay", daemon=True)

    def start(self) -> "Replay":
        """Begin to play (once)."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop playing; returns when no more blocks can come."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self.closed = True

    def __enter__(self) -> "Replay":
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _play(self) -> None:
        try:
            begin = time.monotonic()
            played = 0
            blocks = self._blocks()
            for block in blocks:
                played += len(block)
                # Against the clock, not block by block: waits that last too long do not add up.
                if self._stop.wait(max(0.0, begin + played / RATE - time.monotonic())):
                    return
                self.ring.push(block, getattr(blocks, "gain_db", 0.0))  # an array was not raised here
        except AudioError as error:
            self.error = str(error)
        finally:
            self.closed = True

    def _blocks(self) -> Iterable[Block]:
        if isinstance(self._recording, np.ndarray):
            samples = self._recording
            return (samples[at : at + _BLOCK] for at in range(0, len(samples), _BLOCK))
        return stream(self._recording, block=_BLOCK)
