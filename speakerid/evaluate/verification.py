"""Is it the same person? Scores all pairs of embedded recordings and measures how well that tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from speakerid.evaluate import EvaluationError, metrics
from speakerid.evaluate.embedding import LENGTHS, Embedded, Progress
from speakerid.evaluate.intervals import bootstrap
from speakerid.evaluate.own import Exemplars
from speakerid.evaluate.trials import MAX_TRIALS, Trials, all_pairs

if TYPE_CHECKING:
    from speakerid.identify.scoring import Enrolled, Scorer

PEOPLE = 64  # scored at a time: bounds memory
COSINE, LLR = "cosine", "llr"


@dataclass
class Result:
    """The scores [t] of one corpus under one condition, by one model and scoring, and what they amount to."""

    model: str
    condition: str
    corpus: str
    length: str
    scoring: str
    labels: list[str]
    trials: Trials
    scores: np.ndarray
    figures: dict = field(default_factory=dict)

    def key(self) -> dict[str, str]:
        names = ("model", "condition", "corpus", "length", "scoring")
        return {name: getattr(self, name) for name in names}


def verify(
    embedded: Embedded,
    scorers: dict[str, Scorer] | None = None,
    *,
    rounds: int = 300,
    seed: int = 0,
    limit: int = MAX_TRIALS,
    progress: Progress | None = None,
) -> list[Result]:
    """Score all pairs within each corpus and measure; in the order model, condition, corpus, length, scoring.

    Args:
        scorers: by model id; a model without one, or with one that nobody calibrated, is scored by cosine
            alone.
        rounds: bootstrap draws of speakers for the intervals; 0 for none.

    Raises:
        EvaluationError: a corpus has no target or no non-target pair.
    """
    corpora: dict[str, np.ndarray] = {}
    for name in sorted({u.corpus for u in embedded.utterances}):
        corpora[name] = np.array([i for i, u in enumerate(embedded.utterances) if u.corpus == name])
    trials: dict[str, Trials] = {}
    for name, index in corpora.items():
        try:
            trials[name] = all_pairs([embedded.utterances[i].speaker for i in index], limit, seed)
        except EvaluationError as error:
            raise EvaluationError(f"Corpus {name or '(no name)'}: {error}") from error
    results = []
    jobs = [(key, name) for key in embedded.rows for name in corpora]
    for done, ((model, condition, length), name) in enumerate(jobs):
        if progress:
            progress(done, len(jobs), "scoring")
        index, pairs = corpora[name], trials[name]
        rows = embedded.rows[model, condition, length][index]
        kinds = {COSINE: cosine(rows, pairs)}
        scorer = (scorers or {}).get(model)
        if scorer is not None and scorer.calibrated:
            kinds[LLR] = log_ratios(scorer, rows, embedded.seconds[length][index], pairs)
        speakers = [embedded.utterances[i].speaker for i in index]
        labels = [embedded.utterances[i].label for i in index]
        used_whole = int(
            (embedded.seconds[length][index] < (LENGTHS[length] or 0)).sum()
        )  # shorter than that
        for scoring, scores in kinds.items():
            result = Result(model, condition, name, length, scoring, labels, pairs, scores)
            result.figures = measure(scores, pairs, speakers, scoring == LLR, rounds, seed)
            result.figures["used_whole"] = used_whole
            results.append(result)
    if progress:
        progress(len(jobs), len(jobs), "scoring")
    return results


def cosine(rows: np.ndarray, trials: Trials) -> np.ndarray:
    """Cosine similarity [t] of unit rows [n, d]."""
    out = np.empty(len(trials), np.float32)
    for first in range(0, len(trials), 50_000):  # bounds the memory for the gathered rows
        part = slice(first, first + 50_000)
        out[part] = np.einsum("td,td->t", rows[trials.enroll[part]], rows[trials.test[part]])
    return out


def log_ratios(scorer: Scorer, rows: np.ndarray, seconds: np.ndarray, trials: Trials) -> np.ndarray:
    """Natural log-likelihood ratios [t], the earlier recording of each pair as the only exemplar enrolled.

    Args:
        rows: unit embeddings [n, d], each made from so many seconds [n].
    """
    out = np.empty(len(trials))
    people: list[Enrolled] = [
        Exemplars(str(i), rows[i : i + 1], seconds[i : i + 1]) for i in range(len(rows))
    ]
    order = np.argsort(trials.enroll, kind="stable")
    for first in range(0, len(rows), PEOPLE):
        span = np.searchsorted(trials.enroll[order], [first, first + PEOPLE])
        part = order[slice(*span)]
        llr = scorer.score(rows, seconds, scorer.profiles(people[first : first + PEOPLE])).llr
        out[part] = llr[trials.test[part], trials.enroll[part] - first]
    return out


def measure(
    scores: np.ndarray, trials: Trials, speakers: Sequence[str], calibrated: bool, rounds: int, seed: int
) -> dict:
    """Every figure of one set of scores; Cllr and calibration error only of log-likelihood ratios.

    Intervals are [low, high] at 95 %, over draws of speakers; null with fewer than 5 speakers.
    """
    names, who = np.unique(np.asarray(speakers), return_inverse=True)
    target = trials.target
    table = metrics.Scores(scores[target], scores[~target])
    rates = table.rates()
    eer, threshold = metrics.equal_error(rates)
    cost, cost_threshold = metrics.detection_cost(rates)
    figures: dict = {
        "speakers": len(names),
        "recordings": len(who),
        "target_trials": int(target.sum()),
        "nontarget_trials": int((~target).sum()),
        "pairs": trials.pairs,
        "eer": eer,
        "eer_threshold": threshold,
        "min_dcf": cost,
        "min_dcf_threshold": cost_threshold,
        "min_cllr": table.min_cllr(),
        "cllr": table.cllr() if calibrated else None,
        "calibration_error": table.ece() if calibrated else None,
    }
    if not rounds:
        return figures
    own = who[trials.enroll[target]]
    both = np.stack([who[trials.enroll[~target]], who[trials.test[~target]]], axis=1)
    measures = {"eer": table.eer, "min_dcf": table.min_dcf, "min_cllr": table.min_cllr}
    if calibrated:
        measures |= {"cllr": table.cllr, "calibration_error": table.ece}

    def all_of_them(wt: np.ndarray, wn: np.ndarray) -> list[float]:
        return [one(wt, wn) for one in measures.values()]

    intervals = bootstrap(all_of_them, own, both, len(names), rounds=rounds, seed=seed)
    for i, name in enumerate(measures):
        figures[f"{name}_interval"] = None if intervals is None else intervals[i]
    return figures
