"""Leave one out on enrolled people: nothing is compared with itself, and costs are what they say."""

from dataclasses import replace

import numpy as np
import pytest
from gallery.people import voiceprint

from speakerid.evaluate import closed_set
from speakerid.evaluate.own import error_still_possible, leave_one_out
from speakerid.gallery.voiceprint import unit
from speakerid.identify.scoring import Scorer


def person(name, seed, recordings=3, pieces=2, spread=0.03, center=None):
    """Somebody whose pieces scatter around a voice; each recording is a source of its own."""
    rng = np.random.default_rng(seed)
    center = unit(rng.standard_normal(192)) if center is None else center
    rows = unit(center + spread * rng.standard_normal((recordings * pieces, 192)))
    sources = tuple(f"{name} {k // pieces}" for k in range(len(rows)))
    made = voiceprint(name, seed, exemplars=len(rows))
    return replace(made, embeddings=rows, sources=sources)


def test_clear_voices_give_a_threshold_without_cost():
    tries = leave_one_out([person("Ann", 1), person("Bob", 2), person("Cy", 3, recordings=1)], Scorer())
    assert tries.enough and tries.single == ("Cy",) and not tries.calibrated
    assert len(tries.owner) == 12 and len(tries.stranger) == 14 and len(tries.nontarget) == 28
    best = tries.best_threshold()
    assert (best.refused, best.named, best.tried, best.strangers) == (0, 0, 12, 14)
    assert tries.confusion(best.value).tolist() == [[6, 0, 0, 0], [0, 6, 0, 0], [0, 0, 0, 0]]
    assert tries.confused(best.value) == []
    # In the middle of what costs nothing: a step either way is free too.
    assert tries.at(best.value - 0.01).cost == tries.at(best.value + 0.01).cost == 0


def test_one_voice_under_two_names_overlaps():
    center = unit(np.random.default_rng(7).standard_normal(192))
    tries = leave_one_out([person("Ann", 1, center=center), person("Ann again", 2, center=center)], Scorer())
    best = tries.best_threshold()
    assert best.cost > 0.2
    assert {pair[:2] for pair in tries.confused(0.3)} <= {("Ann", "Ann again"), ("Ann again", "Ann")}
    assert (tries.stranger > 0.6).all()  # with one of them taken out, the other is found


def test_a_recording_is_never_compared_with_itself():
    """Recordings that have nothing in common: found only if a piece could meet its own recording."""
    ann = person("Ann", 1, recordings=2, pieces=2, spread=0)
    rows = unit(np.random.default_rng(5).standard_normal((2, 192)))
    ann = replace(ann, embeddings=np.repeat(rows, 2, axis=0))
    tries = leave_one_out([ann, person("Bob", 2)], Scorer())
    assert (tries.shown(0.5)[tries.owner == 0] == 2).all()


def test_costs_are_counted():
    tries = leave_one_out([person("Ann", 1, spread=0.09), person("Bob", 2, spread=0.09)], Scorer())
    for value in (0.2, 0.5, 0.9):
        cost = tries.at(value)
        right = sum(tries.posterior[i, o] >= value and tries.posterior[i, o] >= tries.posterior[i, 1 - o]
                    for i, o in enumerate(tries.owner))  # fmt: skip
        assert cost.refused == 12 - right and cost.named == sum(x >= value for x in tries.stranger)
    assert tries.at(0.99).refused >= tries.at(0.5).refused and tries.at(0.99).named <= tries.at(0.5).named


@pytest.mark.parametrize("people", [[], ["Ann"], ["Ann", "Bob"]])
def test_too_little(people):
    tries = leave_one_out([person(name, i, recordings=1) for i, name in enumerate(people)], Scorer())
    assert not tries.enough and tries.single == tuple(people)
    assert not leave_one_out([person("Ann", 1), person("Bob", 2, recordings=1)], Scorer()).enough


def test_error_still_possible():
    assert error_still_possible(1) == pytest.approx(0.95)
    assert (1 - error_still_possible(12)) ** 12 == pytest.approx(0.05)


@pytest.mark.parametrize("by_head", [False, True])
def test_of_a_closed_set_everybodys_recordings_are_left_out_in_turn(by_head):
    people = [person("Ann", 1), person("Bob", 2, recordings=2), person("Cy", 3, recordings=1)]
    share = closed_set.leave_one_out(people, Scorer(), by_head=by_head)
    assert (share.right, share.tried) == (10, 10)  # Cy's only recording stays in


def test_a_closed_set_never_meets_its_own_recording():
    """Recordings that have nothing in common: found only if a piece could meet its own recording."""
    rows = unit(np.random.default_rng(5).standard_normal((2, 192)))
    ann = replace(person("Ann", 1, recordings=2, pieces=2), embeddings=np.repeat(rows, 2, axis=0))
    bob = replace(person("Bob", 2, recordings=2, pieces=2), embeddings=np.repeat(-rows, 2, axis=0))
    share = closed_set.leave_one_out([ann, bob], Scorer(), by_head=False)
    assert share.tried == 8 and share.right < 8
