"""Where sound belongs in time: what timestamps say, and what bytes say where there are none.

A sender that falls silent, a packet that is lost and a track that starts late all leave time without sound;
it becomes silence, so that whatever is found later has its own time.
"""

from speakerid.audio.kinds import MAX_SECONDS

TOLERANCE = 0.1
"""Seconds that timestamps and samples may disagree by; containers round, codecs delay."""

_DOUBTED = 2


class Timeline:
    """Follows one track; times in seconds.

    Attributes:
        at: how far it is, the silence included.
    """

    def __init__(self, origin: float):
        """origin: the timestamp at which the recording begins."""
        self.at = 0.0
        self._origin = self._before = origin
        self._doubted = 0  # timestamps of a new clock that are yet to be believed

    def gap(self, timestamp: float | None) -> float:
        """How much silence comes before what has this timestamp, 0.0 mostly.

        Time that runs back, or jumps by more than a recording may last, is another clock (joined files,
        a stream that was started again): it is taken as going on. Where the next timestamps fit the clock
        before, what lay between was damaged, and that clock goes on.
        """
        if timestamp is None:
            return 0.0
        if self._doubted:
            self._doubted -= 1
            if -TOLERANCE <= timestamp - self._before - self.at <= MAX_SECONDS:
                self._origin, self._doubted = self._before, 0
        missing = timestamp - self._origin - self.at
        if -TOLERANCE <= missing <= TOLERANCE:
            return 0.0
        if missing < 0 or missing > MAX_SECONDS:
            self._before, self._doubted = self._origin, _DOUBTED
            self._origin += missing
            return 0.0
        return missing


class Bytes:
    """How much time lies in bytes that could not be read.

    Attributes:
        end: where the last good packet ended; None before the first.
    """

    def __init__(self) -> None:
        self.end: int | None = None
        self._position = -1
        self._bytes = self._seconds = 0.0  # of good packets

    def gap(self, position: int | None, size: int, seconds: float) -> float:
        """Seconds lost between the good packet before and this one, which lasts `seconds`.

        Packets that a container put together have one position.
        """
        if position is None or position < 0 or not size:
            return 0.0
        together = position == self._position and self.end is not None
        lost = 0 if self.end is None or together else position - self.end
        known = self._bytes > 0 and self._seconds > 0
        self.end = (self.end or 0) + size if together else position + size
        self._position = position
        self._bytes += size
        self._seconds += seconds
        return lost * (self._seconds / self._bytes) if known and lost > 0 else 0.0
