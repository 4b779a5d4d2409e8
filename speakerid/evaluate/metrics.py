"""Error rates and calibration measures of verification scores. Numpy only.

A trial is accepted when its score is at or above the threshold. Every measure takes weights, so that the
bootstrap over speakers (intervals.py) is a matter of counting.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np


@dataclass(frozen=True)
class Rates:
    """The two error rates at every threshold that makes a difference, thresholds ascending.

    Attributes:
        threshold: float [m], the distinct scores, then +inf.
        miss: float [m], share of targets below the threshold; from 0 up to 1.
        false_alarm: float [m], share of non-targets at or above it; from 1 down to 0.
    """

    threshold: np.ndarray
    miss: np.ndarray
    false_alarm: np.ndarray


class Scores:
    """Scores of targets and non-targets, sorted once; each measure can be asked again with other weights.

    Args:
        target: float [t], non-empty, finite.
        nontarget: float [n], non-empty, finite.

    Raises:
        ValueError: either is empty or not finite.
    """

    def __init__(self, target, nontarget):
        self.target = np.asarray(target, np.float64).ravel()
        self.nontarget = np.asarray(nontarget, np.float64).ravel()
        both = np.concatenate([self.target, self.nontarget])
        if not len(self.target) or not len(self.nontarget):
            raise ValueError("error rates need at least one target and one non-target score")
        if not np.isfinite(both).all():
            raise ValueError("a score is not finite")
        self.levels, where = np.unique(both, return_inverse=True)
        self._target_at, self._nontarget_at = where[: len(self.target)], where[len(self.target) :]

    def mass(self, wt=None, wn=None) -> tuple[np.ndarray, np.ndarray]:
        """Weight of targets and of non-targets at each distinct score, [m] each."""
        t = np.bincount(self._target_at, wt, len(self.levels)).astype(np.float64)
        n = np.bincount(self._nontarget_at, wn, len(self.levels)).astype(np.float64)
        return t, n

    def rates(self, wt=None, wn=None) -> Rates:
        t, n = self.mass(wt, wn)
        below, above = np.cumsum(t), np.cumsum(n[::-1])[::-1]
        miss = np.concatenate([[0.0], below / below[-1]])
        false_alarm = np.concatenate([above / above[0], [0.0]])
        return Rates(np.append(self.levels, np.inf), miss, false_alarm)

    def eer(self, wt=None, wn=None) -> float:
        """Equal error rate, 0..1: where miss and false alarm cross, on straight lines between thresholds
        (Martin et al., "The DET curve in assessment of detection task performance", Eurospeech 1997)."""
        return equal_error(self.rates(wt, wn))[0]

    def min_dcf(self, wt=None, wn=None, prior: float = 0.01, miss_cost: float = 1.0, alarm_cost: float = 1.0):
        """Lowest normalised detection cost over all thresholds (NIST SRE 2016 evaluation plan)."""
        return detection_cost(self.rates(wt, wn), prior, miss_cost, alarm_cost)[0]

    def cllr(self, wt=None, wn=None) -> float:
        """Cost of the scores as natural log-likelihood ratios, in bits: 0 perfect, 1 no information.

        Brümmer and du Preez, "Application-independent evaluation of speaker detection", Computer Speech
        and Language 20 (2006).
        """
        t = np.average(np.logaddexp(0, -self.target), weights=wt)
        n = np.average(np.logaddexp(0, self.nontarget), weights=wn)
        return float((t + n) / 2 / np.log(2))

    def min_cllr(self, wt=None, wn=None) -> float:
        """Cllr of the best monotone map of the scores to log-likelihood ratios, found by pooling adjacent
        violators (same paper; what Cllr has above it is the cost of calibration)."""
        t, n = self.mass(wt, wn)
        t, n = t / t.sum(), n / n.sum()
        t, n = pool_adjacent_violators(t, n)
        # A pool's share of targets (at even priors) is its best posterior; 0·log 0 counts as 0.
        with np.errstate(divide="ignore", invalid="ignore"):
            bits_t = np.where(t > 0, t * -np.log2(t / (t + n)), 0.0)
            bits_n = np.where(n > 0, n * -np.log2(n / (t + n)), 0.0)
        return float((bits_t.sum() + bits_n.sum()) / 2)

    def ece(self, wt=None, wn=None, bins: int = 10) -> float:
        """Expected calibration error of the scores as log-likelihood ratios, both classes equally likely."""
        probability = 1 / (1 + np.exp(-np.clip(np.concatenate([self.target, self.nontarget]), -500, 500)))
        wt = np.ones(len(self.target)) if wt is None else np.asarray(wt, float)
        wn = np.ones(len(self.nontarget)) if wn is None else np.asarray(wn, float)
        right = np.concatenate([np.ones(len(wt)), np.zeros(len(wn))])
        return calibration_error(probability, right, np.concatenate([wt / wt.sum(), wn / wn.sum()]), bins)


def equal_error(rates: Rates) -> tuple[float, float]:
    """Equal error rate and the finite threshold closest to the crossing."""
    gap = rates.miss - rates.false_alarm  # from −1 up to +1, never falling
    after = int(np.argmax(gap >= 0))
    step = gap[after] - gap[after - 1]
    share = -gap[after - 1] / step  # where between the two points the gap is 0
    eer = rates.miss[after - 1] + share * (rates.miss[after] - rates.miss[after - 1])
    nearest = after if share >= 0.5 and np.isfinite(rates.threshold[after]) else after - 1
    return float(eer), float(rates.threshold[nearest])


def detection_cost(
    rates: Rates, prior: float = 0.01, miss_cost: float = 1.0, alarm_cost: float = 1.0
) -> tuple[float, float]:
    """Lowest normalised detection cost and its threshold; 1 is the cost of always answering the same."""
    cost = miss_cost * prior * rates.miss + alarm_cost * (1 - prior) * rates.false_alarm
    best = int(np.argmin(cost))
    return float(cost[best] / min(miss_cost * prior, alarm_cost * (1 - prior))), float(rates.threshold[best])


def pool_adjacent_violators(ones: np.ndarray, zeros: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pool neighbours until ones / (ones + zeros) never falls (Ayer et al., Annals of Math. Stat. 26, 1955).

    Args:
        ones, zeros: weights [m] at ascending scores.

    Returns:
        The pools' summed weights, [p] each; the share of ones rises from pool to pool.
    """
    keep = ones + zeros > 0
    ones, zeros = ones[keep], zeros[keep]
    # Neighbours that hold only ones, or only zeros, are one pool anyway: join them fast, before the loop.
    kind = np.where(zeros == 0, 1, np.where(ones == 0, 0, 2))
    first = np.flatnonzero(np.concatenate([[True], (kind[1:] != kind[:-1]) | (kind[1:] == 2)]))
    runs = zip(np.add.reduceat(ones, first).tolist(), np.add.reduceat(zeros, first).tolist(), strict=True)
    pools: list[tuple[float, float]] = []
    for one, zero in runs:
        while pools and pools[-1][0] * zero >= one * pools[-1][1]:  # last share ≥ this share
            before = pools.pop()
            one, zero = one + before[0], zero + before[1]
        pools.append((one, zero))
    pooled = np.array(pools)
    return pooled[:, 0], pooled[:, 1]


def reliability(probability, right, weight=None, bins: int = 10) -> list[dict]:
    """How often each level of confidence is right: one row for each tenth that occurs.

    Args:
        probability: float [n] in 0..1; right: bool or 0/1 [n]; weight: float [n], by default 1 each.

    Returns:
        Rows {"from", "to", "weight", "confidence" (mean), "right" (share)}.
    """
    probability, right = np.asarray(probability, float), np.asarray(right, float)
    weight = np.ones(len(probability)) if weight is None else np.asarray(weight, float)
    place = np.minimum((probability * bins).astype(int), bins - 1)
    total = np.bincount(place, weight, bins)
    mean = np.bincount(place, weight * probability, bins)
    hits = np.bincount(place, weight * right, bins)
    return [
        {
            "from": i / bins,
            "to": (i + 1) / bins,
            "weight": float(total[i]),
            "confidence": float(mean[i] / total[i]),
            "right": float(hits[i] / total[i]),
        }
        for i in range(bins)
        if total[i] > 0
    ]


def calibration_error(probability, right, weight=None, bins: int = 10) -> float:
    """Expected calibration error: mean |share right − mean confidence| over equal bins, by weight
    (Guo et al., "On calibration of modern neural networks", ICML 2017). NaN without weight."""
    rows = reliability(probability, right, weight, bins)
    total = sum(row["weight"] for row in rows)
    if not total:
        return float("nan")
    return sum(row["weight"] * abs(row["right"] - row["confidence"]) for row in rows) / total


def det_points(rates: Rates, count: int = 200) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """At most `count` points of the DET curve, spread evenly along its normal-deviate axes.

    Returns:
        false_alarm, miss, threshold: [p] each, without the two ends where a rate is 0 or 1 (deviate ±inf).
    """
    inside = (rates.miss > 0) & (rates.miss < 1) & (rates.false_alarm > 0) & (rates.false_alarm < 1)
    miss, alarm, threshold = rates.miss[inside], rates.false_alarm[inside], rates.threshold[inside]
    if len(miss) > count:
        way = np.cumsum(np.hypot(*(np.diff(probit(x), prepend=probit(x[:1])) for x in (alarm, miss))))
        keep = np.unique(np.searchsorted(way, np.linspace(0, way[-1], count)).clip(max=len(way) - 1))
        miss, alarm, threshold = miss[keep], alarm[keep], threshold[keep]
    return alarm, miss, threshold


def probit(share) -> np.ndarray:
    """Normal deviates of shares strictly between 0 and 1, [n]."""
    inverse = NormalDist().inv_cdf
    return np.array([inverse(x) for x in np.asarray(share, float)])
