"""Who is served worse? Error rates of one sex, or one language, at the threshold that all of a corpus share.

An equal error rate of each group would give each a threshold of its own, and hide what people meet: the app
has one. So the threshold is where the whole corpus errs equally often on both sides, and what a group sees is
how often its own voices are missed there, and how often two of its people are taken for one.
"""

from collections.abc import Sequence

import numpy as np

from speakerid.evaluate.trials import Utterance
from speakerid.evaluate.verification import Result

LENGTH = "2 s"
KINDS = ("sex", "language")
WORDS = {"f": "women", "m": "men"}
FEWEST_SPEAKERS = 5  # of a group; fewer say more about themselves than about their group


def measure(results: Sequence[Result], utterances: Sequence[Utterance]) -> list[dict]:
    """One row a group: of each result at LENGTH, for each sex and language that the manifest names.

    Returns:
        Rows with the result's key, `by` ("sex", "language"), `group`, speakers, recordings, target_trials,
        nontarget_trials, missed (share of target trials refused) and taken (share of non-target trials
        accepted); null where there is no such trial. The worst groups of a kind come first.
    """
    by_label = {one.label: one for one in utterances}
    rows = []
    for result in results:
        if result.length != LENGTH:
            continue
        people = [by_label[label] for label in result.labels]
        accepted = result.scores >= result.figures["eer_threshold"]
        for kind in KINDS:
            found = [
                _row(result, accepted, people, kind, value)
                for value in sorted({getattr(one, kind) for one in people} - {""})
            ]
            found = [row for row in found if row["speakers"] >= FEWEST_SPEAKERS]
            if len(found) > 1:
                rows += sorted(found, key=_harm, reverse=True)
    return rows


def _row(result: Result, accepted: np.ndarray, people: list[Utterance], kind: str, value: str) -> dict:
    inside = np.array([getattr(one, kind) == value for one in people])
    trials = result.trials
    of_group = inside[trials.enroll] & inside[trials.test]
    target, other = of_group & trials.target, of_group & ~trials.target
    return result.key() | {
        "by": kind,
        "group": WORDS.get(value, value) if kind == "sex" else value,
        "speakers": len({one.speaker for one, kept in zip(people, inside, strict=True) if kept}),
        "recordings": int(inside.sum()),
        "target_trials": int(target.sum()),
        "nontarget_trials": int(other.sum()),
        "missed": float((~accepted)[target].mean()) if target.any() else None,
        "taken": float(accepted[other].mean()) if other.any() else None,
    }


def _harm(row: dict) -> float:
    return (row["missed"] or 0.0) + (row["taken"] or 0.0)
