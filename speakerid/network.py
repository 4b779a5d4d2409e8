"""What every web server here takes care of: clients that are slow on purpose, and too many of them.

uvicorn waits for ever for the rest of a request, and Streamlit gives no way to pass it settings; so `protect`
changes uvicorn's class for HTTP/1.1 connections, for the pages and the REST API alike.
"""

import asyncio
import logging
import time
from contextlib import suppress
from typing import Any

from uvicorn.protocols.http import auto
from uvicorn.protocols.http.h11_impl import H11Protocol

MAX_CONNECTIONS = 500
"""At once; beyond it, whoever has waited longest without a whole request has to go."""
PATIENCE = 15.0
"""Seconds within which the head of a request has to come, of its body at least LEAST_BYTES, and within which
as many of an answer have to be fetched."""
LEAST_BYTES = 10_000
_OPEN_FILES = 16_384
_REPEAT_SECONDS = 60.0

_waiting: dict[Any, asyncio.TimerHandle] = {}
"""Connections whose request is not whole yet, the oldest first, with when to look at them again."""
_unread: dict[Any, asyncio.TimerHandle] = {}
"""Connections whose answer is not fetched, likewise."""


def protect() -> None:
    """Bound what connections may hold, for all servers of this process; calling it again changes nothing."""
    # Where httptools is installed, uvicorn would take its protocol, which knows nothing of what follows.
    auto.AutoHTTPProtocol = H11Protocol
    if getattr(H11Protocol, "bounded", False):
        return
    made, lost = H11Protocol.connection_made, H11Protocol.connection_lost
    received, upgrade = H11Protocol.data_received, H11Protocol.handle_websocket_upgrade
    answered = H11Protocol.on_response_complete
    paused, resumed = H11Protocol.pause_writing, H11Protocol.resume_writing

    def connection_made(self: Any, transport: Any) -> None:
        made(self, transport)
        self.came = 0
        _expect(self)
        if len(self.connections) > MAX_CONNECTIONS:
            oldest = next(iter(_unread or _waiting))
            _forget(oldest)
            _fetched(oldest)
            oldest.transport.abort()

    def connection_lost(self: Any, exc: Exception | None) -> None:
        _forget(self)
        _fetched(self)
        lost(self, exc)

    def data_received(self: Any, data: bytes) -> None:
        self.came += len(data)
        received(self, data)
        if self.transport.is_closing() or not _is_waiting(self):
            _forget(self)
        elif self not in _waiting:
            _expect(self)

    def handle_websocket_upgrade(self: Any, event: Any) -> None:
        _forget(self)
        self.upgraded = True
        upgrade(self, event)

    def on_response_complete(self: Any) -> None:
        answered(self)
        _expect_fetching(self)

    def pause_writing(self: Any) -> None:
        paused(self)
        _expect_fetching(self)

    def resume_writing(self: Any) -> None:
        _fetched(self)
        resumed(self)

    H11Protocol.connection_made, H11Protocol.connection_lost = connection_made, connection_lost
    H11Protocol.on_response_complete = on_response_complete
    H11Protocol.pause_writing, H11Protocol.resume_writing = pause_writing, resume_writing
    H11Protocol.data_received, H11Protocol.handle_websocket_upgrade = data_received, handle_websocket_upgrade
    H11Protocol.bounded = True  # pyright: ignore[reportAttributeAccessIssue]
    for name in ("asyncio", "uvicorn.error", "python_multipart.multipart", "speakerid.rest.refusals"):
        logging.getLogger(name).addFilter(Quiet())
    _allow_open_files()


class Quiet(logging.Filter):
    """Lets the same message pass once a minute, so that nobody can fill the disk through the log."""

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log it."""
        if record.levelno < logging.WARNING:
            return True
        key, now = str(record.msg)[:80], time.monotonic()
        if now - self._told.get(key, -_REPEAT_SECONDS) < _REPEAT_SECONDS:
            return False
        if len(self._told) >= 100:
            self._told.clear()
        self._told[key] = now
        return True


def _is_waiting(connection: Any) -> bool:
    """Whether a request has begun or may begin, and its end has not come."""
    if getattr(connection, "upgraded", False):
        return False
    cycle = connection.cycle
    return cycle is None or cycle.response_complete or cycle.more_body


def _expect(connection: Any) -> None:
    _forget(connection)
    connection.came_before = connection.came
    _waiting[connection] = asyncio.get_running_loop().call_later(PATIENCE, _look, connection)


def _look(connection: Any) -> None:
    """A while has passed: hang up on who has sent too little."""
    cycle = connection.cycle
    reads_body = cycle is not None and not cycle.response_complete
    enough = connection.came - connection.came_before >= LEAST_BYTES
    if reads_body and (enough or connection.flow.read_paused):  # we are the slow ones where it is paused
        _expect(connection)
    else:
        connection.transport.abort()


def _expect_fetching(connection: Any) -> None:
    """Part of an answer waits for the client: look after a while at how much of it is left."""
    left = connection.transport.get_write_buffer_size()
    if left and connection not in _unread:
        loop = asyncio.get_running_loop()
        _unread[connection] = loop.call_later(PATIENCE, _look_at_unread, connection, left)


def _fetched(connection: Any) -> None:
    if timer := _unread.pop(connection, None):
        timer.cancel()


def _look_at_unread(connection: Any, before: int) -> None:
    """Hang up on who fetches too little: neither a long answer nor the end of one holds a place for ever."""
    del _unread[connection]
    left = connection.transport.get_write_buffer_size()
    if left and before - left < LEAST_BYTES:
        connection.transport.abort()
    else:
        _expect_fetching(connection)


def _forget(connection: Any) -> None:
    if timer := _waiting.pop(connection, None):
        timer.cancel()


def _allow_open_files() -> None:
    """Raise this process's own limit as far as it may: 1,024, as usual, is not much above MAX_CONNECTIONS."""
    with suppress(ImportError, ValueError, OSError):  # Windows has no such limit
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
        if soft < most:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
