"""What pages show is drawn up on a thread of its own: the Engine's threads listen and do nothing else."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from speakerid.identify import Decision, Snapshot
    from speakerid.identify.session import OnUpdate

_SETTLED_S = 2.0  # waited for at most; drawing up takes milliseconds
_thread = ThreadPoolExecutor(1, "live-drawing")


def beside(on_update: "OnUpdate") -> "OnUpdate":
    """The same for the Engine to call: it hands over and returns.

    Updates that wait become one, with the latest snapshot and all decisions; the time that it waited counts
    as part of its latency. What `on_update` raises, the next call raises, so that the Engine closes the
    session and says so.
    """
    lock = threading.Lock()
    waiting: list[tuple[float, Snapshot, list[Decision]]] = []
    failed: list[Exception] = []

    def draw() -> None:
        with lock:
            updates = waiting.copy()
            waiting.clear()
        handed, latest, _ = updates[-1]
        waited_ms = 1000 * (time.monotonic() - handed)
        decisions = [decision for _, _, some in updates for decision in some]
        try:
            on_update(replace(latest, latency_ms=latest.latency_ms + waited_ms), decisions)
        except Exception as error:
            failed.append(error)

    def hand_over(snapshot: "Snapshot", decisions: "list[Decision]") -> None:
        if failed:
            raise failed.pop()
        with lock:
            waiting.append((time.monotonic(), snapshot, decisions))
            first = len(waiting) == 1
        if first:
            _thread.submit(draw)

    return hand_over


def settle() -> None:
    """Wait until all that was handed over is drawn up, or for two seconds on a computer that has stalled."""
    with suppress(TimeoutError):
        _thread.submit(lambda: None).result(_SETTLED_S)
