"""Learning a model's calibration: which log-likelihood ratio its cosines stand for.

Logistic regression on the trials of enrolled and tested voices (subjects.py) gives the weights of
identify/scoring.py.
"""

from collections.abc import Callable, Sequence

import numpy as np

from speakerid.evaluate.own import Exemplars
from speakerid.evaluate.subjects import Subject
from speakerid.identify.scoring import Calibration, Enrolled, Profiles, Scorer, features, same_features

RIDGE = 1e-3
RIDGE_FROM = 0.05  # towards the calibration of another model

FEWEST_SPEAKERS = 4  # of a corpus, to count as much as the others


def fit(
    subjects: Sequence[Subject],
    cohort: np.ndarray | None,
    owners: Sequence[str] = (),
    start: Calibration | None = None,
) -> tuple[Calibration, dict[str, float]]:
    """The calibration, and the Cllr (bits) that it has on the trials that it was learned from.

    Each corpus counts alike, however many trials it has: strangers of one corpus, with its microphones and
    its language, sound more alike than those of another.

    Args:
        cohort: [c, d] unit embeddings of other people, or None.
        owners: [c], speakers of the cohort where the subjects are among them: nobody's trials are normalised
            by themselves.
        start: the calibration of another model, which is left only as far as there is evidence for it: for
            few subjects.
    """
    speakers = {
        one.group: {other.speaker for other in subjects if other.group == one.group} for one in subjects
    }
    subjects = [one for one in subjects if len(speakers[one.group]) >= FEWEST_SPEAKERS] or subjects
    trials, same = _trials(subjects, cohort, owners), _pairs_of_a_stream(subjects)
    if start is None:
        weights, same_weights = logistic(*trials), logistic(*same)
    else:
        weights, same_weights = (
            logistic(*given, ridge=RIDGE_FROM, around=_scaled(known, *given))
            for given, known in ((trials, start.weights), (same, start.same_weights))
        )
    losses = {
        "trials": _cllr(trials[0] @ weights, trials[1]),
        "pieces of one stream": _cllr(same[0] @ same_weights, same[1]),
    }
    return Calibration(weights, same_weights), losses


def logistic(
    inputs: np.ndarray,
    same: np.ndarray,
    groups: np.ndarray | None = None,
    ridge: float = RIDGE,
    rounds: int = 40,
    around: np.ndarray | float = 0.0,
) -> np.ndarray:
    """Weights [k] whose product with inputs [n, k] is the log-likelihood ratio of `same` [n].

    Logistic regression with both classes weighing alike (Brümmer and du Preez, "Application-independent
    evaluation of speaker detection", 2006), by Newton's method with a slight ridge,
    which pulls towards `around`. Within a class all groups [n] that have both weigh alike; others do not take
    part, unless there is no such group.
    """
    importance = _importance(same, np.zeros(len(same), int) if groups is None else groups)
    weights = np.zeros(inputs.shape[1]) + around
    for _ in range(rounds):
        probability = 1 / (1 + np.exp(-np.clip(inputs @ weights, -30, 30)))
        gradient = inputs.T @ (importance * (probability - same)) + ridge * (weights - around) / len(weights)
        curvature = importance * probability * (1 - probability)
        hessian = (inputs * curvature[:, None]).T @ inputs + ridge / len(weights) * np.eye(len(weights))
        weights = weights - np.linalg.solve(hessian, gradient)
    return weights


def _importance(same: np.ndarray, groups: np.ndarray) -> np.ndarray:
    importance = np.zeros(len(same))
    parts = [groups == name for name in np.unique(groups)]
    both = [part for part in parts if same[part].any() and not same[part].all()] or [np.ones(len(same), bool)]
    for part in both:
        for rows in (part & same, part & ~same):
            importance[rows] = 0.5 / len(both) / rows.sum()
    return importance


def trials_by_cosine(subjects: Sequence[Subject]) -> tuple[np.ndarray, np.ndarray]:
    """Cosines of every test with its own voice [t], and with the others of its group [n]."""
    target, nontarget = [], []
    for name in sorted({one.group for one in subjects}):
        group = [one for one in subjects if one.group == name]
        profiles = Scorer().profiles(group)
        for index, one in enumerate(group):
            cosine = one.tests @ profiles.centers.T
            fair = np.array([other.speaker != one.speaker for other in group])
            target.append(cosine[:, index])
            nontarget.append(cosine[:, fair].ravel())
    return np.concatenate(target), np.concatenate(nontarget)


def _scaled(weights: np.ndarray, inputs: np.ndarray, same: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Weights of another model, with the slope and offset that suit these trials; the first input is 1."""
    known = inputs @ weights
    offset, slope = logistic(np.stack([np.ones(len(known)), known], axis=1), same, groups)
    return slope * weights + offset * np.eye(len(weights))[0]


def _scorers(cohort: np.ndarray | None, owners: Sequence[str]) -> Callable[[str], Scorer]:
    """The scorer for trials of one speaker: with a cohort of all the others."""
    if cohort is None or not len(owners):
        whole = Scorer(cohort)
        return lambda _: whole
    names = np.array(owners)
    return lambda speaker: Scorer(cohort[names != speaker])


def _profiles(group: Sequence[Enrolled], scorer_of: Callable[[str], Scorer]) -> Profiles:
    """All of them, each normalised by the cohort that is theirs."""
    each = [scorer_of(one.name).profiles([one]) for one in group]
    return Profiles(
        tuple(one.name for one in group),
        *(
            np.concatenate([getattr(one, part) for one in each])
            for part in ("centers", "seconds", "cohort_mean", "cohort_std")
        ),
    )


def _trials(
    subjects: Sequence[Subject], cohort: np.ndarray | None, owners: Sequence[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every test against every voice of its group, enrolled as people are and from one short piece of theirs.

    Returns:
        Inputs [n, 6], whether it is the same voice [n], number of the group [n].
    """
    inputs, same, groups = [], [], []
    scorer_of = _scorers(cohort, owners)
    for number, name in enumerate(sorted({one.group for one in subjects})):
        group = [one for one in subjects if one.group == name]
        pieces = [index % len(one.tests) for index, one in enumerate(group)]
        short = [
            Exemplars(one.speaker, one.tests[k : k + 1], one.test_seconds[k : k + 1])
            for k, one in zip(pieces, group, strict=True)
        ]
        for profiles, from_tests in (
            (_profiles(group, scorer_of), False),
            (_profiles(short, scorer_of), True),
        ):
            for index, one in enumerate(group):
                scores = scorer_of(one.speaker).score(one.tests, one.test_seconds, profiles)
                tested = np.broadcast_to(one.test_seconds[:, None], scores.cosine.shape)
                enrolled = np.broadcast_to(profiles.seconds[None], scores.cosine.shape)
                # Another warp of the same speaker is neither surely the same voice nor surely another one.
                fair = np.array([k == index or other.speaker != one.speaker for k, other in enumerate(group)])
                used = np.broadcast_to(fair, scores.cosine.shape).copy()
                if from_tests:
                    used[pieces[index], index] = False  # the piece against itself
                rows = features(scores.normalized, tested, enrolled)
                inputs.append(rows[used])
                same.append(np.broadcast_to(np.arange(len(group)) == index, used.shape)[used])
                groups.append(np.full(len(same[-1]), number))
    return np.concatenate(inputs).astype(np.float64), np.concatenate(same), np.concatenate(groups)


def _pairs_of_a_stream(subjects: Sequence[Subject]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All pairs of tests of a voice, and as many with another voice's tests: [n, 4], same [n], group [n]."""
    inputs, same, groups = [], [], []
    names = sorted({one.group for one in subjects})
    for index, one in enumerate(subjects):
        others = [s for s in subjects if s.group == one.group and s.speaker != one.speaker]
        if not others:
            continue
        other = others[index % len(others)]
        first, second = np.triu_indices(len(one.tests), 1)
        a, b = np.divmod(np.arange(min(len(first), len(other.tests) * len(one.tests))), len(other.tests))
        for rows, other_rows, mine, its, label in (
            (first, second, one, one, True),
            (a, b, one, other, False),
        ):
            cosine = np.einsum("ij,ij->i", mine.tests[rows], its.tests[other_rows])
            inputs.append(same_features(cosine, mine.test_seconds[rows], its.test_seconds[other_rows]))
            same.append(np.full(len(cosine), label))
            groups.append(np.full(len(cosine), names.index(one.group)))
    return np.concatenate(inputs).astype(np.float64), np.concatenate(same), np.concatenate(groups)


def _cllr(llr: np.ndarray, same: np.ndarray) -> float:
    return float((np.logaddexp(0, -llr[same]).mean() + np.logaddexp(0, llr[~same]).mean()) / 2 / np.log(2))
