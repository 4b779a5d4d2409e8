"""Learning a model's calibration: which log-likelihood ratio its cosines stand for.

Voices are enrolled from some of their recordings and tested with short pieces of the others, as a Listener
would hear them; logistic regression on the trials gives the weights (see identify/scoring.py).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from speakerid.audio.format import RATE
from speakerid.evaluate.own import Exemplars
from speakerid.gallery.exemplars import Embedder, Spoken, choose, embed_speech
from speakerid.identify.scoring import Calibration, Enrolled, Profiles, Scorer, features, same_features

TEST_SECONDS = (0.45, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0)
TESTS_PER_VOICE = 14
PAUSE_POWER = (
    0.2  # of the recording's; a piece below it is mostly a pause, which a Listener would not look at
)
RIDGE = 1e-3
RIDGE_FROM = 0.05  # towards the calibration of another model

FEWEST_SPEAKERS = 4  # of a corpus, to count as much as the others

Spoil = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Subject:
    """One voice, enrolled and tested.

    Attributes:
        speaker: whose voice it is; a warped voice of the same speaker is another subject.
        group: the corpus; trials stay within it.
        embeddings, seconds: [k, d], [k]: the exemplars that enrolling it would keep.
        tests, test_seconds: [t, d], [t].
    """

    speaker: str
    group: str
    embeddings: np.ndarray
    seconds: np.ndarray
    tests: np.ndarray
    test_seconds: np.ndarray

    @property
    def name(self) -> str:
        return self.speaker


def subject(
    speaker: str,
    group: str,
    recordings: Sequence[np.ndarray],
    encoder: Embedder,
    rng: np.random.Generator,
    spoil_enrolled: Spoil | None = None,
    spoil_test: Spoil | None = None,
    tests: int = TESTS_PER_VOICE,
) -> Subject | None:
    """Enroll one to three recordings [n] of a voice, or half of its only one, and test with the others.

    Args:
        spoil_enrolled, spoil_test: what happens to the recordings on the way; None: nothing.
        tests: pieces to test with.

    Returns:
        None where there is too little speech for it.
    """
    if len(recordings) == 1:
        half = len(recordings[0]) // 2
        enrolled, tested = [recordings[0][:half]], [recordings[0][half:]]
    else:
        order = rng.permutation(len(recordings))
        count = min(int(rng.integers(1, 4)), len(recordings) - 1)
        enrolled, tested = [recordings[k] for k in order[:count]], [recordings[k] for k in order[count:]]
    pieces = []
    for _ in range(tests):
        source = tested[rng.integers(len(tested))]
        length = int(rng.choice(TEST_SECONDS) * RATE)
        start = int(rng.integers(max(1, len(source) - length)))
        piece = np.ascontiguousarray(source[start : start + length])
        if len(piece) < min(TEST_SECONDS) * RATE / 2:
            continue
        if np.mean(np.square(piece)) >= PAUSE_POWER * np.mean(np.square(source)):
            pieces.append(spoil_test(piece) if spoil_test else piece)
    if spoil_enrolled:
        enrolled = [spoil_enrolled(recording) for recording in enrolled]
    parts = [Spoken(samples, len(samples) / RATE, "calibration") for samples in enrolled]
    windows, wholes = embed_speech(parts, encoder)
    candidates = wholes.join(windows)
    exemplars = candidates.pick(choose(candidates))
    if not pieces or not len(exemplars):
        return None
    return Subject(
        speaker,
        group,
        exemplars.embeddings,
        exemplars.seconds,
        encoder.embed(pieces),
        np.array([len(piece) / RATE for piece in pieces]),
    )


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
