"""The one Engine of the process, and the one thread that ends what nobody uses any more."""

import logging
import threading
import time
from typing import TYPE_CHECKING, Protocol

from speakerid.dashboard.shared import resources
from speakerid.dashboard.shared.channel import CHANNELS

if TYPE_CHECKING:
    from speakerid.identify import Engine

_log = logging.getLogger(__name__)
_TICK_S = 0.4


class Supervised(Protocol):
    """What the supervisor needs of a live session."""

    def check(self, now: float) -> bool:
        """Look after yourself; False when there is nothing left to look after."""
        ...

    def stop(self) -> None:
        """End."""
        ...


_engine: "Engine | None" = None
_retired: "list[Engine]" = []  # of models that were in use before, while sessions still listen with them
_engine_lock = threading.Lock()
_sessions: set[Supervised] = set()
_sessions_lock = threading.Lock()
_supervisor: threading.Thread | None = None


def engine() -> "Engine":
    """The Engine of this process; waits until the encoder is loaded.

    Raises:
        ModelError: the encoder could not be loaded.
    """
    global _engine
    encoder = resources.encoder()
    with _engine_lock:
        if _engine is not None and _engine.encoder is not encoder:
            _retired.append(_engine)
            _engine = None
        if _engine is None:
            from speakerid.identify import Engine

            _engine = Engine(encoder)
        return _engine


def supervise(session: Supervised) -> None:
    """Look after a session from now on, until its `check` says that it needs nothing."""
    global _supervisor
    with _sessions_lock:
        _sessions.add(session)
        if _supervisor is None:
            _supervisor = threading.Thread(target=_look_after, name="live-supervisor", daemon=True)
            _supervisor.start()


def shutdown() -> None:
    """End every session and the Engine, for the server's end."""
    global _engine
    with _sessions_lock:
        sessions = tuple(_sessions)
    for session in sessions:
        session.stop()
    with _engine_lock:
        running, _engine = [*_retired, *([_engine] if _engine else [])], None
        _retired.clear()
    for one in running:
        one.close()


def _look_after() -> None:
    while True:
        time.sleep(_TICK_S)
        CHANNELS.reap()
        _let_go()
        with _sessions_lock:
            sessions = tuple(_sessions)
        for session in sessions:
            if not _needed(session):
                with _sessions_lock:
                    _sessions.discard(session)


def _let_go() -> None:
    """End the engines of earlier models that nobody listens with any more."""
    with _engine_lock:
        unused = [one for one in _retired if one.idle]
        _retired[:] = [one for one in _retired if one not in unused]
    for one in unused:
        one.close()


def _needed(session: Supervised) -> bool:
    """Look after one session. One that cannot be looked after is ended: nobody would notice its end later."""
    try:
        return session.check(time.monotonic())
    except Exception:
        _log.exception("a live session could not be looked after and is ended")
    try:
        session.stop()
    except Exception:
        _log.exception("a live session could not be ended")
    return False
