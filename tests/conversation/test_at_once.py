"""Who speaks beside whoever has the word: from local voices without names to turns that overlap."""

import numpy as np
import pytest

from speakerid.conversation.at_once import FRAME, beside
from speakerid.conversation.pieces import Pieces
from speakerid.conversation.turns import turns_of


def frames(*spoken: tuple[int, float, float], seconds: float = 20.0) -> np.ndarray:
    """float16 [t, 3] of (slot, from s, to s)."""
    local = np.full((round(seconds / FRAME), 3), 0.02, np.float16)
    for slot, start, end in spoken:
        local[round(start / FRAME) : round(end / FRAME), slot] = 0.9
    return local


def labels(*spoken: tuple[int, float, float]) -> np.ndarray:
    made = np.full(round(20 / FRAME), -1)
    for voice, start, end in spoken:
        made[round(start / FRAME) : round(end / FRAME)] = voice
    return made


def test_who_sets_in_early_is_whoever_goes_on_alone():
    said = labels((4, 0, 5), (7, 5, 9))
    [(start, end, voice, sure)] = beside(said, frames((0, 0, 5), (2, 4.2, 9)))
    assert (voice, sure) == (7, pytest.approx(0.9, abs=0.01))
    assert (start, end) == (pytest.approx(4.2, abs=0.02), pytest.approx(5, abs=0.02))


def test_a_word_in_between_is_whoever_spoke_in_its_slot_nearby():
    said = labels((4, 0, 8), (7, 9, 12))
    local = frames((0, 0, 8), (1, 5, 5.5), (1, 9, 12))
    assert [found[2] for found in beside(said, local)] == [7]
    assert not list(beside(said, frames((0, 0, 8), (1, 3, 3.5)))), "nothing tells whose it is"
    assert not list(beside(said, frames((0, 0, 8), (0, 9, 12)))), "nobody speaks at once"
    assert not list(beside(said, local[:0])) and not list(beside(said[:0], local))


def test_turns_overlap_where_people_do():
    at = np.arange(40) * 0.5 + 0.25
    path = np.where(at < 10, 0, 1)
    share = np.eye(3)[path]
    local = frames((0, 0, 10), (1, 9, 20), (0, 13, 14))
    pieces = Pieces([(0.0, 20.0)], at, np.full(40, 1.5), np.zeros((40, 1), np.float32), local)
    turns = turns_of(pieces, path, share, ["Ana", "Bo"], 0.5)
    found = [(turn.speaker, round(turn.start, 1), round(turn.end, 1), turn.beside) for turn in turns]
    assert found == [("Ana", 0, 10, False), ("Bo", 9, 20, False), ("Ana", 13, 14, True)]
