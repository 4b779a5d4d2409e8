"""The filter over time, and turns made of decisions."""

import numpy as np
import pytest

from speakerid.identify import Decision
from speakerid.identify.tracker import Tracker, TrackerConfig
from speakerid.identify.turn_log import TurnLog


def test_without_evidence_it_expects_strangers_as_often_as_configured():
    tracker = Tracker(3, TrackerConfig(unknown=0.4))
    assert tracker.posterior == pytest.approx([0.2, 0.2, 0.2, 0.4])


def test_evidence_is_bayes_rule():
    tracker = Tracker(2, TrackerConfig(unknown=0.5, unnoticed=0.0))
    tracker.begin(10.0)
    posterior = tracker.hear(np.log([4.0, 1.0]), full=False)
    assert posterior == pytest.approx(np.array([0.25 * 4, 0.25, 0.5]) / 1.75)


def test_however_clear_the_evidence_the_voice_may_have_changed_since():
    tracker = Tracker(2, TrackerConfig(unknown=0.5, unnoticed=0.1))
    tracker.begin(10.0)
    shown = tracker.hear(np.array([50.0, 0.0]), full=True)
    assert shown == pytest.approx([0.925, 0.025, 0.05])
    assert tracker.posterior == pytest.approx([1.0, 0.0, 0.0])  # what it goes on from


def test_the_longer_a_turn_lasts_the_surer_it_may_become():
    def shown(age: float) -> float:
        tracker = Tracker(1, TrackerConfig(unknown=0.5, unnoticed=0.08, notice=0.5))
        return tracker.hear(np.array([50.0]), True, age)[0]

    assert shown(0.0) == pytest.approx(0.96)
    assert shown(6.25) == pytest.approx(0.98)
    assert shown(0.0) < shown(1.0) < shown(3.0) < shown(6.25) < shown(25.0) < 1


def test_windows_that_overlap_do_not_add_up():
    tracker = Tracker(1, TrackerConfig())
    tracker.begin(10.0)
    once = tracker.hear(np.array([1.0]), full=True).copy()
    for _ in range(50):
        again = tracker.hear(np.array([1.0]), full=True)
    assert again == pytest.approx(once)


def test_the_longer_the_pause_the_less_it_remembers():
    remembered = []
    for pause in (0.1, 1.0, 100.0):
        tracker = Tracker(2, TrackerConfig(unknown=0.4))
        tracker.begin(10.0)
        tracker.hear(np.array([8.0, -8.0]), full=True)
        tracker.begin(pause)
        remembered.append(tracker.posterior[0])
    assert remembered[0] > remembered[1] > remembered[2] == pytest.approx(0.3, abs=0.01)


def test_a_change_of_voice_speaks_against_the_one_before():
    tracker = Tracker(2, TrackerConfig())
    tracker.begin(10.0)
    tracker.hear(np.array([8.0, -8.0]), full=True)
    tracker.begin(None)
    assert tracker.posterior[0] < 0.5


def decide(speaker: str | None, at: float, segment: int, start: float, confidence: float = 0.8) -> Decision:
    return Decision(at, speaker, confidence, segment=segment, start=start)


def test_turns_join_over_short_pauses_and_part_over_long_ones():
    log = TurnLog()
    log.add(decide("A", 1.5, 0, 1.0), 1.5)
    log.end_at(2.0)
    log.add(decide("A", 3.0, 1, 2.5), 3.0)
    log.add(decide("A", 9.0, 2, 8.0), 9.0)
    assert [(t.start, t.end, t.speaker) for t in log.turns] == [(1.0, 3.0, "A"), (8.0, 9.0, "A")]


def test_a_better_judgement_of_the_same_stretch_corrects_it():
    log = TurnLog()
    log.add(decide("A", 1.5, 0, 1.0, 0.5), 1.5)
    log.add(decide("B", 2.0, 0, 1.0, 0.9), 2.0)
    assert [(t.start, t.end, t.speaker, t.confidence) for t in log.turns] == [(1.0, 2.0, "B", 0.9)]


def test_a_correction_leaves_the_earlier_stretch_alone():
    log = TurnLog()
    log.add(decide("A", 2.0, 0, 1.0), 2.0)
    log.add(decide("A", 3.0, 1, 2.4), 3.0)
    log.add(decide("B", 3.5, 1, 2.4), 3.5)
    assert [(t.start, t.end, t.speaker) for t in log.turns] == [(1.0, 2.4, "A"), (2.4, 3.5, "B")]


def test_a_turn_that_goes_on_with_the_one_before_keeps_that_ones_confidence():
    log = TurnLog()
    log.add(decide("A", 2.0, 0, 1.0, 0.9), 2.0)
    log.add(decide("A", 2.2, 0, 1.0, 0.9), 2.2)
    log.add(decide("B", 3.0, 1, 2.5, 0.5), 3.0)
    log.add(decide("A", 3.5, 1, 2.5, 0.6), 3.5)
    [turn] = log.turns
    assert (turn.start, turn.end, turn.speaker) == (1.0, 3.5, "A")
    assert turn.confidence == pytest.approx(0.8), "B's decision does not count"
    log.add(decide("A", 3.7, 1, 2.5, 1.0), 3.7)
    assert log.turns[0].confidence == pytest.approx(0.85)


def test_a_stretch_that_leaves_its_turn_again_takes_its_decisions_along():
    log = TurnLog()
    log.add(decide("A", 2.0, 0, 1.0, 0.9), 2.0)
    for at, speaker, confidence in ((3.0, "B", 0.5), (3.5, "A", 0.4), (4.0, "B", 0.7)):
        log.add(decide(speaker, at, 1, 2.5, confidence), at)
    assert [(t.start, t.end, t.speaker) for t in log.turns] == [(1.0, 2.5, "A"), (2.5, 4.0, "B")]
    assert [t.confidence for t in log.turns] == pytest.approx([0.9, 0.7])
    log.add(decide("A", 4.5, 1, 2.5, 0.6), 4.5)
    assert log.turns[0].confidence == pytest.approx(0.75)


def test_nobody_makes_no_turn():
    log = TurnLog()
    log.add(decide(None, 1.0, 0, 0.0), 1.0)
    log.end_at(5.0)
    assert log.turns == []
