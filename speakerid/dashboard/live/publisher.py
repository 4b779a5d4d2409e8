"""From the Engine's snapshots to the browsers: ten updates a second, and how long each took to the screen."""

import math
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from speakerid.conversation.kept_sound import wav
from speakerid.dashboard.live.board.board import Board
from speakerid.dashboard.shared.channel import CHANNELS, Channel, Message

if TYPE_CHECKING:
    import numpy as np

    from speakerid.identify import Decision, Snapshot

PUBLISH_S = 0.09  # between two updates; a change of the name is sent at once
_UNANSWERED = 50  # updates after which an answer is not waited for any more
_LONGEST_HELD_MS = 60_000  # a browser that says more does not measure


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
        self._listening = 0  # number of the listening whose updates are wanted
        self._pending: list[Decision] = []
        self._oldest = (0.0, 0.0)  # of the decisions that wait: when it was made, ms from the ring to then
        self._latest: Snapshot | None = None
        self._published = 0.0
        self._shown: str | None = None
        # Update → (when it was sent, ms from the ring to then). Its own lock: answers come on the server's
        # event loop, which must not wait until an update is drawn up.
        self._sent: dict[int, tuple[float, float]] = {}
        self._sent_lock = threading.Lock()

    @property
    def watched(self) -> bool:
        """Whether there is an open channel."""
        return self._channel is not None and not self._channel.closed

    @property
    def viewers(self) -> int:
        """Browsers that a WebSocket brings the updates to."""
        return self._channel.subscribers if self._channel is not None else 0

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

    def touch(self, at: float) -> None:
        """The page was there at this `time.monotonic`, whether its WebSocket is or not."""
        if self._channel is not None:
            self._channel.touch(at)

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

    def begin(self) -> "Callable[[Snapshot, list[Decision]], None]":
        """Take updates of another listening from now on.

        Returns:
            What the Engine calls with each; it does nothing any more once that listening has ended.
        """
        with self._lock:
            self._listening += 1
            number = self._listening
        return lambda snapshot, decisions: self._on_update(number, snapshot, decisions)

    def end(self, *, forget: bool = False) -> None:
        """The listening has ended: send what it said last, unless told to forget that, and take no more."""
        with self._lock:
            if not forget:
                self._flush(time.monotonic())
            self._listening += 1
            self._latest = None
            self._pending = []

    def flush(self, now: float) -> None:
        """Send what still waits, where no further update of the Engine has taken it along."""
        with self._lock:
            if self._latest is not None and now - self._published >= PUBLISH_S:
                self._flush(now)

    def _on_update(self, listening: int, snapshot: "Snapshot", decisions: "list[Decision]") -> None:
        now = time.monotonic()
        with self._lock:
            if listening != self._listening:
                return
            if decisions and not self._pending:
                self._oldest = (now, snapshot.latency_ms)
            self._pending.extend(decisions)
            self._latest = snapshot
            shown = snapshot.decision.speaker if snapshot.decision else None
            if now - self._published >= PUBLISH_S or shown != self._shown:
                self._shown = shown
                self._flush(now)

    def _flush(self, now: float) -> None:
        snapshot, self._latest = self._latest, None
        if snapshot is None:
            return
        pending, self._pending = self._pending, []
        self._published = now
        decided, took = self._oldest
        number = self.publish(self.board.update(snapshot, pending))
        if number is None or not pending or math.isnan(took):
            return
        sent = time.monotonic()
        with self._sent_lock:
            self._sent[number] = (sent, took + 1000 * (sent - decided))
            for old in [update for update in self._sent if update < number - _UNANSWERED]:
                del self._sent[old]

    def _received(self, message: Message) -> None:
        number, held = message.get("drawn"), message.get("held")
        if isinstance(number, int) and isinstance(held, int | float) and 0 <= held < _LONGEST_HELD_MS:
            now = time.monotonic()
            with self._sent_lock:
                sent = self._sent.pop(number, None)
            if sent is not None:
                # The browser held the update for `held` ms until it was on the screen; what is left since it
                # was sent is the round trip over the network, and half of that was the way there.
                network = max(0.0, 1000 * (now - sent[0]) - held) / 2
                self.board.took(sent[1] + held + network)
        start, name = message.get("correct"), message.get("name")
        if self._editing and isinstance(start, int | float) and isinstance(name, str):
            answer = self.board.correct(start / 1000, name)
            if answer is not None:
                self.publish(answer)

    def _cut(self, start: float, end: float) -> bytes | None:
        samples = self._sound(start, end) if self._editing else None
        return None if samples is None else wav(samples)
