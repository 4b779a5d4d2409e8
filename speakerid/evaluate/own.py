"""How well the people enrolled here can be told apart: each recording tried as if it had not been enrolled.

A piece of a recording is compared with everybody; its own person takes part with the exemplars of the other
recordings only (leave one out), and once more not at all, as a stranger would. So nothing is compared with
itself, and the figures are those of a first answer on the live page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from speakerid.gallery import Voiceprint
    from speakerid.identify.scoring import Scorer

MIN_PEOPLE = 2
MIN_RECORDINGS = 2  # a person, so that one can be left out
OVERLAP = 0.2  # mean of both error rates above which no threshold is worth suggesting
MINIMUM = f"This needs at least {MIN_PEOPLE} people, each enrolled from at least {MIN_RECORDINGS} recordings."


@dataclass(frozen=True)
class Exemplars:
    """Somebody with part of their exemplars: embeddings [k, d] unit rows, seconds [k]."""

    name: str
    embeddings: np.ndarray
    seconds: np.ndarray


@dataclass(frozen=True)
class Threshold:
    """A threshold on the probability and what it costs, in pieces of recordings.

    Attributes:
        refused: of `tried` pieces, how many would not be shown under their person's name.
        named: of `strangers` pieces whose person is not enrolled, how many would be shown under some name.
    """

    value: float
    refused: int
    tried: int
    named: int
    strangers: int

    @property
    def cost(self) -> float:
        """Mean of both error rates."""
        return (self.refused / self.tried + self.named / self.strangers) / 2


@dataclass(frozen=True)
class Reliability:
    """How surely one person is named.

    Attributes:
        named: of `tried` pieces of their recordings, how many are shown under their name.
        taken_for: who else they are shown as most often, and in how many pieces; ("", 0) for nobody.
    """

    name: str
    named: int
    tried: int
    taken_for: tuple[str, int]


@dataclass(frozen=True)
class Tries:
    """What came out, piece by piece.

    Attributes:
        names: [p], everybody who took part.
        owner: int [m], whose piece; source: [m], which recording.
        posterior: float [m, p + 1], probabilities of each name and of "unknown"; the person enrolled from
            other recordings.
        target: float [m], log-likelihood ratio of the piece's own person.
        stranger: float [s], highest probability of a name, the person not enrolled.
        nontarget: float [n], log-likelihood ratios of other people.
        single: names of those with too few recordings to leave one out.
        calibrated: whether the scores were calibrated for this model.
    """

    names: tuple[str, ...]
    owner: np.ndarray
    source: tuple[str, ...]
    posterior: np.ndarray
    target: np.ndarray
    stranger: np.ndarray
    nontarget: np.ndarray
    single: tuple[str, ...]
    calibrated: bool

    @property
    def recordings(self) -> int:
        """How many recordings were left out in turn."""
        return len(set(zip(self.owner.tolist(), self.source, strict=True)))

    @property
    def enough(self) -> bool:
        """Whether there is enough to measure (MINIMUM)."""
        return len(set(self.owner.tolist())) >= MIN_PEOPLE

    def shown(self, threshold: float) -> np.ndarray:
        """int [m]: the name shown for each piece, len(names) for "unknown"."""
        best = self.posterior[:, :-1].argmax(axis=1)
        enough = self.posterior[np.arange(len(best)), best] >= threshold
        return np.where(enough, best, len(self.names))

    def confusion(self, threshold: float) -> np.ndarray:
        """int [p, p + 1]: pieces of each person (rows) by what was shown for them."""
        counts = np.zeros((len(self.names), len(self.names) + 1), int)
        np.add.at(counts, (self.owner, self.shown(threshold)), 1)
        return counts

    def at(self, threshold: float) -> Threshold:
        """What a threshold costs."""
        refused = int((self.shown(threshold) != self.owner).sum())
        named = int((self.stranger >= threshold).sum())
        return Threshold(threshold, refused, len(self.owner), named, len(self.stranger))

    def reliability(self, threshold: float) -> list[Reliability]:
        """How surely each person is named at a threshold, the least sure first; only who could be tried."""
        counts = self.confusion(threshold)
        found = []
        for person in np.flatnonzero(counts.sum(axis=1)):
            others = counts[person, :-1].copy()
            others[person] = 0
            worst = int(others.argmax())
            taken_for = (self.names[worst], int(others[worst])) if others[worst] else ("", 0)
            named, tried = int(counts[person, person]), int(counts[person].sum())
            found.append(Reliability(self.names[person], named, tried, taken_for))
        return sorted(found, key=lambda one: one.named / one.tried)

    def best_threshold(self) -> Threshold:
        """The threshold with the lowest cost, in the middle of the widest range that has it; steps of 1 %."""
        candidates = [self.at(step / 100) for step in range(1, 100)]
        least = min(one.cost for one in candidates)
        runs: list[list[Threshold]] = [[]]
        for one in candidates:
            if one.cost == least:
                runs[-1].append(one)
            elif runs[-1]:
                runs.append([])
        widest = max(runs, key=len)
        return widest[len(widest) // 2]

    def confused(self, threshold: float) -> list[tuple[str, str, int]]:
        """Pairs (whose voice, shown as, how many pieces) of different people, the most frequent first."""
        counts = self.confusion(threshold)[:, :-1]
        np.fill_diagonal(counts, 0)
        order = np.argsort(-counts, axis=None, kind="stable")
        rows, columns = np.unravel_index(order, counts.shape)
        pairs = zip(rows, columns, strict=True)
        return [(self.names[a], self.names[b], int(counts[a, b])) for a, b in pairs if counts[a, b]]


def leave_one_out(people: Sequence[Voiceprint], scorer: Scorer) -> Tries:
    """Try every exemplar of people enrolled with one model, without the recording that it comes from.

    Exemplars with the same source count as one recording.
    """
    from speakerid.identify.tracker import Tracker, TrackerConfig

    def score(embeddings: np.ndarray, seconds: np.ndarray, gallery: Sequence) -> np.ndarray:
        return scorer.score(embeddings, seconds, scorer.profiles(list(gallery))).llr  # [n, people]

    def posterior(llr: np.ndarray) -> np.ndarray:
        rows = [Tracker(llr.shape[1], TrackerConfig()).hear(row, True) for row in llr]
        return np.array(rows).reshape(len(llr), llr.shape[1] + 1)

    owner, source, own, probability = [], [], [], []
    stranger, nontarget, single = [], [], []
    for i, person in enumerate(people):
        others = [*people[:i], *people[i + 1 :]]
        if others:
            llr = score(person.embeddings, person.seconds, others)
            nontarget.append(llr.ravel())
            stranger.append(posterior(llr)[:, :-1].max(axis=1))
        recordings = list(dict.fromkeys(person.sources))
        if len(recordings) < MIN_RECORDINGS:
            single.append(person.name)
            continue
        for recording in recordings:
            out = np.array([label == recording for label in person.sources])
            rest = Exemplars(person.name, person.embeddings[~out], person.seconds[~out])
            gallery = [*people[:i], rest, *people[i + 1 :]]
            llr = score(person.embeddings[out], person.seconds[out], gallery)
            own.append(llr[:, i])
            probability.append(posterior(llr))
            owner += [i] * len(llr)
            source += [recording] * len(llr)
    return Tries(
        names=tuple(person.name for person in people),
        owner=np.array(owner, int),
        source=tuple(source),
        posterior=np.concatenate(probability) if probability else np.zeros((0, len(people) + 1)),
        target=np.concatenate(own) if own else np.zeros(0),
        stranger=np.concatenate(stranger) if stranger else np.zeros(0),
        nontarget=np.concatenate(nontarget) if nontarget else np.zeros(0),
        single=tuple(single),
        calibrated=scorer.calibrated,
    )


def error_still_possible(tries: int) -> float:
    """The error rate that no error in so many independent tries cannot rule out at 95 % (exact binomial)."""
    return 1 - 0.05 ** (1 / tries)
