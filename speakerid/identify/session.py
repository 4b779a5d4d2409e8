"""One live stream as the Engine sees it: a ring to hear from, a Listener, and the picture of it all."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from speakerid.audio.format import RATE, SILENCE_DBFS, level
from speakerid.audio.ring import Ring
from speakerid.audio.vad import SPEECH
from speakerid.errors import SpeakerIdError
from speakerid.identify.config import Window
from speakerid.identify.decision import Decision, Turn
from speakerid.identify.listener import Listener

MAX_BEHIND = 0.5  # seconds of waiting audio from which on older windows are skipped
UPDATE_SECONDS = 0.1  # between pictures while there is no decision
CLIPPED = 0.99  # a sample this large is taken for a clipped one


@dataclass(frozen=True)
class Snapshot:
    """What a session shows; nothing in it changes any more.

    Attributes:
        at: seconds of audio heard.
        decision: the latest one.
        clipped: whether a sample touched full scale since the snapshot before.
        snr_db: level of the speech above that of the pauses; NaN until both were heard.
        dropped: samples that the ring lost.
        skipped: windows that were not embedded because newer audio waited.
        latency_ms: from the ring to the latest decision; NaN before the first.
    """

    at: float = 0.0
    decision: Decision | None = None
    level_dbfs: float = SILENCE_DBFS
    clipped: bool = False
    speech: bool = False
    snr_db: float = math.nan
    dropped: int = 0
    skipped: int = 0
    latency_ms: float = math.nan
    turns: tuple[Turn, ...] = ()


OnUpdate = Callable[[Snapshot, list[Decision]], None]


class Session:
    """Made by Engine.open(). Its methods may be called on any thread; on_update runs on the Engine's.

    Attributes:
        snapshot: the latest picture.
        closed: it does not listen any more.
        error: the sentence to show if it ended by itself, else "".
    """

    def __init__(self, listener: Listener, ring: Ring, on_update: OnUpdate | None):
        self.listener, self.ring, self.on_update = listener, ring, on_update
        self.snapshot = Snapshot()
        self.closed = False
        self.error = ""
        self._orders: list[Callable[[], None]] = []
        self._undelivered: list[Decision] = []  # made while windows were skipped
        self._lock = threading.Lock()
        self._level_dbfs, self._clipped = SILENCE_DBFS, False
        self._popped, self._popped_at = 0, time.monotonic()
        self._updated_at = 0.0
        self._latency_ms = math.nan

    def close(self) -> None:
        """Stop listening; on_update is not called any more once the current one has returned."""
        self.closed = True

    def fail(self, why: Exception) -> None:
        """Stop listening because of this."""
        said = str(why) if isinstance(why, SpeakerIdError) else ""
        self.error = said or "Listening has failed; the server's log says why. Stop, and start again."
        self.closed = True

    def reload(self) -> None:
        """Take in the gallery as it is now, before the next block."""
        self._order(self.listener.reload)

    def configure(self, **changes: Any) -> None:
        """Use these fields of ListenerConfig, and the defaults of all others, from the next block on."""
        self._order(lambda: self.listener.configure(**changes))

    def _order(self, what: Callable[[], None]) -> None:
        with self._lock:
            self._orders.append(what)

    # -- the Engine's side --------------------------------------------------------------------------------

    def hear(self) -> list[Window]:
        """Windows to embed, of the newest audio; then accept() them and call again until there are none."""
        with self._lock:
            orders, self._orders = self._orders, []
        for order in orders:
            order()
        block = self.ring.pop()
        if len(block):
            self._popped += len(block)
            self._popped_at = time.monotonic()
        windows = self.listener.prepare(block)
        while windows and self.listener.behind > MAX_BEHIND:
            self._undelivered += self.listener.skip(windows)
            windows = self.listener.prepare(block[:0])
        if len(block):
            self._level_dbfs = level(block)
            self._clipped |= bool(np.abs(block).max() >= CLIPPED)
        return windows

    def publish(self, decisions: list[Decision]) -> None:
        """Show decisions, or, now and then, that time goes on."""
        now = time.monotonic()
        decisions, self._undelivered = [*self._undelivered, *decisions], []
        if decisions:
            waited = self._popped / RATE - decisions[-1].at
            self._latency_ms = 1000 * (now - self._popped_at + max(waited, 0.0))
        elif now - self._updated_at < UPDATE_SECONDS or self.listener.heard == self.snapshot.at:
            return
        self._updated_at = now
        self.snapshot = Snapshot(
            at=self.listener.heard,
            decision=decisions[-1] if decisions else self.snapshot.decision,
            level_dbfs=self._level_dbfs,
            clipped=self._clipped,
            speech=self.listener.speech_probability >= SPEECH,
            snr_db=self.listener.snr_db,
            dropped=self.ring.dropped,
            skipped=self.listener.skipped,
            latency_ms=self._latency_ms,
            turns=tuple(self.listener.turns),
        )
        self._clipped = False
        if self.on_update is not None and not self.closed:
            self.on_update(self.snapshot, decisions)
