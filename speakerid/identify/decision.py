"""What the Listener says: decisions while it listens, turns afterwards."""

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
        embedding: [192] float32 of unit length, of the window that was scored; None for nobody.
        segment: number of the stretch of speech; the same voice, as far as the Listener noticed.
        start: seconds at which that stretch began.
    """

    at: float
    speaker: str | None
    confidence: float
    scores: dict[str, float] = field(default_factory=dict)
    embedding: np.ndarray | None = None
    details: Details | None = None
    segment: int = 0
    start: float = 0.0

    def __repr__(self) -> str:
        return f"<Decision {self.at:.1f} s: {self.speaker or 'nobody'}, {sure(self.confidence)}>"


@dataclass(frozen=True)
class Turn:
    """One person's stretch of speech, in seconds from the start.

    Its confidence is the mean of the decisions that gave it its name; where a voice was called otherwise at
    first, those decisions do not count.
    """

    start: float
    end: float
    speaker: str
    confidence: float


class TurnLog:
    """Puts decisions together to turns."""

    JOIN_SECONDS = 0.8  # pauses up to this long belong to a turn when the same person goes on

    def __init__(self) -> None:
        self._turns: list[Turn] = []
        self._segment = -1  # the one that the last turn ends in
        self._since = 0.0  # where that segment's share of the last turn begins
        # Confidences that count: of the last turn but one, of the last one until `_since`, and from there.
        self._before: list[float] = []
        self._until: list[float] = []
        self._heard: list[float] = []

    @property
    def turns(self) -> list[Turn]:
        return list(self._turns)

    @property
    def last(self) -> Turn | None:
        """The latest turn."""
        return self._turns[-1] if self._turns else None

    def add(self, decision: Decision, end: float) -> None:
        """Take in a decision about speech that lasted until `end` (s)."""
        if decision.speaker is None:
            return
        last = self._turns[-1] if self._turns else None
        same_segment = last is not None and decision.segment == self._segment
        joins = same_segment or (last is not None and decision.start - last.end <= self.JOIN_SECONDS)
        if last and joins and decision.speaker == last.speaker:
            if not same_segment:
                self._segment, self._since = decision.segment, decision.start
                self._until, self._heard = self._until + self._heard, []
            self._heard.append(decision.confidence)
            self._replace(last.start, end, last.speaker)
            return
        if last and same_segment:
            # The same voice, judged better now: what it was called before is corrected.
            self._heard = []
            if self._since > last.start:
                self._replace(last.start, self._since, last.speaker)
                self._begin(decision, self._since, end)
            else:
                self._heard = [decision.confidence]
                self._replace(last.start, end, decision.speaker)
                self._join_backwards()
            return
        start = max(decision.start, last.end if last else 0.0)
        self._begin(decision, start, end)

    def end_at(self, seconds: float) -> None:
        """The segment that the last turn belongs to ended (s)."""
        if self._turns and seconds > self._turns[-1].start:
            last = self._turns[-1]
            self._replace(last.start, seconds, last.speaker)

    def _begin(self, decision: Decision, start: float, end: float) -> None:
        self._before, self._until, self._heard = self._until + self._heard, [], [decision.confidence]
        self._segment, self._since = decision.segment, start
        self._turns.append(Turn(start, max(end, start), decision.speaker or UNKNOWN, decision.confidence))

    def _replace(self, start: float, end: float, speaker: str) -> None:
        self._turns[-1] = Turn(start, end, speaker, float(np.mean(self._until + self._heard)))

    def _join_backwards(self) -> None:
        """A corrected turn may turn out to go on with the one before it."""
        if len(self._turns) < 2:
            return
        before, last = self._turns[-2:]
        if before.speaker == last.speaker and last.start - before.end <= self.JOIN_SECONDS:
            self._turns.pop()
            self._until, self._before = self._before, []
            self._replace(before.start, last.end, last.speaker)
