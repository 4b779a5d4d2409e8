"""What turns speech into embeddings, as all that compare voices ask for it."""

from typing import Protocol

import numpy as np


class Embedder(Protocol):
    """What is needed of `speakerid.model.Encoder`, or of whatever stands in for it."""

    @property
    def id(self) -> str:
        """Name and version of the model; embeddings are compared only where it is the same."""
        ...

    def embed(self, blocks: list[np.ndarray]) -> np.ndarray:
        """float32 [n, d], unit rows, for n recordings [samples] at 16 kHz."""
        ...
