"""One turn as people and files see it, and times as people read them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One turn. Times are seconds of audio since the session began; confidence is its mean, 0..1.

    `named` is who the app heard; `speaker` is the same, or what a person corrected it to. `beside`: it was
    said while somebody else had the word.
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
        return self.speaker != self.named


def clock(seconds: float) -> str:
    """Minutes and seconds, for people: 83.4 → "1:23.4"; from an hour on "1:02:03.4"."""
    tenths = round(max(0.0, seconds) * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{head}:{rest // 10:02d}.{rest % 10}"
