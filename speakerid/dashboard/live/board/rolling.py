"""The live board's last minute: everybody's probabilities, at a steady pace."""

from collections import deque
from collections.abc import Sequence
from typing import Any

from speakerid.dashboard.shared.words import drawn

Message = dict[str, Any]

ROLLING_S = 60.0
_STEP_S = 0.2


class Rolling:
    """Points of a minute; each a second of the session and one probability a name."""

    def __init__(self) -> None:
        self._points: deque[tuple[float, list[float]]] = deque(maxlen=int(ROLLING_S / _STEP_S) + 1)

    def add(self, at: float, scores: list[float]) -> Message | None:
        """Take in the probabilities at this second; the point that was added, None if it is not yet time."""
        if self._points and at - self._points[-1][0] < _STEP_S - 1e-6:
            return None
        shown = [drawn(p) for p in scores]
        self._points.append((at, shown))
        return {"t": round(at * 1000), "p": shown}

    def reorder(self, before: Sequence[str], names: Sequence[str]) -> None:
        """Others take part now: who is new was at 0."""
        moved = [before.index(name) if name in before else None for name in names]
        rows = [(at, [0.0 if k is None else row[k] for k in moved]) for at, row in self._points]
        self._points.clear()
        self._points.extend(rows)

    def message(self) -> Message:
        """All of it."""
        return {"t": [round(at * 1000) for at, _ in self._points], "p": [row for _, row in self._points]}
