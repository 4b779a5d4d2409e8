"""Live figures against values counted by hand, and against a plain loop over the grid."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speakerid.evaluate import EvaluationError
from speakerid.evaluate.conversations import STEP, figures, score
from speakerid.evaluate.labelled import find, read_rttm

TURNS = [(1.0, 3.0, "ann"), (4.0, 5.0, "unknown"), (6.0, 8.0, "bob")]


def test_figures_by_hand():
    shown = [
        (1.5, "bob", 0.4),  # half a second of nobody, half of the wrong name
        (2.0, "ann", 0.9),  # then right, and still there during the gap
        (4.5, "unknown", 0.8),  # stranger named for half a second
        (6.0, None, 0.0),  # bob never shown
        (8.75, "ann", 0.7),  # more than 0.5 s after the last turn, until the end at 9 s
    ]
    got = figures([score(TURNS, shown)])
    assert got["speech_s"] == pytest.approx(5, abs=0.03)
    assert got["live_error"] == pytest.approx((0.5 + 0.5 + 0.5 + 2) / 5, abs=0.01)
    assert got["wrong_name"] == pytest.approx(0.5 / 4, abs=0.01)
    assert got["missed"] == pytest.approx(2.5 / 4, abs=0.01)
    assert got["stranger_named"] == pytest.approx(0.5, abs=0.01)
    assert got["false_alarm"] == pytest.approx(0.25 / 5, abs=0.005)
    assert got["reaction_median"] == pytest.approx(1.0, abs=0.011) and got["never"] == 0.5
    # Shown in speech: 0.5 s wrong at 0.4, 1 s right at 0.9, 0.5 s wrong at 0.9, 0.5 s right at 0.8.
    assert got["mean_confidence"] == pytest.approx((0.2 + 0.9 + 0.45 + 0.4) / 2.5, abs=0.01)
    assert got["shown_right"] == pytest.approx(1.5 / 2.5, abs=0.01)
    expected = (0.5 * 0.4 + 1.5 * abs(2 / 3 - 0.9) + 0.5 * 0.2) / 2.5
    assert got["calibration_error"] == pytest.approx(expected, abs=0.01)
    assert sum(row["weight"] for row in got["reliability"]) == pytest.approx(2.5, abs=0.03)


def test_perfect_and_empty():
    perfect = [(t[0], t[2], 1.0) for t in TURNS] + [(t[1], None, 0.0) for t in TURNS]
    got = figures([score(TURNS, perfect)] * 6)
    assert got["live_error"] == 0 and got["reaction_p95"] <= STEP and got["never"] == 0
    assert got["calibration_error"] == 0 and got["live_error_interval"] == [0, 0]
    nothing = figures([score(TURNS, [])])
    assert nothing["missed"] == 1 and nothing["stranger_named"] == 0 and nothing["never"] == 1
    assert nothing["calibration_error"] is None and nothing["reaction_median"] is None
    assert figures([score(TURNS[:1], [])])["stranger_named"] is None


NAMES = st.sampled_from(["ann", "bob", "unknown", None])


@given(
    st.lists(
        st.tuples(st.floats(0, 4), st.floats(0.05, 2), st.sampled_from(["ann", "bob", "unknown"])), min_size=1
    ),
    st.lists(st.tuples(st.floats(0, 6), NAMES, st.floats(0, 1)), max_size=8),
)
@settings(max_examples=40, deadline=None)
def test_against_a_plain_loop(spans, shown):
    turns = [(start, start + length, who) for start, length, who in spans]
    outcome = score(turns, shown)
    ordered = sorted(shown, key=lambda one: one[0])
    counts = dict.fromkeys(("missed", "wrong_name", "stranger_named", "false_alarm"), 0)
    for time in np.arange(0, max(t[1] for t in turns) + 1.0, STEP):
        before = [one for one in ordered if one[0] <= time]
        name = before[-1][1] if before else None
        for start, end, who in turns:
            if start <= time < end and who == "unknown":
                counts["stranger_named"] += name in ("ann", "bob")
            elif start <= time < end:
                counts["missed"] += name in (None, "unknown")
                counts["wrong_name"] += name in ("ann", "bob") and name != who
        if all(time < t[0] - 0.5 or time > t[1] + 0.5 for t in turns):
            counts["false_alarm"] += name in ("ann", "bob")
    for kind, count in counts.items():
        assert getattr(outcome, kind) == pytest.approx(count * STEP)


def test_bad_folders_say_what_is_missing(tmp_path):
    with pytest.raises(EvaluationError, match="no conversation in"):
        find(tmp_path)
    (tmp_path / "00").mkdir()
    rttm = tmp_path / "00" / "ref.rttm"
    rttm.write_text("SPEAKER mix 1 0.5 1.0 <NA> <NA> ann <NA> <NA>\n")
    with pytest.raises(EvaluationError, match="is incomplete"):
        find(tmp_path)
    assert read_rttm(rttm) == [(0.5, 1.5, "ann")]
    rttm.write_text("SPEAKER mix 1 x\n")
    with pytest.raises(EvaluationError, match="line 1, is no RTTM line"):
        read_rttm(rttm)
    rttm.write_text("; nothing\n")
    with pytest.raises(EvaluationError, match="holds no turn"):
        read_rttm(rttm)
