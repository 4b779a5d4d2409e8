"""From the Engine's thread to the browsers: ten updates a second, and how long each took to the screen."""

import math
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from speakerid.dashboard.board import Board
from speakerid.dashboard.channel import CHANNELS, Channel, Message
from speakerid.dashboard.live_sound import wav

if TYPE_CHECKING:
    import numpy as np

    from speakerid.identify import Decision, Snapshot

PUBLISH_S = 0.09  # between two updates; a change of the name is sent at once
_UNANSWERED = 50  # updates after which an answer is not waited for any more


class Publisher:
    """Keeps one session's channel, and sends through it what its board makes of the Engine's snapshots."""

    def __init__(
        self,
        board: Board,
        on_abandoned: Callable[[], None],
        sound: "Callable[[float, float], np.ndarray | None]",
        played: Callable[[], bytes | Path | None],
    ):
        """
        Args:
            on_abandoned: called when nobody watches any more.
            sound: what is kept between two seconds of the session, int16 [n]; None where nothing is.
            played: the recording that is being replayed; None without.
        """
        self.board = board
        self._on_abandoned = on_abandoned
        self._sound = sound
        self._played = played
        self._editing = False
        self._channel: Channel | None = None
        self._lock = threading.Lock()
        self._pending: list[Decision] = []
        self._first_pending = 0.0
        self._latest: Snapshot | None = None
        self._published = 0.0
        self._shown: str | None = None
        self._sent: dict[
            int, tuple[float, float]
        ] = {}  # update → (when it was decided, ms from ring to decision)

    @property
    def watched(self) -> bool:
        """Whether there is an open channel."""
        return self._channel is not None and not self._channel.closed

    def watch(self, *, editing: bool = True) -> str:
        """The token under which browsers may watch; opens a channel if there is none.

        Args:
            editing: whether they may also correct the log and hear what is kept.
        """
        with self._lock:
            self._editing = editing
            channel = self._channel
            if channel is None or channel.closed:
                channel = Channel(self.board.hello, self._received, self._on_abandoned)
                channel.exports = self.board.export
                channel.sound = self._cut
                channel.played = self._played
                self._channel = CHANNELS.add(channel)
            channel.touch()
            return channel.token

    def renew(self) -> None:
        """Give the channel up; the next `watch` opens another one."""
        with self._lock:
            channel, self._channel = self._channel, None
        if channel is not None:
            CHANNELS.close(channel)

    def publish(self, message: Message) -> int | None:
        """Send to everybody who watches; the message's number, None if nobody can."""
        channel = self._channel
        return None if channel is None or channel.closed else channel.publish(message)

    def on_update(self, snapshot: "Snapshot", decisions: "list[Decision]") -> None:
        """Take in what the Engine says; runs on its thread."""
        now = time.monotonic()
        with self._lock:
            if decisions and not self._pending:
                self._first_pending = now
            self._pending.extend(decisions)
            self._latest = snapshot
            shown = snapshot.decision.speaker if snapshot.decision else None
            if now - self._published >= PUBLISH_S or shown != self._shown:
                self._shown = shown
                self._flush(now)

    def flush(self, now: float) -> None:
        """Send what still waits, where no further update of the Engine has taken it along."""
        with self._lock:
            if self._latest is not None and now - self._published >= PUBLISH_S:
                self._flush(now)

    def forget(self) -> None:
        """The Engine has stopped: what it said last and was not sent is not sent any more."""
        with self._lock:
            self._latest = None
            self._pending = []

    def _flush(self, now: float) -> None:
        snapshot, self._latest = self._latest, None
        if snapshot is None:
            return
        pending, self._pending = self._pending, []
        self._published = now
        number = self.publish(self.board.update(snapshot, pending))
        if number is not None and pending and not math.isnan(snapshot.latency_ms):
            self._sent[number] = (self._first_pending, snapshot.latency_ms)
            for old in [sent for sent in self._sent if sent < number - _UNANSWERED]:
                del self._sent[old]

    def _received(self, message: Message) -> None:
        number, held = message.get("drawn"), message.get("held")
        if isinstance(number, int) and isinstance(held, int | float):
            sent = self._sent.pop(number, None)
            if sent is not None:
                # The browser held the update for `held` ms until it was on the screen; half of what is left
                # of the round trip was the way there.
                since = (time.monotonic() - sent[0]) * 1000
                self.board.took(sent[1] + held + max(0.0, since - held) / 2)
        start, name = message.get("correct"), message.get("name")
        if self._editing and isinstance(start, int | float) and isinstance(name, str):
            answer = self.board.correct(start / 1000, name)
            if answer is not None:
                self.publish(answer)

    def _cut(self, start: float, end: float) -> bytes | None:
        samples = self._sound(start, end) if self._editing else None
        return None if samples is None else wav(samples)
