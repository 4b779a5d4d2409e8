"""People enrolled in memory, for what needs no folder."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Person:
    """As much of a voiceprint as listening needs."""

    name: str
    model: str
    embeddings: np.ndarray
    seconds: np.ndarray


class People:
    """A gallery in memory."""

    def __init__(self, *people: Person):
        self.people = list(people)

    def speakers(self) -> list[Person]:
        return self.people
