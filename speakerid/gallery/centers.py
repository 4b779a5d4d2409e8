"""The middle of everybody's voice, one row of one matrix a person: what a new voice is held against.

One matrix serves a whole process. It is made once for each model, and when somebody is enrolled, changed or
removed only their rows are made anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import is_
from typing import Protocol

import numpy as np

from speakerid.gallery.voiceprint import unit


class Enrolled(Protocol):
    """What comparing needs of a voiceprint."""

    @property
    def name(self) -> str: ...
    @property
    def embeddings(self) -> np.ndarray: ...
    @property
    def seconds(self) -> np.ndarray: ...


@dataclass(frozen=True, eq=False)
class Centers:
    """People [p], and of each the mean of the exemplars, of unit length: rows float32 [p, d]."""

    people: tuple[Enrolled, ...]
    rows: np.ndarray

    @cached_property
    def _row(self) -> dict[int, int]:
        return {id(person): row for row, person in enumerate(self.people)}

    def known(self, people: Sequence[Enrolled]) -> np.ndarray:
        """The row of each of these people here; -1 for those who are not here as they are now."""
        row = self._row
        return np.fromiter((row.get(id(person), -1) for person in people), int, len(people))

    def are_of(self, people: Sequence[Enrolled]) -> bool:
        """Whether they are these people, in this order."""
        return len(people) == len(self.people) and all(map(is_, people, self.people))


_latest: dict[str, Centers] = {}
"""By model, those that were asked for last."""


def centers_of(people: Sequence[Enrolled]) -> Centers:
    """The centers of people whose voiceprints one model made."""
    model = getattr(people[0], "model", None) if people else None
    before = _latest.get(model) if model else None
    if before and before.are_of(people):
        return before
    made = Centers(tuple(people), _rows(people, before))
    if model:
        _latest[model] = made
    return made


def gathered(before: np.ndarray, known: np.ndarray, new: np.ndarray) -> np.ndarray:
    """The known ones of what there was before, in their order, and the new ones where `known` says -1."""
    if not len(before):
        return new
    if not len(new):
        return before[known]
    rows = np.empty((len(known), *before.shape[1:]), before.dtype)
    there = known >= 0
    rows[there], rows[~there] = before[known[there]], new
    return rows


def _rows(people: Sequence[Enrolled], before: Centers | None) -> np.ndarray:
    if not before:
        return _means(people)
    known = before.known(people)
    return gathered(before.rows, known, _means([people[i] for i in np.flatnonzero(known < 0).tolist()]))


def _means(people: Sequence[Enrolled]) -> np.ndarray:
    if not people:
        return np.zeros((0, 0), np.float32)
    first = np.cumsum([0, *(len(person.embeddings) for person in people)])
    exemplars = np.concatenate([np.asarray(person.embeddings, np.float32) for person in people])
    sums = np.add.reduceat(exemplars, first[:-1], axis=0)
    return unit(sums / np.diff(first)[:, None])
