"""Live figures of meetings in which people talk at once, counted by hand."""

import pytest

from speakerid.evaluate.conversations import STEP
from speakerid.evaluate.meetings import add, figures, score

TURNS = [(1.0, 4.0, "ann"), (3.0, 5.0, "bob"), (6.0, 8.0, "stranger-1"), (7.0, 8.0, "stranger-2")]


def test_everybody_named_rightly_is_no_error():
    said = [(1.0, ("ann",)), (3.0, ("ann", "bob")), (4.0, ("bob",)), (5.0, ()), (6.0, ("unknown",))]
    perfect = figures([score(TURNS, [*said, (7.0, ("unknown", "unknown")), (8.0, ())])])
    assert perfect["named_error"] == pytest.approx(0, abs=0.01) and perfect["overlap_found"] > 0.98
    assert perfect["speech_s"] == pytest.approx(8, abs=0.05) and perfect["stranger_named"] == 0


def test_figures_by_hand():
    said = [
        (1.5, ("ann",)),  # half a second missed
        (3.5, ("ann", "unknown")),  # half a second of bob missed, then half of him called unknown
        (4.0, ("bob",)),
        (5.0, ("bob",)),  # a second of false alarm
        (6.0, ("bob",)),  # a second of the stranger called bob
        (7.0, ("unknown",)),  # one of two strangers missed
        (8.0, ()),
    ]
    got = figures([score(TURNS, said)])
    assert got["named_error"] == pytest.approx((0.5 + 0.5 + 0.5 + 1 + 1 + 1) / 8, abs=0.01)
    assert got["stranger_named"] == pytest.approx(0.5, abs=0.01)
    assert got["overlap_found"] == pytest.approx(0.25, abs=0.01)


def test_a_name_beside_another_one_is_wrong_where_its_owner_is_silent():
    got = score([(0.0, 2.0, "ann")], [(0.0, ("ann", "bob")), (2.0, ())])
    assert got.error == pytest.approx(2.0, abs=2 * STEP) and got.two == 0


def test_nothing_said_misses_everything_and_sums_add_up():
    nothing = score(TURNS, [])
    assert nothing.error == nothing.speech and nothing.two_found == 0
    assert add([nothing, nothing]).speech == 2 * nothing.speech
    assert figures([nothing] * 5)["named_error_interval"] == [1, 1]
    assert figures([score([(0.0, 1.0, "ann")], [])])["overlap_found"] is None
