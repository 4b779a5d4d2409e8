"""Cohort and calibration: what turns a model's cosines into log-likelihood ratios.

The cohort are the speakers that the network was trained on; the calibration is learned on the speakers held
out of training, for an embedding is surer of a voice it was trained on than it will ever be again.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from speakerid.audio.format import RATE
from speakerid.gallery.exemplars import Embedder, Exemplars, Spoken, choose, embed_speech
from speakerid.identify.scoring import Calibration, Scorer, features, same_features, save
from speakerid.training import augment, voices
from speakerid.training import corpus as corpora
from speakerid.training.prepare import load_surroundings

WARPS = (voices.Warp(), voices.Warp(17), voices.Warp(23))  # each held-out speaker counts as three voices
TEST_SECONDS = (0.45, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0)
TESTS_PER_VOICE = 14
SPOILT_SHARE = 0.5
COHORT_CLIPS = 3  # a speaker
RIDGE = 1e-3


@dataclass(frozen=True)
class _Person:
    """One voice as scoring wants it, with test pieces of its own."""

    name: str
    corpus: str
    embeddings: np.ndarray
    seconds: np.ndarray
    tests: np.ndarray  # [t, 192]
    test_seconds: np.ndarray  # [t]


def calibrate(prepared: Path, encoder: Embedder, out: Path, seed: int = 0) -> None:
    """Write cohort and calibration for an encoder to `out`, a safetensors file."""
    corpus = corpora.load(prepared)
    held = corpora.held_out(corpus)
    cohort = _cohort(corpus.without(held), encoder, seed)
    print(f"cohort of {len(cohort)} speakers")
    people = _people(corpus.only(held), load_surroundings(prepared), encoder, seed)
    print(f"{len(people)} voices held out of training")
    weights = _fit_trials(people, Scorer(cohort))
    same = _fit_same(people)
    about = {"model": encoder.id, "voices": len(people), "cohort": len(cohort)}
    save(out, cohort, Calibration(weights, same), about)


def logistic(inputs: np.ndarray, same: np.ndarray, rounds: int = 40) -> np.ndarray:
    """Weights [k] whose product with inputs [n, k] is the log-likelihood ratio of `same` [n].

    Logistic regression with both classes weighing alike (Brümmer and du Preez, "Application-independent
    evaluation of speaker detection", 2006), by Newton's method with a slight ridge.
    """
    importance = np.where(same, 0.5 / same.sum(), 0.5 / (~same).sum())
    weights = np.zeros(inputs.shape[1])
    for _ in range(rounds):
        probability = 1 / (1 + np.exp(-np.clip(inputs @ weights, -30, 30)))
        gradient = inputs.T @ (importance * (probability - same)) + RIDGE * weights / len(weights)
        curvature = importance * probability * (1 - probability)
        hessian = (inputs * curvature[:, None]).T @ inputs + RIDGE / len(weights) * np.eye(len(weights))
        weights = weights - np.linalg.solve(hessian, gradient)
    return weights


def _cohort(corpus: corpora.Corpus, encoder: Embedder, seed: int) -> np.ndarray:
    """One unit embedding a training speaker [c, 192]."""
    rng = np.random.default_rng(seed)
    rows = []
    for clips in corpus.by_speaker().values():
        chosen = rng.choice(len(clips), min(COHORT_CLIPS, len(clips)), replace=False)
        center = encoder.embed([corpus.audio(clips[k])[: 6 * RATE] for k in chosen]).mean(axis=0)
        rows.append(center / np.linalg.norm(center))
    return np.stack(rows)


def _people(
    corpus: corpora.Corpus, around: augment.Surroundings, encoder: Embedder, seed: int
) -> list[_Person]:
    rng = np.random.default_rng(seed)
    people = []
    for speaker, clips in sorted(corpus.by_speaker().items()):
        for warp in WARPS:
            audio = [voices.render(corpus.audio(c), warp) for c in clips]
            if len(audio) == 1:  # one long recording: its first half enrolls, the rest is tested
                half = len(audio[0]) // 2
                enrolled, tested = [audio[0][:half]], [audio[0][half:]]
            else:
                order = rng.permutation(len(audio))
                count = int(rng.integers(1, 4))
                enrolled, tested = [audio[k] for k in order[:count]], [audio[k] for k in order[count:]]
            if rng.random() < SPOILT_SHARE / 2:
                enrolled = [augment.degrade(e, around, tested[0], rng) for e in enrolled]
            pieces = []
            for _ in range(TESTS_PER_VOICE):
                source = tested[rng.integers(len(tested))]
                length = int(rng.choice(TEST_SECONDS) * RATE)
                start = int(rng.integers(max(1, len(source) - length)))
                piece = np.ascontiguousarray(source[start : start + length])
                if np.mean(np.square(piece)) < 0.2 * np.mean(np.square(source)):
                    continue  # mostly a pause, which the Listener would not look at
                pieces.append(
                    augment.degrade(piece, around, enrolled[0], rng) if rng.random() < SPOILT_SHARE else piece
                )
            if not pieces:
                continue
            exemplars = _as_enrolled(enrolled, encoder)
            if not len(exemplars):  # too short a recording to enroll from
                continue
            people.append(
                _Person(
                    f"{speaker} {warp}",
                    clips[0].corpus,
                    exemplars.embeddings,
                    exemplars.seconds,
                    encoder.embed(pieces),
                    np.array([len(p) / RATE for p in pieces]),
                )
            )
    return people


def _as_enrolled(recordings: list[np.ndarray], encoder: Embedder) -> Exemplars:
    """The exemplars that enrolling these recordings would keep."""
    parts = [Spoken(samples, len(samples) / RATE, "calibration") for samples in recordings]
    windows, wholes = embed_speech(parts, encoder)
    candidates = wholes.join(windows)
    return candidates.pick(choose(candidates))


def _fit_trials(people: list[_Person], scorer: Scorer) -> np.ndarray:
    """Every test against every enrolled voice of its corpus."""
    inputs, same = [], []
    for name in sorted({person.corpus for person in people}):
        group = [person for person in people if person.corpus == name]
        profiles = scorer.profiles(list(group))
        for index, person in enumerate(group):
            scores = scorer.score(person.tests, person.test_seconds, profiles)
            tested = np.broadcast_to(person.test_seconds[:, None], scores.cosine.shape)
            enrolled = np.broadcast_to(profiles.seconds[None], scores.cosine.shape)
            own = person.name.split()[0]
            # Another warp of the same speaker is neither surely the same voice nor surely another one.
            fair = [k == index or other.name.split()[0] != own for k, other in enumerate(group)]
            inputs.append(
                features(scores.cosine, scores.normalized, tested, enrolled)[:, fair].reshape(-1, 8)
            )
            same.append(np.tile(np.arange(len(group))[fair] == index, len(person.tests)))
    x, y = np.concatenate(inputs).astype(np.float64), np.concatenate(same)
    weights = logistic(x, y)
    _report("trials", x @ weights, y)
    return weights


def _fit_same(people: list[_Person]) -> np.ndarray:
    """Pieces of one stream: all pairs of tests of a voice, against pairs with another voice's tests."""
    inputs, same = [], []
    for index, person in enumerate(people):
        first, second = np.triu_indices(len(person.tests), 1)
        others = [
            p for p in people if p.corpus == person.corpus and p.name.split()[0] != person.name.split()[0]
        ]
        other = others[index % len(others)]
        count = min(len(first), len(other.tests) * len(person.tests))
        a, b = np.divmod(np.arange(count), len(other.tests))
        a %= len(person.tests)
        for left, right, x, y, label in (
            (
                person.tests[first],
                person.tests[second],
                person.test_seconds[first],
                person.test_seconds[second],
                True,
            ),
            (person.tests[a], other.tests[b], person.test_seconds[a], other.test_seconds[b], False),
        ):
            inputs.append(same_features(np.einsum("ij,ij->i", left, right), x, y))
            same.append(np.full(len(x), label))
    x, y = np.concatenate(inputs).astype(np.float64), np.concatenate(same)
    weights = logistic(x, y)
    _report("pieces of one stream", x @ weights, y)
    return weights


def _report(what: str, llr: np.ndarray, same: np.ndarray) -> None:
    cllr = (np.log1p(np.exp(-llr[same])).mean() + np.log1p(np.exp(llr[~same])).mean()) / 2 / np.log(2)
    print(f"{what}: {same.sum()} same, {(~same).sum()} different, Cllr {cllr:.3f}")
