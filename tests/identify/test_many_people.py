"""Voices in one matrix: changed by difference it is as made anew, and 8 bits find whom all bits find."""

import numpy as np
import pytest
from support.in_memory import Person

from speakerid.gallery import centers
from speakerid.gallery.centers import centers_of
from speakerid.identify import scoring
from speakerid.identify.coarse import NEAREST, Coarse
from speakerid.identify.scoring import Calibration, Scorer


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def people(count: int, seed: int = 0, width: int = 192) -> list[Person]:
    rng = np.random.default_rng(seed)
    return [
        Person(f"{seed}-{k}", f"m{width}", unit(rng.normal(size=(k % 3 + 1, width))), np.full(k % 3 + 1, 3.0))
        for k in range(count)
    ]


@pytest.fixture
def scorer() -> Scorer:
    cohort = unit(np.random.default_rng(9).normal(size=(80, 192)))
    return Scorer(cohort, Calibration(np.arange(6.0) / 4, np.ones(4)))


@pytest.mark.parametrize("many", [10_000, 5])
def test_what_changed_by_difference_is_as_made_anew(scorer, monkeypatch, many):
    monkeypatch.setattr(scoring, "MANY", many)
    monkeypatch.setattr("speakerid.identify.coarse.NEAREST", 3)
    test, seconds = people(1, 7)[0].embeddings, np.array([2.0])
    first = people(20)
    for now in (
        first,
        [*first[:4], *people(2, 1), *first[4:]],
        first[3:],
        first[::-1],
        [],
        first,
        first[:1],
        people(6, 2),
    ):
        made, again = scorer.profiles(now), Scorer(scorer.cohort, scorer.calibration)
        centers._latest.clear()
        fresh = again.profiles(now)
        assert made.names == tuple(person.name for person in now)
        for name in ("cosine", "normalized", "llr"):
            got, expected = (
                getattr(one.score(test, seconds, held), name)
                for one, held in ((scorer, made), (again, fresh))
            )
            assert got == pytest.approx(expected, abs=1e-6)
        assert scorer.profiles(list(now)) is made, "nothing changed, so nothing is made"


def test_only_those_who_changed_are_made_anew(monkeypatch):
    everybody = people(50)
    centers_of(everybody)
    made: list[int] = []
    means = centers._means
    monkeypatch.setattr(centers, "_means", lambda new: made.append(len(new)) or means(new))
    centers_of([*everybody[:10], *people(2, 3), *everybody[11:]])
    assert made == [2]


def test_models_of_other_widths_stand_beside_each_other():
    assert centers_of(people(3, width=64)).rows.shape == (3, 64)
    assert centers_of(people(4)).rows.shape == (4, 192)
    assert Scorer().profiles(people(3, width=64)).cosines(people(1, 5, 64)[0].embeddings).shape == (1, 3)


def test_eight_bits_find_whom_all_bits_find():
    rng = np.random.default_rng(0)
    rows = unit(rng.normal(size=(5000, 192)))
    embeddings = unit(rows[[7, 4000]] + 0.05 * rng.normal(size=(2, 192)).astype(np.float32))
    exact, found = embeddings @ rows.T, Coarse.of(rows).cosines(embeddings, rows)
    assert np.abs(exact - found).max() < 0.01 and found.argmax(axis=1).tolist() == [7, 4000]
    for row in range(2):
        nearest = np.argsort(-exact[row])[: NEAREST // 2]
        assert found[row, nearest] == pytest.approx(exact[row, nearest], abs=1e-6)
