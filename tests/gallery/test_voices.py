"""What the phrases of an enrollment say about how many voices it holds."""

import numpy as np
import pytest

from speakerid.audio.format import RATE
from speakerid.audio.vad import FRAME
from speakerid.gallery import voices
from speakerid.gallery.segmented import Segmented
from speakerid.gallery.voiceprint import unit
from speakerid.model.limits import TYPICAL

RNG = np.random.default_rng(0)
ANNA, BEN = unit(RNG.standard_normal((2, 192)).astype(np.float32))


def phrases(*voice_of_each: np.ndarray, scatter: float = 0.06) -> np.ndarray:
    rows = np.stack(voice_of_each)
    return unit(rows + scatter * RNG.standard_normal(rows.shape).astype(np.float32))


class NoEncoder:
    id = "made-up"

    def embed(self, blocks: list[np.ndarray]) -> np.ndarray:
        raise AssertionError("there is nothing to embed")


def more_than_one(*voice_of_each: np.ndarray) -> bool:
    """Whether phrases of two seconds are taken for more than one voice, the segmentation having heard one."""
    rows = phrases(*voice_of_each)
    said = voices.Phrases(rows, np.full(len(rows), 2.0, np.float32))
    return voices.more_than_one(said, Segmented(0.0, []), NoEncoder(), TYPICAL)


def test_one_voice_is_one():
    assert not more_than_one(*[ANNA] * 12)


@pytest.mark.parametrize("pattern", ["AAAAAABBBBBB", "AAAAAAAAABBB", "AAABBBAAABBB", "ABABAB"])
def test_two_voices_in_turn_are_told(pattern):
    assert more_than_one(*[{"A": ANNA, "B": BEN}[one] for one in pattern])


def test_another_room_is_not_another_voice():
    elsewhere = unit((ANNA + 0.6 * BEN)[None])[0]  # agrees by 0.86
    assert not more_than_one(*[ANNA] * 10, *[elsewhere] * 10)


def test_a_single_phrase_agrees_with_itself():
    assert voices.agreement_of_voices(voices.Phrases(phrases(ANNA), np.ones(1)), 0.12) == 1.0


def test_less_agreement_is_enough_where_a_voice_says_little():
    rows = np.stack([ANNA, BEN])
    agreements = [
        voices.agreement_of_voices(voices.Phrases(rows, np.array([3.0, s])), 0.12) for s in (0.5, 1, 2, 3)
    ]
    assert agreements[0] == 1.0, "half a second is no voice of its own"
    assert agreements[1] > agreements[2] > agreements[3]
    assert agreements[2] == pytest.approx(float(ANNA @ BEN), abs=1e-5)


def test_phrases_end_at_pauses_and_are_neither_short_nor_long():
    heard = [*[0] * 31, *[1] * 63, *[0] * 16, *[1] * 13, *[0] * 16, *[1] * 250, *[0] * 10]  # of 32 ms
    samples = np.arange(len(heard) * FRAME, dtype=np.float32)
    phrases = voices.phrases_of(samples, np.array(heard, np.float32))
    seconds = [len(phrase) / RATE for phrase in phrases]
    assert seconds == pytest.approx([2.1, 2.85, 2.85, 2.85], abs=0.12)
    assert not len(voices.phrases_of(samples, np.zeros(len(heard), np.float32)))
    [short] = voices.phrases_of(samples[: 80 * FRAME], np.array(heard[31:111], np.float32) * 0.9)
    assert len(short) / RATE == pytest.approx(2.1, abs=0.12)
