"""Strangers of a live session told apart while it goes on: "unknown 1", "unknown 2" …"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field

import numpy as np

from speakerid.conversation.strangers import LEAST_SECONDS, SAME_STRANGER
from speakerid.gallery import UNKNOWN
from speakerid.identify import Decision
from speakerid.identify.scoring import Scorer

MOST = 40
"""Strangers told apart in one session; who comes later is "unknown" and no more."""

_LATE_S = 0.5  # a stretch of speech may begin so long before the turn that it belongs to


@dataclass(eq=False)
class _Stretch:
    """Speech without a change of voice: when it was heard, its voice, which stranger it counts to."""

    since: float
    at: float
    key: tuple[float, int]
    embedding: np.ndarray = field(repr=False)
    seconds: float = 0.0
    number: int | None = None


class LiveStrangers:
    """Counts the unknown voices of a session, in seconds of the session.

    A stretch of speech is compared once there is enough of it, and anew as it grows; once it has ended, what
    it was taken for stays. Of each stranger the mean is kept, whatever the length of the session.

    Attributes:
        several: whether there was more than one, so that they need numbers.
    """

    def __init__(self) -> None:
        self.several = False
        self._stretches: list[_Stretch] = []
        self._sums: list[np.ndarray] = []  # of each stranger's embeddings, weighted by seconds
        self._seconds: list[float] = []

    def hear(self, decision: Decision, offset: float, scorer: Scorer) -> None:
        """Take in a decision about an unknown voice, in a listening that began at `offset` (s)."""
        if decision.speaker != UNKNOWN or decision.embedding is None or decision.details is None:
            return
        key = (offset, decision.segment)
        last = self._stretches[-1] if self._stretches else None
        if last is None or last.key != key:
            last = _Stretch(offset + decision.start, 0.0, key, decision.embedding)
            self._stretches.append(last)
        self._count(last, -1.0)
        last.at, last.embedding = offset + decision.at, decision.embedding
        last.seconds = decision.details.seconds
        last.number = self._nearest(last, scorer)
        self._count(last, 1.0)
        self.several = self.several or sum(seconds > 0 for seconds in self._seconds) > 1

    def name(self, start: float, end: float) -> str:
        """What the unknown voice of a turn is called, from its start to its end (s)."""
        if not self.several:
            return UNKNOWN
        first = bisect_left(self._stretches, start - _LATE_S, key=lambda one: one.since)
        last = bisect_right(self._stretches, end, key=lambda one: one.since)
        heard: dict[int, float] = {}
        for one in self._stretches[first:last]:
            if one.number is not None and one.at > start:
                heard[one.number] = heard.get(one.number, 0.0) + one.seconds
        return f"{UNKNOWN} {max(heard, key=heard.__getitem__) + 1}" if heard else UNKNOWN

    def _nearest(self, stretch: _Stretch, scorer: Scorer) -> int | None:
        """Whose it is: a known stranger's, a new one's, or nobody's as long as there is little of it."""
        if stretch.seconds < LEAST_SECONDS:
            return stretch.number
        known = [k for k, seconds in enumerate(self._seconds) if seconds > 0]
        if known:
            sums = np.stack([self._sums[k] for k in known])
            cosine = sums @ stretch.embedding / np.maximum(np.linalg.norm(sums, axis=1), 1e-9)
            seconds = np.array([self._seconds[k] for k in known])
            alike = scorer.same_voices(cosine, seconds, np.full_like(seconds, stretch.seconds))
            if alike.max() >= SAME_STRANGER:
                return known[int(alike.argmax())]
        if stretch.number is not None:
            return stretch.number
        return len(self._seconds) if len(self._seconds) < MOST else None

    def _count(self, stretch: _Stretch, sign: float) -> None:
        """Add a stretch to what is known of its stranger, or take it away."""
        if stretch.number is None:
            return
        if stretch.number == len(self._seconds):
            self._sums.append(np.zeros_like(stretch.embedding))
            self._seconds.append(0.0)
        self._sums[stretch.number] = self._sums[stretch.number] + sign * stretch.seconds * stretch.embedding
        self._seconds[stretch.number] = max(0.0, self._seconds[stretch.number] + sign * stretch.seconds)
