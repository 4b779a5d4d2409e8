"""One turn as people and files see it, and times as people read them."""

from dataclasses import dataclass

from speakerid.gallery import UNKNOWN


@dataclass(frozen=True)
class Entry:
    """One turn. Times are seconds of audio since the session began; confidence is its mean, 0..1.

    `named` is who the app heard; `speaker` is the same, or what a person corrected it to, or which of several
    strangers it is ("unknown 2", where `named` is "unknown"). `beside`: it was said while somebody else had
    the word.
    """

    start: float
    end: float
    speaker: str
    confidence: float
    named: str
    beside: bool = False

    @property
    def corrected(self) -> bool:
        """Whether a person changed the name."""
        return self.speaker != self.named and not (self.named == UNKNOWN and is_stranger(self.speaker))


def is_stranger(name: str) -> bool:
    """Whether it is what a voice is called that nobody enrolled has: "unknown", "unknown 1", "unknown 2" …"""
    head, _, number = name.rpartition(" ")
    return name == UNKNOWN or (head == UNKNOWN and number.isdecimal())


def clock(seconds: float) -> str:
    """Minutes and seconds, for people: 83.4 → "1:23.4"; from an hour on "1:02:03.4"."""
    tenths = round(max(0.0, seconds) * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{head}:{rest // 10:02d}.{rest % 10}"
