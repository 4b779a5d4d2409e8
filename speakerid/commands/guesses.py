"""`identify --gender`: female or male, guessed for each turn from the sound of its voice."""

import math
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from speakerid.commands.common import note
from speakerid.errors import ModelError

if TYPE_CHECKING:
    from speakerid.conversation.entry import Entry
    from speakerid.conversation.pieces import Pieces
    from speakerid.identify.gender import Gender


class Guesses:
    """What the gender head says, a turn at a time: the mean of the log-odds heard in it.

    Raises:
        ModelError: the model has no gender head.
    """

    def __init__(self, model: str):
        from speakerid.identify.gender import ABOUT, GenderHead

        head = GenderHead.load(model)
        if head is None:
            raise ModelError(f"There is no gender head for the model {model}: leave out --gender.")
        note(ABOUT)
        self._head = head
        self._heard: list[tuple[float, float]] = []  # at (s), log-odds of "female"

    def hear(self, pieces: "Pieces") -> None:
        if len(pieces.at):
            odds = self._head.log_odds(pieces.embeddings).tolist()
            self._heard = list(zip(pieces.at.tolist(), odds, strict=True))

    def of(self, turn: "Entry") -> "Gender":
        from speakerid.identify.gender import answer_from

        first = bisect_left(self._heard, (turn.start, -math.inf))
        last = bisect_right(self._heard, (turn.end, math.inf))
        odds = [value for _, value in self._heard[first:last]]
        return answer_from(sum(odds) / len(odds) if odds else 0.0)
