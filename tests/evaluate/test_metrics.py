"""Every measure against values worked out by hand and against a brute-force way to get them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speakerid.evaluate import intervals, metrics
from speakerid.evaluate.metrics import Scores

SCORES = st.lists(st.integers(-6, 6).map(float), min_size=1, max_size=12)
WEIGHTS = st.integers(0, 3)


def test_rates_by_hand():
    rates = Scores([1, 3, 3], [0, 1]).rates()
    assert rates.threshold.tolist() == [0, 1, 3, math.inf]
    assert rates.miss.tolist() == pytest.approx([0, 0, 1 / 3, 1])
    assert rates.false_alarm.tolist() == [1, 0.5, 0, 0]


def test_eer_by_hand():
    assert Scores([2, 3], [0, 1]).eer() == 0
    assert Scores([0, 1], [2, 3]).eer() == 1
    assert Scores([5], [5]).eer() == 0.5
    # At 1: miss 0, alarm 1/2. At 3: miss 1/3, alarm 0. They cross where s/3 = (1 − s)/2, s = 3/5.
    assert Scores([1, 3, 3], [0, 1]).eer() == pytest.approx(0.2)


def test_min_dcf_by_hand():
    # Threshold 3: 0.01 · 1/3 + 0.99 · 0, over 0.01.
    assert Scores([1, 3, 3], [0, 1]).min_dcf() == pytest.approx(1 / 3)
    assert Scores([0, 1], [2, 3]).min_dcf() == pytest.approx(1)  # best is to refuse everybody
    # Even priors: threshold 1 costs 1/4, threshold 3 costs 1/6; over 0.5.
    assert Scores([1, 3, 3], [0, 1]).min_dcf(prior=0.5) == pytest.approx(1 / 3)


def test_cllr_by_hand():
    assert Scores([0, 0], [0]).cllr() == pytest.approx(1)
    # A target at odds 3 : 1 costs log2(4/3); a non-target at 1 : 1 costs 1.
    assert Scores([math.log(3)], [0]).cllr() == pytest.approx((math.log2(4 / 3) + 1) / 2)
    assert Scores([800], [-800]).cllr() == 0
    assert Scores([-800], [800]).cllr() == pytest.approx(800 / math.log(2))


def test_min_cllr_by_hand():
    assert Scores([2, 3], [0, 1]).min_cllr() == 0
    assert Scores([0, 1], [2, 3]).min_cllr() == pytest.approx(1)
    # Pools: {0: non}, {1: a third of the targets, half of the non-targets}, {3: targets}.
    pool = 1 / 3 * -math.log2(1 / 3 / (1 / 3 + 1 / 2)) + 1 / 2 * -math.log2(1 / 2 / (1 / 3 + 1 / 2))
    assert Scores([1, 3, 3], [0, 1]).min_cllr() == pytest.approx(pool / 2)


def test_calibration_error_by_hand():
    # Bin 0.6–0.7: mean 0.65, right 1/2. Bin 0.9–1: 1.0, right 1, twice the weight.
    assert metrics.calibration_error([0.6, 0.7 - 1e-12, 1], [1, 0, 1], [1, 1, 2]) == pytest.approx(0.15 / 2)
    rows = metrics.reliability([0.05, 1.0], [0, 1])
    assert [(r["from"], r["right"], r["weight"]) for r in rows] == [(0, 0, 1), (0.9, 1, 1)]
    assert math.isnan(metrics.calibration_error([], []))
    assert Scores([math.log(3)] * 3, [-math.log(3)]).ece() == pytest.approx(0.25)


@given(SCORES, SCORES, st.data())
@settings(max_examples=150, deadline=None)
def test_against_brute_force_with_weights_as_copies(target, nontarget, data):
    """A weight of k means the same as k copies, for every measure; and the measures mean what they say."""
    wt = np.array(data.draw(st.lists(WEIGHTS, min_size=len(target), max_size=len(target))))
    wn = np.array(data.draw(st.lists(WEIGHTS, min_size=len(nontarget), max_size=len(nontarget))))
    wt[0] += 1
    wn[0] += 1
    weighted = Scores(target, nontarget)
    copies = Scores(np.repeat(target, wt), np.repeat(nontarget, wn))
    for measure in ("eer", "min_dcf", "cllr", "min_cllr", "ece"):
        assert getattr(weighted, measure)(wt, wn) == pytest.approx(getattr(copies, measure)(), abs=1e-12)
    t, n = copies.target, copies.nontarget
    points = [((t < x).mean(), (n >= x).mean()) for x in [*np.unique(np.append(t, n)), math.inf]]
    assert copies.min_dcf() == pytest.approx(min((0.01 * m + 0.99 * f) / 0.01 for m, f in points))
    eer = copies.eer()
    assert max(min(m, f) for m, f in points) - 1e-12 <= eer <= min(max(m, f) for m, f in points) + 1e-12
    assert copies.min_cllr() == pytest.approx(brute_min_cllr(t, n), abs=1e-9)
    assert copies.min_cllr() <= copies.cllr() + 1e-12
    assert copies.min_cllr() == pytest.approx(Scores(t * 3 - 1, n * 3 - 1).min_cllr())


def brute_min_cllr(t, n):
    """Isotonic regression by its min-max formula: max over j ≤ i of min over k ≥ i of mean[j..k]."""
    levels = np.unique(np.append(t, n))
    ones = np.array([(t == x).sum() / len(t) for x in levels])
    zeros = np.array([(n == x).sum() / len(n) for x in levels])
    cost = 0.0
    for i in range(len(levels)):
        p = max(
            min(
                ones[j : k + 1].sum() / (ones[j : k + 1].sum() + zeros[j : k + 1].sum())
                for k in range(i, len(levels))
            )
            for j in range(i + 1)
        )
        cost += ones[i] * -math.log2(p) if ones[i] else 0
        cost += zeros[i] * -math.log2(1 - p) if zeros[i] else 0
    return cost / 2


def test_scores_refuse_what_would_give_a_wrong_number():
    with pytest.raises(ValueError, match="not finite"):
        Scores([1, math.nan], [0])
    with pytest.raises(ValueError, match="at least one"):
        Scores([], [0])


def test_equal_error_threshold_splits_the_classes():
    rng = np.random.default_rng(0)
    t, n = rng.normal(2, 1, 4000), rng.normal(0, 1, 4000)
    eer, threshold = metrics.equal_error(Scores(t, n).rates())
    assert eer == pytest.approx(0.1587, abs=0.01)  # Φ(−1): two unit normals two apart
    assert threshold == pytest.approx(1, abs=0.07)
    assert metrics.equal_error(Scores([5], [7]).rates())[1] in (5, 7)


def test_det_points_are_a_straight_line_for_normal_scores():
    rng = np.random.default_rng(1)
    rates = Scores(rng.normal(2, 1, 30000), rng.normal(0, 1, 30000)).rates()
    alarm, miss, threshold = metrics.det_points(rates, 100)
    assert 50 < len(alarm) <= 100 and (np.diff(threshold) > 0).all()
    middle = (alarm > 0.01) & (miss > 0.01)
    assert np.abs(metrics.probit(alarm) + metrics.probit(miss) + 2)[middle].max() < 0.1


def test_bootstrap_interval_covers_and_narrows_with_speakers():
    def width(people):
        rng = np.random.default_rng(2)
        who = np.repeat(np.arange(people), 6)
        enroll, test = np.triu_indices(len(who), 1)
        same = who[enroll] == who[test]
        score = rng.normal(np.where(same, 2.0, 0.0) + rng.normal(0, 0.5, people)[who[enroll]], 1)
        scores = Scores(score[same], score[~same])
        pairs = np.stack([who[enroll], who[test]], 1)
        [(low, high)] = intervals.bootstrap(
            lambda wt, wn: [scores.eer(wt, wn)], who[enroll[same]], pairs[~same], people, rounds=200
        )
        assert low < scores.eer() < high
        return high - low

    assert width(40) < width(8)
    assert intervals.bootstrap(lambda wt, wn: [0.0], np.array([0]), np.array([[0, 1]]), 4) is None


def test_bootstrap_weights_speakers_not_trials():
    """One bad speaker with all the errors: the interval must reach down to no error at all."""
    people, each = 10, 5
    target_speaker = np.repeat(np.arange(people), each)
    target = np.where(target_speaker == 0, -1.0, 1.0)
    pairs = np.array([(a, b) for a in range(1, people) for b in range(1, a)])
    scores = Scores(target, np.zeros(len(pairs)))

    def misses(wt, wn):
        return [scores.rates(wt, wn).miss[1]]  # at the threshold 0

    [(low, high)] = intervals.bootstrap(misses, target_speaker, pairs, people, rounds=400)
    assert low == 0 and high >= 0.2
