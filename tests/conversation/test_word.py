"""Who has the word, of made-up probabilities of local voices."""

import numpy as np

from speakerid.conversation.word import FRAME, changes, one_at_a_time


def local(*spoken: tuple[int, float, float], seconds: float = 10.0) -> np.ndarray:
    """(voice, start s, end s) -> [t, 3]."""
    rows = np.full((round(seconds / FRAME), 3), 0.02, np.float32)
    for voice, start, end in spoken:
        rows[round(start / FRAME) : round(end / FRAME), voice] = 0.95
    return rows


def test_whoever_speaks_keeps_the_word_until_they_pause():
    found = changes(local((0, 1, 5), (1, 2, 3), (1, 4.5, 8)))  # a word thrown in, then over the end of a turn
    assert np.allclose(found, [5.0], atol=FRAME)


def test_over_a_pause_it_is_still_theirs_or_passes_in_its_middle():
    assert changes(local((2, 1, 3), (2, 5, 8))) == []
    assert np.allclose(changes(local((2, 1, 3), (0, 5, 8))), [4.0], atol=2 * FRAME)


def test_a_slip_changes_nothing():
    assert changes(local((0, 1, 4), (1, 4, 4.2), (0, 4.2, 8))) == []
    assert np.allclose(changes(local((0, 1, 4), (1, 4, 4.2), (2, 4.2, 8))), [4.0], atol=FRAME)
    assert changes(local((1, 0.5, 0.7), (0, 0.7, 8))) == []


def test_silence_and_nothing_have_no_changes():
    assert changes(local()) == [] and changes(np.zeros((0, 3), np.float32)) == []


def test_two_at_once_are_told_from_one():
    alone = one_at_a_time(local((0, 1, 5), (1, 4, 6)))
    assert alone[: round(4 / FRAME)].all() and not alone[round(4 / FRAME) : round(5 / FRAME)].any()
    assert alone[round(5 / FRAME) :].all()
