"""What the Listener says: decisions while it listens, turns afterwards (turn_log.py puts them together)."""

from dataclasses import dataclass, field

import numpy as np

UNKNOWN = "unknown"


def sure(probability: float) -> str:
    """A probability (0..1) as it is written everywhere: what would round to 100 % is not called certain."""
    return "over 99%" if probability >= 0.995 else f"{probability:.0%}"


@dataclass(frozen=True)
class Details:
    """Why a decision came out as it did; every dict is by enrolled name."""

    cosine: dict[str, float]
    normalized: dict[str, float]  # cosine after adaptive s-norm with the cohort; empty without one
    llr: dict[str, float]  # natural log-likelihood ratio: this person against anybody else
    seconds: float  # of audio in the window that was scored
    runner_up: str | None
    reason: str


@dataclass(frozen=True, eq=False)
class Decision:
    """Who is speaking, as far as the audio heard up to `at` tells.

    Attributes:
        at: seconds of audio heard when this was published.
        speaker: an enrolled name, "unknown" for a stranger, None for nobody.
        confidence: probability (0..1) that `speaker` is right; 1.0 for nobody.
        scores: probability of each enrolled name and of "unknown", adding up to 1; empty for nobody.
        embedding: [d] float32 of unit length, of the window that was scored; None for nobody.
        segment: number of the stretch of speech; the same voice, as far as the Listener noticed.
        start: seconds at which that stretch began.
        also: who else speaks at the same time: names, "unknown" for each whom nobody knows.
    """

    at: float
    speaker: str | None
    confidence: float
    scores: dict[str, float] = field(default_factory=dict[str, float])
    embedding: np.ndarray | None = None
    details: Details | None = None
    segment: int = 0
    start: float = 0.0
    also: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Decision {self.at:.1f} s: {self.speaker or 'nobody'}, {sure(self.confidence)}>"


@dataclass(frozen=True)
class Turn:
    """One person's stretch of speech, in seconds from the start.

    Its confidence is the mean of the decisions that gave it its name; where a voice was called otherwise at
    first, those decisions do not count.

    beside: said while somebody else had the word; such turns overlap with others.
    """

    start: float
    end: float
    speaker: str
    confidence: float
    beside: bool = False
