"""Scores against their definitions."""

import numpy as np
import pytest
from support.in_memory import Person

from speakerid.errors import ModelError
from speakerid.identify.scoring import TOP, Calibration, Scorer, features, save


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def people(rng) -> list[Person]:
    return [Person(f"p{k}", "m", unit(rng.normal(size=(k + 1, 192))), np.full(k + 1, 3.0)) for k in range(3)]


def test_cosine_is_to_the_direction_of_the_mean_exemplar(rng, people):
    test = unit(rng.normal(size=(4, 192)))
    scores = Scorer().score(test, np.full(4, 2.0), Scorer().profiles(people))
    for k, person in enumerate(people):
        assert scores.cosine[:, k] == pytest.approx(test @ unit(person.embeddings.mean(axis=0)), abs=1e-5)


def test_s_norm_is_the_mean_of_both_sides_z_scores_over_the_nearest_of_the_cohort(rng, people):
    cohort = unit(rng.normal(size=(200, 192)))
    scorer = Scorer(cohort)
    test = unit(rng.normal(size=(1, 192)))
    scores = scorer.score(test, np.array([2.0]), scorer.profiles(people))
    center = unit(people[2].embeddings.mean(axis=0))
    near_test, near_center = np.sort(cohort @ test[0])[-TOP:], np.sort(cohort @ center)[-TOP:]
    cosine = float(test[0] @ center)
    expected = (cosine - near_test.mean()) / near_test.std() + (
        cosine - near_center.mean()
    ) / near_center.std()
    assert scores.normalized[0, 2] == pytest.approx(expected / 2, rel=0.03)  # std + 0.001 keeps it finite


def test_a_calibration_is_read_back_and_used(rng, people, tmp_path, monkeypatch):
    cohort, weights = unit(rng.normal(size=(80, 192))), np.arange(6.0) / 4
    save(tmp_path / "m.safetensors", cohort, Calibration(weights, np.ones(4)), {"voices": 3})
    monkeypatch.setattr("speakerid.model.companions.CALIBRATIONS", tmp_path)
    scorer = Scorer.for_model("m")
    assert scorer.calibrated
    test, profiles = unit(rng.normal(size=(2, 192))), scorer.profiles(people)
    scores = scorer.score(test, np.array([0.5, 3.0]), profiles)
    expected = features(
        scores.normalized,
        np.array([[0.5], [3.0]]) + np.zeros((2, 3)),
        profiles.seconds + np.zeros((2, 3)),
    )
    assert scores.llr == pytest.approx(expected @ weights, rel=1e-3)


def test_a_calibration_of_an_earlier_version_is_refused_with_a_remedy(rng, tmp_path, monkeypatch):
    cohort = unit(rng.normal(size=(80, 192)))
    save(tmp_path / "m.safetensors", cohort, Calibration(np.ones(8), np.ones(4)), {})
    monkeypatch.setattr("speakerid.model.companions.CALIBRATIONS", tmp_path)
    with pytest.raises(ModelError, match="another version"):
        Scorer.for_model("m")


def test_a_model_that_nobody_calibrated_says_so(people, rng):
    scorer = Scorer.for_model("some-model-12345678")
    assert not scorer.calibrated
    scores = scorer.score(unit(people[0].embeddings), np.array([2.0]), scorer.profiles(people))
    assert scores.llr[0, 0] > 5 > 0 > scores.llr[0, 1]


def test_the_bundled_model_is_calibrated(encoder):
    scorer = Scorer.for_model(encoder.id)
    assert scorer.calibrated and scorer.cohort is not None and len(scorer.cohort) > 100


def test_nobody_enrolled_gives_no_columns(rng):
    scorer = Scorer(unit(rng.normal(size=(80, 192))))
    scores = scorer.score(unit(rng.normal(size=(2, 192))), np.ones(2), scorer.profiles([]))
    assert scores.llr.shape == (2, 0)


def test_more_speech_makes_the_same_voice_surer(encoder, enrolled):
    scorer = Scorer.for_model(encoder.id)
    alice, bruno = enrolled["Alice"].embeddings, enrolled["Bruno"].embeddings
    assert (
        scorer.same_voice(alice[0], alice[1], (3.0, 3.0))
        > 0
        > scorer.same_voice(alice[0], bruno[0], (3.0, 3.0))
    )
