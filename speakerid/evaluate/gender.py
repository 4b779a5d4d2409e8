"""How often the gender head answers, and how often it is right, on the adults among labelled recordings."""

from __future__ import annotations

import numpy as np

from speakerid.evaluate.calibration import logistic
from speakerid.evaluate.embedding import Embedded
from speakerid.identify.gender import SURE, GenderHead

LENGTH = "2 s"
SHRINKAGE = 0.5  # of the scatter to an even one; less fits the speakers better, more their channels
FOLDS = 5
ADULT = 18  # years; a recording without an age counts as an adult's, as corpora of adults give none


def measure(embedded: Embedded, rounds: int = 300, seed: int = 0) -> list[dict]:
    """One row for each model that has a head and each condition: shares answered and right.

    Intervals are [low, high] at 95 % over draws of speakers; null with fewer than 5 speakers.
    """
    adults = [i for i, u in enumerate(embedded.utterances) if u.sex in {"f", "m"} and adult(u.age)]
    if not adults:
        return []
    people = [embedded.utterances[i] for i in adults]
    female = np.array([one.sex == "f" for one in people])
    _, who = np.unique([f"{one.corpus} {one.speaker}" for one in people], return_inverse=True)
    rows = []
    for (model, condition, length), embeddings in embedded.rows.items():
        head = GenderHead.load(model)
        if length != LENGTH or head is None:
            continue
        probability = head.female(embeddings[adults])
        answered = np.maximum(probability, 1 - probability) >= SURE
        right = answered & ((probability > 0.5) == female)
        row = {"model": model, "condition": condition, "speakers": int(who.max()) + 1}
        row |= {"recordings": len(adults), "answered": float(answered.mean())}
        row |= {"right": float(right.sum() / max(answered.sum(), 1))}
        intervals = _intervals(answered, right, who, rounds, seed)
        rows.append(row | {"answered_interval": intervals[0], "right_interval": intervals[1]})
    return rows


def adult(age: str) -> bool:
    """Whether an age as manifests write it (years, or "") is an adult's."""
    try:
        return not age or float(age) >= ADULT
    except ValueError:
        return False


def learn_head(rows: np.ndarray, female: np.ndarray, owners: np.ndarray) -> GenderHead:
    """The head, from embeddings [n, d] of few speakers; owners [n] tells which rows are of one.

    Slope and offset are learned on speakers that the direction has not seen, fold by fold.
    """
    names = np.unique(owners)
    known, truth = [], []
    for fold in range(FOLDS):
        tested = np.isin(owners, names[fold::FOLDS])
        known.append(rows[tested] @ discriminant(rows[~tested], female[~tested]))
        truth.append(female[tested])
    heard = np.concatenate(known)
    slope, offset = logistic(np.stack([heard, np.ones(len(heard))], axis=1), np.concatenate(truth))
    return GenderHead(slope * discriminant(rows, female), float(offset))


def discriminant(rows: np.ndarray, female: np.ndarray) -> np.ndarray:
    """The direction [d] in which women and men of rows [n, d] lie apart against the scatter within each
    (Fisher's discriminant, the scatter shrunk as by Ledoit and Wolf, 2004).

    On speakers held out it was right more often than logistic regression with a ridge: 99.7 % to 98.8 % of
    the answers.
    """
    women, men = rows[female].mean(axis=0), rows[~female].mean(axis=0)
    apart = rows - np.where(female[:, None], women, men)
    within = apart.T @ apart / len(rows)
    even = np.trace(within) / len(within) * np.eye(len(within))
    return np.linalg.solve((1 - SHRINKAGE) * within + SHRINKAGE * even, women - men)


def _intervals(
    answered: np.ndarray, right: np.ndarray, who: np.ndarray, rounds: int, seed: int
) -> tuple[list[float] | None, list[float] | None]:
    speakers = int(who.max()) + 1
    if not rounds or speakers < 5:
        return None, None
    rng = np.random.default_rng(seed)
    # Counts of a speaker's recordings: all, answered, right.
    counts = np.stack(
        [np.bincount(who, weights=w, minlength=speakers) for w in (who * 0 + 1, answered, right)]
    )
    drawn = counts[:, rng.integers(speakers, size=(rounds, speakers))].sum(axis=2)
    shares = drawn[1] / drawn[0], drawn[2] / np.maximum(drawn[1], 1)
    low_high = [np.quantile(share, [0.025, 0.975]) for share in shares]
    return [float(v) for v in low_high[0]], [float(v) for v in low_high[1]]
