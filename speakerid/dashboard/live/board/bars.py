"""The live board's bars: how probable each person is now, each in a place that stays."""

from collections.abc import Callable, Sequence
from typing import Any

from speakerid.dashboard.shared.colors import UNKNOWN, UNKNOWN_LOOK
from speakerid.dashboard.shared.figure_parts import short
from speakerid.identify.decision import sure
from speakerid.plural import counted

Message = dict[str, Any]

PLACES = 12  # people with a bar of their own; a back row could not read more
_ENTERS = 0.1  # the probability with which somebody without a bar gets one
_FADES = 0.98  # a decision; what somebody was lately decides whose bar that is


class Bars:
    """Bars of the people who take part, of "unknown" last, and of all others in one where they are many.

    Args:
        names: who takes part, and "unknown" last.
        color: the CSS color of a name.
    """

    def __init__(self, names: Sequence[str], color: Callable[[str], str]):
        self._names = list(names)
        self._color = color
        people = len(names) - 1
        self._crowded = people > PLACES
        self._shown = list(range(PLACES - 1 if self._crowded else people))
        self._lately = [0.0] * people

    def take(self, scores: Sequence[float]) -> None:
        """Probabilities [names] of a decision; in a crowd, who is likely gets the least likely one's bar."""
        if not self._crowded:
            return
        people = scores[:-1]
        self._lately = [max(_FADES * before, p) for before, p in zip(self._lately, people, strict=True)]
        for person in sorted(range(len(people)), key=lambda k: -people[k]):
            if people[person] < _ENTERS:
                break
            least = min(range(len(self._shown)), key=lambda place: self._lately[self._shown[place]])
            if person not in self._shown and self._lately[self._shown[least]] < people[person]:
                self._shown[least] = person

    def message(self, scores: Sequence[float], *, told: bool) -> Message:
        """The bars for probabilities [names]: length, text (none unless `told`), label and color of each."""
        lengths = [scores[person] for person in self._shown]
        labels = [short(self._names[person]) for person in self._shown]
        colors = [self._color(self._names[person]) for person in self._shown]
        if self._crowded:
            lengths.append(round(sum(scores[:-1]) - sum(lengths), 4))
            labels.append(counted(len(scores) - 1 - len(self._shown), "other"))
            colors.append(UNKNOWN_LOOK.color)
        lengths, labels = [*lengths, scores[-1]], [*labels, UNKNOWN]
        colors.append(self._color(UNKNOWN))
        text = [sure(p) if told else "" for p in lengths]
        return {"p": lengths, "text": text, "labels": labels, "colors": colors}
