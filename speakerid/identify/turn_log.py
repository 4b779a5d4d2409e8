"""From decisions to turns: who spoke when, as far as it is known."""

import numpy as np

from speakerid.identify.decision import UNKNOWN, Decision, Turn


class TurnLog:
    """Puts decisions together to turns."""

    JOIN_SECONDS = 0.8  # pauses up to this long belong to a turn when the same person goes on
    BESIDE_SECONDS = 0.4  # the same of what is said beside somebody, between two looks at least

    def __init__(self) -> None:
        self._turns: list[Turn] = []
        self._beside: list[Turn] = []
        self._segment = -1  # the one that the last turn ends in
        self._since = 0.0  # where that segment's share of the last turn begins
        # Confidences that count: of the last turn but one, of the last one until `_since`, and from there.
        self._before: list[float] = []
        self._until: list[float] = []
        self._heard: list[float] = []

    @property
    def turns(self) -> list[Turn]:
        """In the order of their beginnings."""
        if not self._beside:
            return list(self._turns)
        return sorted([*self._turns, *self._beside], key=lambda turn: (turn.start, turn.beside))

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

    def add_beside(self, name: str, start: float, end: float, confidence: float) -> None:
        """Somebody speaks from start to end (s) beside the main voice."""
        for index in range(len(self._beside) - 1, max(len(self._beside) - 3, -1), -1):
            turn = self._beside[index]
            if turn.speaker == name and start - turn.end <= self.BESIDE_SECONDS:
                self._beside[index] = Turn(turn.start, end, name, max(confidence, turn.confidence), True)
                return
        self._beside.append(Turn(start, end, name, confidence, True))

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
