"""The diarization error rate, against cases worked out by hand."""

import pytest

from speakerid.evaluate.diarization import compare, figures

TRUTH = [(0.0, 10.0, "Ana"), (8.0, 12.0, "stranger-1"), (12.0, 20.0, "Bo")]


def test_the_right_answer_has_no_error_whatever_strangers_are_called():
    found = figures([compare(TRUTH, [(0, 10, "Ana"), (8, 12, "unknown 3"), (12, 20, "Bo")])])
    assert found["der"] == found["der_fair"] == found["named_error"] == found["stranger_named"] == 0
    assert found["overlap_found"] == 1 and found["voices_found"] == found["voices"] == 3
    assert found["speech_s"] == pytest.approx(22)


def test_each_kind_of_error_counts():
    said = [(0, 9, "Ana"), (9, 12, "Ana"), (12, 20.5, "Cem")]
    errors = compare(TRUTH, said)
    assert errors.missed == pytest.approx(2) and errors.false_alarm == pytest.approx(0.5)
    assert errors.confused == pytest.approx(2), "Ana goes on where a stranger speaks; Cem is matched to Bo"
    assert errors.named_error == pytest.approx(2 + 0.5 + 2 + 8), "with names, Cem is wrong"
    assert errors.stranger_named == pytest.approx(2) and errors.stranger == pytest.approx(4)
    assert errors.overlap == pytest.approx(2) and errors.overlap_found == 0


def test_fair_figures_forgive_edges_and_overlap():
    said = [(0.2, 10.2, "Ana"), (10.2, 12.2, "unknown"), (12.2, 19.8, "Bo")]
    found = figures([compare(TRUTH, said)])
    assert found["der_fair"] == 0 and found["der"] > 0.1


def test_voices_are_matched_one_to_one_in_the_best_way():
    truth = [(0, 4, "a"), (4, 7, "b")]
    said = [(0, 3, "x"), (3, 7, "y")]  # greedily y would go to b or a; the best is a-x, b-y
    assert compare(truth, said).confused == pytest.approx(1)
    assert compare(truth, [(0, 7, "x")]).confused == pytest.approx(3)
    assert compare(truth, []).missed == pytest.approx(7)
