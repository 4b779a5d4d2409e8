"""Strangers told apart while a session goes on, in the log and in the texts made of it."""

import numpy as np
import pytest

from speakerid.conversation.entry import Entry, is_stranger
from speakerid.conversation.live_strangers import LiveStrangers
from speakerid.conversation.log import SessionLog
from speakerid.conversation.pieces import Pieces
from speakerid.conversation.sure_turns import surely_of_pieces
from speakerid.identify import Decision, Details, Turn
from speakerid.identify.scoring import Scorer

SCORER = Scorer()  # uncalibrated: two voices are alike from a cosine of 0.42 on
VOICES = np.eye(4, dtype=np.float32)


def heard(at: float, voice: int, segment: int, start: float, seconds: float = 2.0) -> Decision:
    details = Details({}, {}, {}, seconds, None, "")
    return Decision(at, "unknown", 0.8, {}, VOICES[voice], details, segment, start)


def test_strangers_get_numbers_once_there_are_two_and_keep_them():
    strangers = LiveStrangers()
    strangers.hear(heard(3, 0, 0, 1), 0.0, SCORER)
    assert strangers.name(1, 3) == "unknown", "one stranger needs no number"
    strangers.hear(heard(6, 1, 1, 4, seconds=0.5), 0.0, SCORER)
    assert strangers.name(4, 6) == "unknown", "too little to tell"
    strangers.hear(heard(7, 1, 1, 4, seconds=2.0), 0.0, SCORER)
    strangers.hear(heard(10, 0, 2, 8), 0.0, SCORER)
    strangers.hear(heard(3, 1, 0, 1), 20.0, SCORER)  # in the next listening of the session
    names = [strangers.name(*turn) for turn in ((1, 3), (4, 7), (8, 10), (21, 23), (12, 13))]
    assert names == ["unknown 1", "unknown 2", "unknown 1", "unknown 2", "unknown"]


def test_a_stretch_that_sounds_otherwise_as_it_grows_counts_to_whom_it_is_in_the_end():
    strangers = LiveStrangers()
    for decision in (heard(3, 0, 0, 1), heard(7, 1, 1, 4), heard(10, 2, 2, 8), heard(11, 0, 2, 8, 3.0)):
        strangers.hear(decision, 0.0, SCORER)
    assert [strangers.name(*turn) for turn in ((1, 3), (4, 7), (8, 11))] == [
        "unknown 1",
        "unknown 2",
        "unknown 1",
    ]


def test_the_log_says_so_from_the_second_stranger_on_also_of_earlier_turns():
    log = SessionLog()
    log.strangers.hear(heard(3, 0, 0, 1), 0.0, SCORER)
    turns = (Turn(1, 3, "unknown", 0.8),)
    log.take(turns)
    log.new_listening(10.0)
    assert [entry.speaker for entry in log.entries] == ["unknown"]
    turns = (Turn(0, 3, "unknown", 0.8), Turn(4, 5, "Ana", 0.9))
    log.strangers.hear(heard(3, 1, 0, 0), 10.0, SCORER)
    assert log.take(turns) == 0, "browsers get all rows anew"
    assert [entry.speaker for entry in log.entries] == ["unknown 1", "unknown 2", "Ana"]
    assert not any(entry.corrected for entry in log.entries)
    log.correct(10.0, "Bo")
    assert [entry.speaker for entry in log.entries] == ["unknown 1", "Bo", "Ana"]
    assert [entry.corrected for entry in log.entries] == [False, True, False]


@pytest.mark.parametrize(
    ("name", "stranger"),
    [
        ("unknown", True),
        ("unknown 12", True),
        ("unknown soldier", False),
        ("Ana 1", False),
        ("unknown ", False),
    ],
)
def test_what_strangers_are_called(name, stranger):
    assert is_stranger(name) == stranger


def test_only_turns_that_surely_are_a_strangers_are_ticked():
    at = np.arange(40) * 0.5 + 0.25
    voice = np.where(at < 5, 0, np.where(at < 10, 1, np.where((at > 13) & (at < 15), 1, 0)))
    pieces = Pieces([(0.0, 20.0)], at, np.full(40, 1.5), VOICES[voice])
    spans = [
        (0, 5, "unknown 1"),
        (5, 10, "unknown 2"),
        (10, 15, "unknown 1"),
        (15, 19, "unknown 1"),
        (19, 20, "unknown 1"),
    ]
    turns = [Entry(start, end, name, 0.9, "unknown") for start, end, name in spans]
    assert surely_of_pieces(turns, 0, pieces, SCORER) == [True, False, False, True, False], (
        "not the third, in which somebody else speaks too, nor the last, too short to tell"
    )
    assert surely_of_pieces(turns, 4, pieces, SCORER) == [False] * 4 + [True]
