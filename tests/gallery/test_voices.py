"""What the windows of an enrollment say about how many voices it holds."""

import numpy as np
import pytest

from speakerid.gallery import voices
from speakerid.gallery.voiceprint import unit
from speakerid.model.overlap import OverlapHead

RNG = np.random.default_rng(0)
ANNA, BEN = unit(RNG.standard_normal((2, 192)).astype(np.float32))
MODEL = "made-up"


def windows(*voice_of_each: np.ndarray, scatter: float = 0.06) -> np.ndarray:
    rows = np.stack(voice_of_each)
    return unit(rows + scatter * RNG.standard_normal(rows.shape).astype(np.float32))


def test_one_voice_is_one():
    assert not voices.more_than_one(windows(*[ANNA] * 12), MODEL)


@pytest.mark.parametrize("pattern", ["AAAAAABBBBBB", "AAAAAAAAABBB", "AAABBBAAABBB"])
def test_two_voices_in_turn_are_told(pattern):
    assert voices.more_than_one(windows(*[{"A": ANNA, "B": BEN}[one] for one in pattern]), MODEL)


def test_another_room_is_not_another_voice():
    elsewhere = unit((ANNA + 0.6 * BEN)[None])[0]  # agrees by 0.86
    assert not voices.more_than_one(windows(*[ANNA] * 10, *[elsewhere] * 10), MODEL)


def test_few_windows_change_nothing():
    assert voices.change_of_voice(windows(ANNA, ANNA, BEN, BEN)) == (0.0, 1.0)
    assert voices.agreement_of_voices(windows(ANNA)) == 1.0


def test_two_at_once_are_told_by_the_head_where_there_are_enough_windows(tmp_path, monkeypatch):
    monkeypatch.setattr("speakerid.model.linear.HEADS", tmp_path)
    OverlapHead(10 * ANNA, -3.0).save(MODEL)
    assert voices.more_than_one(windows(*[ANNA] * voices.FEWEST_AT_ONCE), MODEL)
    assert not voices.more_than_one(windows(*[ANNA] * (voices.FEWEST_AT_ONCE - 1)), MODEL)
    assert not voices.more_than_one(windows(*[BEN] * 12), MODEL)
    assert voices.odds_at_once(windows(*[ANNA] * 12), "another model") == -np.inf
