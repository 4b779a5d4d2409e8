"""What a live voice sounds like, where the operator asks for it and the model has a head for it."""

from typing import TYPE_CHECKING, Any

from speakerid.dashboard.shared import words

if TYPE_CHECKING:
    from speakerid.identify import Decision

NOT_AVAILABLE = "The guess is not available with this voice model."


class GenderGuess:
    """The head's words for one decision. Remembers nothing of a voice.

    Args:
        head: `GenderHead` of the model that makes the embeddings.
    """

    def __init__(self, head: Any):
        self._head = head

    def __call__(self, decision: "Decision") -> dict[str, str] | None:
        """What the voice sounds like; None where nobody speaks."""
        if decision.embedding is None:
            return None
        read = self._head.read(decision.embedding)
        return words.gender(read.label, read.probability)

    @staticmethod
    def load(model_id: str) -> "GenderGuess | None":
        """For the embeddings of this model; None where it has no such head."""
        from speakerid.identify.gender import GenderHead

        head = GenderHead.load(model_id)
        return None if head is None else GenderGuess(head)
