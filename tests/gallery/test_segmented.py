"""What the segmentation hears in the recordings of an enrollment, and what the gate makes of it."""

import numpy as np
import pytest
from support import voices

from speakerid import Encoder
from speakerid.errors import EnrollmentRefused
from speakerid.evaluate.two_voices import at_once
from speakerid.gallery.enrollment import examine
from speakerid.gallery.segmented import (
    LEAST_ALONE,
    MOST_ALONE,
    MOST_AT_ONCE,
    agreement_of_pairs,
    segmented,
)
from speakerid.model.limits import TYPICAL

RATE = voices.RATE


def in_turn(one: str, other: str, pieces: int = 3) -> np.ndarray:
    """Sentences of two people, one after the other without a pause."""
    return np.concatenate([voices.turn(name, k) for k in range(pieces) for name in (one, other)])


@pytest.mark.parametrize("name", voices.PEOPLE)
def test_one_voice_is_heard_alone(name: str, encoder: Encoder):
    heard = segmented(voices.enrollment(name))
    assert heard.at_once < MOST_AT_ONCE / 2
    assert agreement_of_pairs(heard.pairs, encoder) > TYPICAL.apart


@pytest.mark.parametrize(("one", "other"), [("Alice", "Bruno"), ("Daisy", "Edgar"), ("Callum", "Felix")])
def test_two_who_speak_at_once_are_refused(one: str, other: str, encoder: Encoder):
    both = at_once(voices.enrollment(one)[0], voices.enrollment(other)[0])
    assert segmented([both]).at_once > MOST_AT_ONCE
    with pytest.raises(EnrollmentRefused, match="More than one voice"):
        examine([both], encoder, ["both.wav"])


@pytest.mark.parametrize(("one", "other"), [("Alice", "Bruno"), ("Daisy", "Edgar")])
def test_two_without_a_pause_between_them_are_refused(one: str, other: str, encoder: Encoder):
    recording = in_turn(one, other)
    [(first, second)] = segmented([recording]).pairs
    assert LEAST_ALONE * RATE <= len(second) <= len(first) <= MOST_ALONE * RATE
    assert agreement_of_pairs([(first, second)], encoder) < TYPICAL.apart
    with pytest.raises(EnrollmentRefused, match="More than one voice"):
        examine([recording], encoder, ["both.wav"])


def test_without_speech_nothing_is_heard():
    heard = segmented([np.zeros(RATE, np.float32), np.zeros(0, np.float32)])
    assert heard.at_once == 0 and heard.pairs == []
    assert agreement_of_pairs([], object()) == 1.0  # type: ignore[arg-type]
