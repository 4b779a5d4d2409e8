"""By how much sound was raised when it came in: what is kept of it is louder than it was.

Enrollment judges what is too quiet by the level before that.
"""

from bisect import bisect_left, bisect_right

_LEAST_DB = 0.5  # a smaller change is not noted


class Gains:
    """The gain of a sound over its time, in samples."""

    def __init__(self) -> None:
        self._at: list[int] = []
        self._db: list[float] = []

    def note(self, at: int, gain_db: float) -> None:
        """From this sample on, the sound was raised by so many dB."""
        if not self._at or abs(gain_db - self._db[-1]) >= _LEAST_DB:
            if self._at and self._at[-1] >= at:  # another stream begins earlier than the last one ended
                keep = bisect_left(self._at, at)
                del self._at[keep:], self._db[keep:]
            self._at.append(at)
            self._db.append(gain_db)

    def between(self, first: int, last: int) -> float:
        """The mean gain from one sample to another, in dB; 0 where nothing is known."""
        begin = max(0, bisect_right(self._at, first) - 1)
        total = 0.0
        for k in range(begin, bisect_left(self._at, last)):
            until = self._at[k + 1] if k + 1 < len(self._at) else last
            total += self._db[k] * (min(until, last) - max(self._at[k], first))
        return total / max(1, last - first)
