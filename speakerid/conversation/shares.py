"""Who talked for how long."""

from collections.abc import Sequence
from dataclasses import dataclass

from speakerid.conversation.entry import Entry


@dataclass(frozen=True)
class Share:
    """How long one voice talked: seconds, and their share of all talking time, 0..1.

    Where people talk at once, each of them talks.
    """

    name: str
    seconds: float
    share: float


def talking_time(entries: Sequence[Entry]) -> list[Share]:
    """Everybody's share, the longest first."""
    spoken: dict[str, float] = {}
    for entry in entries:
        spoken[entry.speaker] = spoken.get(entry.speaker, 0.0) + entry.end - entry.start
    total = sum(spoken.values())
    shares = [Share(name, seconds, seconds / total if total else 0.0) for name, seconds in spoken.items()]
    return sorted(shares, key=lambda share: -share.seconds)
