"""What is counted and measured where a quality gate is tried."""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from speakerid.gallery.voiceprint import unit
from speakerid.model.embedder import Embedder

_SPECIFIC = re.compile(r'"[^"]*"|\d+(\.\d+)?')


@dataclass
class Tried:
    """What the gate said to enrollments of one kind.

    Attributes:
        tried: how many enrollments.
        refused: the first reason, once for each refused enrollment.
    """

    tried: int = 0
    refused: list[str] = field(default_factory=list)

    def add(self, reasons: Sequence[str]) -> None:
        """Count an enrollment, refused for these reasons or accepted for none."""
        self.tried += 1
        self.refused += [reasons[0]] if reasons else []

    @property
    def share_refused(self) -> float:
        """0..1."""
        return len(self.refused) / max(self.tried, 1)

    def reasons(self) -> dict[str, int]:
        """How often each reason, what stands in quotation marks and numbers left out; most frequent first."""
        return dict(Counter(_SPECIFIC.sub("…", reason) for reason in self.refused).most_common())


@dataclass
class Measured:
    """What a threshold cuts, of recordings on its two sides.

    Attributes:
        name, value: the threshold in `speakerid.gallery.enrollment` or `.voices`.
        above: whether good ones lie above it.
        good, bad: the measures.
    """

    name: str
    value: float
    above: bool
    good: list[float] = field(default_factory=list)
    bad: list[float] = field(default_factory=list)

    def quantiles(self, shares: Sequence[float], side: str) -> list[float]:
        """The values beyond which these shares (0..1) of the good are refused, or of the bad accepted."""
        values, low = (self.good, self.above) if side == "good" else (self.bad, not self.above)
        if not values:
            return []
        return [float(np.quantile(values, share if low else 1 - share)) for share in shares]

    def lost(self, at: float) -> tuple[float, float]:
        """Shares (0..1) of good ones refused and of bad ones accepted with the threshold there."""
        good, bad = np.array(self.good), np.array(self.bad)
        refused = good < at if self.above else good > at
        accepted = bad >= at if self.above else bad <= at
        return float(refused.mean()) if len(good) else 0.0, float(accepted.mean()) if len(bad) else 0.0


class Remembering:
    """An encoder that embeds each recording once; the gate and the measures look at the same ones."""

    def __init__(self, encoder: Embedder):
        self._encoder = encoder
        self._known: dict[bytes, np.ndarray] = {}

    @property
    def id(self) -> str:
        """That of the encoder."""
        return self._encoder.id

    def embed(self, blocks: list[np.ndarray]) -> np.ndarray:
        """As the encoder does."""
        keys = [hashlib.blake2b(block.astype(np.float32).tobytes()).digest() for block in blocks]
        new = {key: block for key, block in zip(keys, blocks, strict=True) if key not in self._known}
        if new:
            self._known.update(zip(new, self._encoder.embed(list(new.values())), strict=True))
        return np.stack([self._known[key] for key in keys])


def agreement(embeddings: np.ndarray) -> np.ndarray:
    """Cosine of each exemplar [k, d] with the mean of the others, [k]; of a single one nothing, [0]."""
    if len(embeddings) < 2:
        return np.empty(0, np.float32)
    others = unit(embeddings.sum(axis=0) - embeddings)
    return np.einsum("ij,ij->i", others, embeddings)
