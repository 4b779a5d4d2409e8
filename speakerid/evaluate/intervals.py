"""How far a measured figure can be trusted: intervals over draws of speakers. Numpy only."""

from collections.abc import Callable, Sequence

import numpy as np


def bootstrap(
    measures: Callable[[np.ndarray, np.ndarray], Sequence[float]],
    target_speaker: np.ndarray,
    nontarget_speakers: np.ndarray,
    speakers: int,
    *,
    rounds: int = 300,
    seed: int = 0,
    level: float = 0.95,
) -> list[tuple[float, float]] | None:
    """Percentile intervals of measures over draws of whole speakers with replacement.

    Trials of one speaker are not independent, so speakers are drawn, not trials: a target trial counts as
    often as its speaker was drawn, a non-target trial as often as its two speakers' counts multiplied
    (Bisani and Ney, ICASSP 2004, on drawing whole speakers; Owen, "The pigeonhole bootstrap", 2007).

    Args:
        measures: takes weights of targets [t] and of non-targets [n], gives one number a measure.
        target_speaker: int [t], the speaker's index; nontarget_speakers: int [n, 2].
        speakers: how many speakers there are; fewer than 5 give None, since an interval would mislead.
    """
    if speakers < 5:
        return None
    rng = np.random.default_rng(seed)
    values = []
    while len(values) < rounds:
        drawn = np.bincount(rng.integers(speakers, size=speakers), minlength=speakers)
        wt = drawn[target_speaker]
        wn = drawn[nontarget_speakers[:, 0]] * drawn[nontarget_speakers[:, 1]]
        if wt.any() and wn.any():
            values.append(measures(wt, wn))
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return [(float(a), float(b)) for a, b in zip(low, high, strict=True)]
