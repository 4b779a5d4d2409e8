"""The live board's memory of unknown voices: a point of every stretch of speech, however long the session."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from speakerid.identify import Decision

MOST = 160  # points; where a browser draws in software, each hundred takes it some ms a picture
_LEFT = 120  # after thinning, so that it is not done at every point


@dataclass(frozen=True)
class Stranger:
    """A decision about an unknown voice, in a listening that began `offset` seconds into the session."""

    decision: "Decision"
    offset: float

    @property
    def at(self) -> float:
        """Seconds of the session."""
        return self.offset + self.decision.at

    @property
    def seconds(self) -> float:
        """Of speech that it was judged by."""
        return self.decision.details.seconds if self.decision.details else 0.0


class Strangers:
    """At most `MOST` of a session's decisions about unknown voices.

    Where they are more, the stretches with the most points lose some, so that a stranger who spoke once, long
    ago, is still seen; only of more stretches than there is room for, the shortest go altogether.
    """

    def __init__(self) -> None:
        self.kept: list[Stranger] = []

    def add(self, stranger: Stranger) -> bool:
        """Take in the latest; whether earlier ones were given up for it."""
        self.kept.append(stranger)
        if len(self.kept) <= MOST:
            return False
        stretches: dict[tuple[float, int], list[Stranger]] = {}
        for one in self.kept:
            stretches.setdefault((one.offset, one.decision.segment), []).append(one)
        groups = sorted(stretches.values(), key=lambda group: -group[-1].seconds)[:_LEFT]
        share = max(k for k in range(1, MOST) if k == 1 or sum(min(len(g), k) for g in groups) <= _LEFT)
        left = {id(one) for group in groups for one in _spread(group, share)}
        self.kept = [one for one in self.kept if id(one) in left]
        return True


def _spread(group: list[Stranger], count: int) -> list[Stranger]:
    """At most `count` of them, evenly spread, with the last: it was judged by the most speech."""
    if len(group) <= count:
        return group
    return [group[len(group) - 1 - k * len(group) // count] for k in range(count)]
