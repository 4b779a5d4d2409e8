"""Small heads on the embedding of one model: logistic regressions, stored beside the model's weights."""

from functools import lru_cache
from pathlib import Path
from typing import Self

import numpy as np

from speakerid import tensors
from speakerid.model import companions

HEADS = Path(__file__).with_name("heads")


class LinearHead:
    """Log-odds of a property of a voice, linear in its unit embedding.

    Args:
        weights: [d]; bias: a number; their sum with a unit embedding is the log-odds.
    """

    kind = ""  # names the head's file

    def __init__(self, weights: np.ndarray, bias: float):
        self.weights, self.bias = weights, bias

    @classmethod
    def load(cls, model_id: str) -> Self | None:
        """The head that was trained for a model; None where there is none."""
        for folder in (HEADS, *companions.head_folders(model_id)):
            if (stored := _load(cls.path(model_id, folder))) is not None:
                return cls(*stored)
        return None

    @classmethod
    def path(cls, model_id: str, folder: Path | None = None) -> Path:
        """Its file for a model: in the package, or where the calibration is kept that the model got."""
        return (folder or HEADS) / f"{model_id.replace('/', '--')}.{cls.kind}.safetensors"

    def log_odds(self, embeddings: np.ndarray) -> np.ndarray:
        """[...] for unit embeddings [..., d]; their mean over several embeddings is that of the voice."""
        return embeddings @ self.weights + self.bias

    def save(self, model_id: str, folder: Path | None = None) -> None:
        """Write what load() reads."""
        arrays = {"weights": self.weights.astype("f4"), "bias": np.array([self.bias], "f4")}
        tensors.write(self.path(model_id, folder), arrays)


@lru_cache(maxsize=16)
def _load(path: Path) -> tuple[np.ndarray, float] | None:
    if not path.exists():
        return None
    arrays = tensors.read(path)
    return arrays["weights"], float(arrays["bias"][0])
