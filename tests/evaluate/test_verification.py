"""Scores of all pairs: each is what the scorer gives for that pair alone, and the figures follow."""

from pathlib import Path

import numpy as np
import pytest

from speakerid.evaluate import EvaluationError, metrics
from speakerid.evaluate.embedding import Embedded
from speakerid.evaluate.own import Exemplars
from speakerid.evaluate.trials import Utterance, all_pairs
from speakerid.evaluate.verification import cosine, log_ratios, verify
from speakerid.gallery.voiceprint import unit
from speakerid.identify.scoring import Calibration, Scorer

RNG = np.random.default_rng(3)
PEOPLE, EACH = 30, 3
ROWS = unit(
    np.repeat(unit(RNG.standard_normal((PEOPLE, 192))), EACH, axis=0) + 0.07 * RNG.standard_normal((90, 192))
)
SPEAKERS = [f"p{i // EACH}" for i in range(PEOPLE * EACH)]
SECONDS = RNG.uniform(0.5, 6, PEOPLE * EACH)


@pytest.fixture
def scorer():
    weights = np.array([-6, 0.1, -0.2, 2.5, 0.4, 0.05], np.float32)
    return Scorer(unit(RNG.standard_normal((80, 192))), Calibration(weights, np.zeros(4, np.float32)))


def embedded(corpora=("x",)):
    utterances = [
        Utterance(Path(str(i)), str(i), corpora[i // EACH % len(corpora)], who, "dev")
        for i, who in enumerate(SPEAKERS)
    ]
    return Embedded(utterances, {("model", "clean", "whole"): ROWS}, {"whole": SECONDS}, [])


def test_cosine_and_log_ratios_are_those_of_each_pair_alone(scorer):
    trials = all_pairs(SPEAKERS)
    similar, llr = cosine(ROWS, trials), log_ratios(scorer, ROWS, SECONDS, trials)
    for k in RNG.choice(len(trials), 60, replace=False):
        one, other = trials.enroll[k], trials.test[k]
        assert similar[k] == pytest.approx(ROWS[one] @ ROWS[other], abs=1e-6)
        alone = scorer.profiles([Exemplars("a", ROWS[one : one + 1], SECONDS[one : one + 1])])
        expected = scorer.score(ROWS[other : other + 1], SECONDS[other : other + 1], alone).llr[0, 0]
        assert llr[k] == pytest.approx(expected, abs=1e-4)


def test_calibrated_scores_get_cllr_and_others_do_not(scorer):
    by_cosine, by_llr = verify(embedded(), {"model": scorer}, rounds=60)
    assert (by_cosine.scoring, by_llr.scoring) == ("cosine", "llr")
    assert by_cosine.figures["cllr"] is None and by_cosine.figures["calibration_error"] is None
    trials = by_llr.trials
    table = metrics.Scores(by_llr.scores[trials.target], by_llr.scores[~trials.target])
    assert by_llr.figures["cllr"] == table.cllr() >= by_llr.figures["min_cllr"]
    for name in ("eer", "min_dcf", "cllr", "min_cllr", "calibration_error"):
        low, high = by_llr.figures[f"{name}_interval"]
        assert low <= high and low - 0.02 <= by_llr.figures[name] <= high + 0.02
    [alone] = verify(embedded(), {"model": Scorer()}, rounds=0)
    assert alone.scoring == "cosine" and "eer_interval" not in alone.figures


def test_corpora_are_not_mixed():
    results = verify(embedded(("a", "b")), rounds=0)
    assert [one.corpus for one in results] == ["a", "b"]
    assert all(one.figures["pairs"] == 45 * 44 // 2 and len(one.labels) == 45 for one in results)


def test_a_corpus_of_one_speaker_is_named():
    only = embedded()
    only.utterances = [Utterance(u.path, u.label, "x", "one", "dev") for u in only.utterances]
    with pytest.raises(EvaluationError, match="Corpus x: Error rates need at least two speakers"):
        verify(only)
