"""A guess from the sound of a voice, female or male, in the terms of the recordings it was learned from.

What it can know: which of the two labels adults with such a voice had in LibriSpeech and speechocean762.
What it cannot know: who somebody is, how they see themselves, or anything of children, whose voices it
was not taught; many adults' voices lie in between, and it then says "not sure".
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from speakerid.model.linear import LinearHead

SURE = 0.8  # probability below which the answer is "not sure"
ABOUT = (
    "A guess from the sound of the voice, in the two labels that its training data knew (women and men, "
    "adults). It is wrong for many voices, was not taught children's, and says nothing about who somebody is."
)


@dataclass(frozen=True)
class Gender:
    """probability: of `label`; of the likelier of the two where the label is "not sure"."""

    label: Literal["female", "male", "not sure"]
    probability: float


class GenderHead(LinearHead):
    """Log-odds of "female"."""

    kind = "gender"

    def female(self, embeddings: np.ndarray) -> np.ndarray:
        """Probability of "female" [n] for unit embeddings [n, d]."""
        return 1 / (1 + np.exp(-self.log_odds(embeddings)))

    def read(self, embedding: np.ndarray) -> Gender:
        """The answer for one unit embedding [d]."""
        return answer_from(float(self.log_odds(embedding)))


def answer_from(log_odds: float) -> Gender:
    """The answer to log-odds of "female"."""
    female = 1 / (1 + np.exp(-log_odds))
    probability = float(max(female, 1 - female))
    if probability < SURE:
        return Gender("not sure", probability)
    return Gender("female" if female > 0.5 else "male", probability)
