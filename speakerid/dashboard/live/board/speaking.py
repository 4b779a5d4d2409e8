"""Who the live board shows now, and how surely: the latest decision in the light of those before it."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from speakerid.dashboard.shared.words import explanation, firmness, now_speaking

if TYPE_CHECKING:
    from speakerid.identify import Decision, Snapshot

Message = dict[str, Any]


class Speaking:
    """Takes the decisions of one session as they come.

    Attributes:
        decision: the latest; None where nobody is shown.
    """

    def __init__(self) -> None:
        self.decision: Decision | None = None
        self._explained: Decision | None = None  # the latest that has reasons
        self._sure: dict[str, float] = {}  # of each name when it was last the main one
        self._firm = 1.0  # how far the decision is from a first impression
        self._gendered: Message | None = None

    def nobody(self) -> None:
        """Nobody is shown any more."""
        self.decision = self._gendered = None

    def take(
        self,
        snapshot: "Snapshot",
        pending: "Sequence[Decision]",
        gender: "Callable[[Decision], Message | None] | None",
    ) -> None:
        """The Engine's picture, and the decisions since the last one; `gender` as `Board.gender`."""
        for decision in pending or [snapshot.decision]:
            self._firm = firmness(decision, self.decision, self._firm)
            self.decision = decision
            if decision is not None and decision.speaker is not None:
                self._sure[decision.speaker] = decision.confidence
        if snapshot.decision is not None and snapshot.decision.details is not None:
            self._explained = snapshot.decision
        if pending and self.decision is not None:
            self._gendered = gender(self.decision) if gender else None

    def scores(self, names: Sequence[str]) -> list[float]:
        """Each name's probability; who speaks beside the main voice is as sure as when heard alone."""
        scores = dict(self.decision.scores) if self.decision else {}
        for name in self.decision.also if self.decision else ():
            scores[name] = max(scores.get(name, 0.0), self._sure.get(name, 0.0))
        return [round(float(scores.get(name, 0.0)), 4) for name in names]

    @property
    def told(self) -> bool:
        """Whether the decision has probabilities."""
        return bool(self.decision and self.decision.scores)

    def message(self, color: Callable[[str], str]) -> Message:
        """Whom to show, with what the voice sounds like."""
        return now_speaking(self.decision, color, self._firm) | {"gender": self._gendered}

    def reasons(self, names: Sequence[str]) -> Message:
        """Why, of the latest decision that says so."""
        return explanation(self._explained, names)
