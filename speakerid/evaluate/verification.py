"""Is it the same person? Embeds labelled recordings, scores all pairs, and measures how well that tells.

Each recording is decoded once a condition, and embedded whole and in pieces from its middle by every model,
so that all figures rest on the same trials. Nothing is kept on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from speakerid.audio.format import RATE
from speakerid.errors import SpeakerIdError
from speakerid.evaluate import EvaluationError, metrics
from speakerid.evaluate.degrade import CONDITIONS
from speakerid.evaluate.peers import Embedder
from speakerid.evaluate.trials import MAX_TRIALS, Trials, Utterance, all_pairs

LENGTHS: dict[str, float | None] = {"whole": None, "3 s": 3.0, "2 s": 2.0, "1 s": 1.0}
CHUNK = 64  # recordings decoded at a time: bounds memory, and fills the encoder's batches
COSINE, LLR = "cosine", "llr"

Progress = Callable[[int, int, str], None]  # done, of how many, what


class LlrScorer(Protocol):
    """Calibrated natural log-likelihood ratios, as `speakerid.identify.scoring.Scorer` gives them."""

    def llr(self, test, test_seconds, enrolled, enrolled_seconds) -> np.ndarray: ...


@dataclass
class Embedded:
    """What the encoders made of the recordings.

    Attributes:
        utterances: the recordings that every model could embed under every condition, [n].
        rows: float32 [n, d] by (model id, condition, length).
        speech: float [n], seconds of speech by (condition, length).
        shorter: by length, how many recordings were shorter and were used whole.
        left_out: {"path", "reason"} of the others.
    """

    utterances: list[Utterance]
    rows: dict[tuple[str, str, str], np.ndarray]
    speech: dict[tuple[str, str], np.ndarray]
    shorter: dict[str, int]
    left_out: list[dict[str, str]]


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


def middle(samples: np.ndarray, seconds: float | None) -> np.ndarray:
    """The given seconds from the middle of a recording [n]; all of it where it is shorter, or for None."""
    count = len(samples) if seconds is None else min(round(seconds * RATE), len(samples))
    start = (len(samples) - count) // 2
    return samples[start : start + count]


def embed_recordings(
    utterances: Sequence[Utterance],
    encoders: Sequence[Embedder],
    conditions: Sequence[str] = ("clean",),
    lengths: Sequence[str] = tuple(LENGTHS),
    progress: Progress | None = None,
) -> Embedded:
    """Decode, degrade, cut and embed; a recording that cannot be used is left out, with the reason.

    Raises:
        EvaluationError: none of the recordings can be used, or a condition needs a package that is missing.
    """
    from speakerid.audio.decode import decode

    count = len(utterances)
    rows: dict[tuple[str, str, str], list] = {
        (encoder.id, condition, length): [None] * count
        for encoder in encoders
        for condition in conditions
        for length in lengths
    }
    speech = {(condition, length): np.zeros(count) for condition in conditions for length in lengths}
    size = np.zeros(count)
    bad: dict[int, str] = {}
    for turn, condition in enumerate(conditions):
        for first in range(0, count, CHUNK):
            if progress:
                progress(turn * count + first, len(conditions) * count, f"embedding ({condition})")
            chunk: dict[int, np.ndarray] = {}
            for i in range(first, min(first + CHUNK, count)):
                if i in bad:
                    continue
                try:
                    samples = decode(utterances[i].path).samples
                except SpeakerIdError as error:
                    bad[i] = str(error)
                    continue
                chunk[i] = CONDITIONS[condition](samples, utterances[i].label)
                size[i] = len(samples) / RATE
            for length in lengths:
                pieces = {i: middle(samples, LENGTHS[length]) for i, samples in chunk.items() if i not in bad}
                for i, piece in pieces.items():
                    speech[condition, length][i] = _speech_seconds(piece)
                for encoder in encoders:
                    good = _embed(encoder, pieces, bad, f"{length}, {condition}")
                    for i, row in good.items():
                        rows[encoder.id, condition, length][i] = row
    if progress:
        progress(len(conditions) * count, len(conditions) * count, "embedding")
    return _collect(utterances, rows, speech, size, bad, lengths)


def _embed(encoder: Embedder, pieces: dict[int, np.ndarray], bad: dict[int, str], what: str) -> dict:
    """Rows by index; those that the encoder refuses go to `bad`."""
    if not pieces:
        return {}
    try:
        rows = dict(zip(pieces, encoder.embed(list(pieces.values())), strict=True))
    except SpeakerIdError:  # one of them: find out which, so that the rest counts
        rows = {}
        for i, piece in pieces.items():
            try:
                rows[i] = encoder.embed([piece])[0]
            except SpeakerIdError as error:
                bad[i] = f"{what}: {error}"
    for i, row in rows.items():
        if not np.isfinite(row).all():
            bad[i] = f"{what}: {encoder.id} gives no finite embedding for it."
    return rows


def _speech_seconds(samples: np.ndarray) -> float:
    from speakerid.audio.vad import FRAME, speech_probabilities

    return float((speech_probabilities(samples) >= 0.5).sum()) * FRAME / RATE


def _collect(utterances, rows, speech, size, bad, lengths) -> Embedded:
    keep = [i for i in range(len(utterances)) if i not in bad]
    if not keep:
        reason = next(iter(bad.values()))
        raise EvaluationError(f"None of the {len(utterances)} recordings can be used; the first one: {reason}")
    return Embedded(
        utterances=[utterances[i] for i in keep],
        rows={key: np.stack([values[i] for i in keep]) for key, values in rows.items()},
        speech={key: values[keep] for key, values in speech.items()},
        shorter={name: int((size[keep] < (LENGTHS[name] or 0)).sum()) for name in lengths},
        left_out=[{"path": utterances[i].label, "reason": reason} for i, reason in sorted(bad.items())],
    )


def verify(
    embedded: Embedded,
    scorers: dict[str, LlrScorer | None] | None = None,
    *,
    rounds: int = 300,
    seed: int = 0,
    limit: int = MAX_TRIALS,
    progress: Progress | None = None,
) -> list[Result]:
    """Score all pairs within each corpus and measure; in the order model, condition, corpus, length, scoring.

    Args:
        scorers: by model id; a model without one is scored by cosine alone.
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
        if scorer is not None:
            kinds[LLR] = log_ratios(scorer, rows, embedded.speech[condition, length][index], pairs)
        speakers = [embedded.utterances[i].speaker for i in index]
        labels = [embedded.utterances[i].label for i in index]
        for scoring, scores in kinds.items():
            result = Result(model, condition, name, length, scoring, labels, pairs, scores)
            result.figures = measure(scores, pairs, speakers, scoring == LLR, rounds, seed)
            result.figures["shorter"] = int(embedded.shorter[length]) if len(corpora) == 1 else None
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


def log_ratios(scorer: LlrScorer, rows: np.ndarray, speech: np.ndarray, trials: Trials) -> np.ndarray:
    """Natural log-likelihood ratios [t], the earlier recording of each pair as the only exemplar enrolled."""
    out = np.empty(len(trials))
    order = np.argsort(trials.enroll, kind="stable")
    for part in np.split(order, np.flatnonzero(np.diff(trials.enroll[order])) + 1):
        one, others = trials.enroll[part[0]], trials.test[part]
        out[part] = scorer.llr(rows[others], speech[others], rows[one][None], speech[one][None])
    return out


def measure(
    scores: np.ndarray, trials: Trials, speakers: Sequence[str], calibrated: bool, rounds: int, seed: int
) -> dict:
    """Every figure of one set of scores; Cllr and calibration error only where scores are log-likelihood ratios.

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

    intervals = metrics.bootstrap(all_of_them, own, both, len(names), rounds=rounds, seed=seed)
    for i, name in enumerate(measures):
        figures[f"{name}_interval"] = None if intervals is None else intervals[i]
    return figures
