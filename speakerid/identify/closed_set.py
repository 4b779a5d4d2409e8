"""People as the classification head knows them, for a Listener that is told that only they speak."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from speakerid.identify.scoring import Enrolled
from speakerid.model.prototypes import prototypes


@dataclass(frozen=True)
class Tuned:
    """A person with one prototype in place of the exemplars; the seconds of speech stay known."""

    name: str
    embeddings: np.ndarray
    seconds: np.ndarray


def tuned(people: Sequence[Enrolled]) -> list[Enrolled]:
    """The same people by prototypes that were fine-tuned on all of them together."""
    if not people:
        return []
    rows = prototypes([person.embeddings for person in people])
    return [
        Tuned(person.name, row[None], np.sum(person.seconds, keepdims=True))
        for person, row in zip(people, rows, strict=True)
    ]
