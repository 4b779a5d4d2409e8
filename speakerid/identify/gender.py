"""A guess from the sound of a voice, female or male, in the terms of the recordings it was learned from.

What it can know: which of the two labels adults with such a voice had in LibriSpeech and speechocean762.
What it cannot know: who somebody is, how they see themselves, or anything of children, whose voices it
was not taught; many adults' voices lie in between, and it then says "not sure".
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np

from speakerid.identify.scoring import CALIBRATIONS

SURE = 0.7  # probability below which the answer is "not sure"
ABOUT = (
    "A guess from the sound of the voice, in the two labels that its training data knew (women and men, "
    "adults). It is wrong for many voices, was not taught children's, and says nothing about who somebody is."
)


@dataclass(frozen=True)
class Gender:
    """probability: of `label`; of the likelier of the two where the label is "not sure"."""

    label: Literal["female", "male", "not sure"]
    probability: float


class GenderHead:
    """Logistic regression on the embedding of one model.

    Args:
        weights: [192]; bias: a number; their sum with a unit embedding is the log-odds of "female".
    """

    def __init__(self, weights: np.ndarray, bias: float):
        self.weights, self.bias = weights, bias

    @staticmethod
    def load(model_id: str) -> "GenderHead | None":
        """The head that was trained for a model; None where there is none."""
        return _load(CALIBRATIONS / file_name(model_id))

    def female(self, embeddings: np.ndarray) -> np.ndarray:
        """Probability of "female" [n] for unit embeddings [n, 192]."""
        return 1 / (1 + np.exp(-(embeddings @ self.weights + self.bias)))

    def log_odds(self, embedding: np.ndarray) -> float:
        """Log-odds of "female" for one unit embedding [192]; their mean is that of several."""
        return float(embedding @ self.weights + self.bias)

    def read(self, embedding: np.ndarray) -> Gender:
        """The answer for one unit embedding [192]."""
        return answer_from(self.log_odds(embedding))

    def save(self, model_id: str, folder: Path = CALIBRATIONS) -> None:
        """Write what load() reads."""
        from safetensors.numpy import save_file

        tensors = {"weights": self.weights.astype("f4"), "bias": np.array([self.bias], "f4")}
        save_file(tensors, folder / file_name(model_id))


def answer_from(log_odds: float) -> Gender:
    """The answer to log-odds of "female"."""
    female = 1 / (1 + np.exp(-log_odds))
    probability = float(max(female, 1 - female))
    if probability < SURE:
        return Gender("not sure", probability)
    return Gender("female" if female > 0.5 else "male", probability)


def file_name(model_id: str) -> str:
    return f"{model_id.replace('/', '--')}.gender.safetensors"


@lru_cache(maxsize=8)
def _load(path: Path) -> GenderHead | None:
    if not path.exists():
        return None
    from safetensors.numpy import load_file

    tensors = load_file(path)
    return GenderHead(tensors["weights"], float(tensors["bias"][0]))
