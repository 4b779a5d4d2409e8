"""Live channels: what a listening session publishes, and the browsers that watch it.

A channel is known by an unguessable token, is published to from any thread, and is read by WebSockets on the
server's event loop. A browser that cannot keep up is never sent a gap: its queue is emptied and it gets the
whole state again. A channel that nobody watches any more is closed by `Channels.reap`.
"""

import asyncio
import json
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

Message = dict[str, Any]

QUEUE = 32  # messages a slow browser may lag behind (about 3 s) before it is sent the whole state instead
FIRST_VISIT_S = 45.0  # a new channel waits this long for its first browser (a slow machine loading the page)
LEFT_S = 3.0  # and this long for one to come back (a short loss of the network); a closed tab ends within 5 s


class Subscriber:
    """One browser's queue. All methods but `offer` run on the event loop that made it."""

    def __init__(self, hello: Callable[[], str]):
        self._hello = hello
        self._loop = asyncio.get_running_loop()
        self._queue: deque[str] = deque()
        self._wake = asyncio.Event()
        self._restart = True  # the first thing that a browser gets is the whole state
        self._closed = False

    def offer(self, text: str | None) -> None:
        """Queue a message from any thread; None ends the stream."""
        try:
            self._loop.call_soon_threadsafe(self._put, text)
        except RuntimeError:  # the server's loop has ended, and with it everybody who listened
            self._closed = True

    def _put(self, text: str | None) -> None:
        if text is None:
            self._closed = True
        elif len(self._queue) >= QUEUE:
            self._restart = True
        else:
            self._queue.append(text)
        self._wake.set()

    async def next(self) -> str | None:
        """The next message as JSON, or None when the channel has been closed."""
        while not (self._closed or self._restart or self._queue):
            self._wake.clear()
            await self._wake.wait()
        if self._closed:
            return None
        if self._restart:
            self._restart = False
            self._queue.clear()
            return self._hello()
        return self._queue.popleft()


class Channel:
    """One session's stream of messages.

    Args:
        hello: makes the whole state; called on the event loop whenever a browser starts or has fallen behind.
        on_message: called on the event loop with what a browser sent; must return at once.
        on_abandoned: called by the reaper when the last browser has gone for good.

    Attributes:
        exports: the session's log in a format: (file name, media type, text), None for an unknown one.
        sound: the kept sound between two seconds as a WAV file; None where nothing is kept.
        played: the recording that the session replays, a path or a file's bytes; None without.
    """

    def __init__(
        self,
        hello: Callable[[], Message],
        on_message: Callable[[Message], None] | None = None,
        on_abandoned: Callable[[], None] | None = None,
    ):
        self.token = secrets.token_urlsafe(24)
        self.closed = False
        self.exports: Callable[[str], tuple[str, str, str] | None] | None = None
        self.sound: Callable[[float, float], bytes | None] | None = None
        self.played: Callable[[], bytes | Path | None] | None = None
        self._hello = hello
        self._on_message = on_message
        self._on_abandoned = on_abandoned
        self._subscribers: set[Subscriber] = set()
        self._lock = threading.Lock()
        self._sequence = 0
        self._visited = False
        self._last_seen = time.monotonic()

    @property
    def subscribers(self) -> int:
        """Browsers watching now."""
        return len(self._subscribers)

    def subscribe(self) -> Subscriber:
        """A new browser. Call on the event loop."""
        subscriber = Subscriber(lambda: self._encode(self._hello())[1])
        with self._lock:
            self._visited = True
            self._subscribers.add(subscriber)
        return subscriber

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """The browser has gone."""
        with self._lock:
            self._subscribers.discard(subscriber)
            self._last_seen = time.monotonic()

    def publish(self, message: Message) -> int:
        """Send a message to every browser, from any thread; returns its number."""
        number, text = self._encode(message)
        with self._lock:
            subscribers = tuple(self._subscribers)
        for subscriber in subscribers:
            subscriber.offer(text)
        return number

    def received(self, message: Message) -> None:
        """A browser sent something."""
        if self._on_message is not None:
            self._on_message(message)

    def touch(self, at: float | None = None) -> None:
        """Somebody was there, at this `time.monotonic` or now, as another sign than a WebSocket tells."""
        self._last_seen = max(self._last_seen, time.monotonic() if at is None else at)

    def abandoned(self, now: float) -> bool:
        """Whether nobody has watched for so long (`now` from `time.monotonic`) that nobody will."""
        grace = LEFT_S if self._visited else FIRST_VISIT_S
        return not self._subscribers and now - self._last_seen > grace

    def close(self) -> None:
        """End every browser's stream. May be called twice."""
        self.closed = True
        with self._lock:
            subscribers = tuple(self._subscribers)
        for subscriber in subscribers:
            subscriber.offer(None)

    def leave(self) -> None:
        """Close because nobody watches, and tell the owner."""
        self.close()
        if self._on_abandoned is not None:
            self._on_abandoned()

    def _encode(self, message: Message) -> tuple[int, str]:
        with self._lock:
            self._sequence += 1
            number = self._sequence
        text = json.dumps(
            {"seq": number, **message}, ensure_ascii=False, allow_nan=False, separators=(",", ":")
        )
        return number, text


class Channels:
    """Every open channel of the process, by token. Thread-safe."""

    def __init__(self) -> None:
        self._channels: dict[str, Channel] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._channels)

    def add(self, channel: Channel) -> Channel:
        """Make a channel reachable under its token."""
        with self._lock:
            self._channels[channel.token] = channel
        return channel

    def get(self, token: str) -> Channel | None:
        """The open channel with this token, if there is one."""
        return self._channels.get(token)

    def close(self, channel: Channel) -> None:
        """Close one channel and forget it."""
        with self._lock:
            self._channels.pop(channel.token, None)
        channel.close()

    def reap(self, now: float | None = None) -> int:
        """Close the channels that nobody watches any more; returns how many."""
        now = time.monotonic() if now is None else now
        with self._lock:
            gone = [channel for channel in self._channels.values() if channel.abandoned(now)]
            for channel in gone:
                del self._channels[channel.token]
        for channel in gone:
            channel.leave()
        return len(gone)

    def close_all(self) -> None:
        """End every stream, for the server's shutdown."""
        with self._lock:
            channels, self._channels = list(self._channels.values()), {}
        for channel in channels:
            channel.leave()


CHANNELS = Channels()
