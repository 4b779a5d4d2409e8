"""DC goes, a level that is far off is corrected, the rest passes; the block size changes nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sounds import RATE, voice

from speakerid.audio.format import level
from speakerid.audio.normalize import MAX_GAIN_DB, NORMAL_DBFS, Normalizer, normalize

FAR_OFF = (voice(3.0) * 0.003 + 0.1).astype(np.float32)  # about -70 dBFS, with an offset


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 6000), min_size=1, max_size=60))
def test_the_block_size_changes_no_bit(sizes: list[int]):
    whole = normalize(FAR_OFF)
    normalizer, parts, at, turn = Normalizer(), [], 0, 0
    sizes = [*sizes, 333]
    while at < len(FAR_OFF):
        block = FAR_OFF[at : at + sizes[turn % len(sizes)]]
        parts.append(normalizer.push(block))
        assert parts[-1].shape == block.shape
        assert parts[-1].dtype == np.float32
        at, turn = at + len(block), turn + 1
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("loudness", [0.5, 0.1, 0.05])
def test_a_normal_level_passes_unchanged(loudness: float):
    """Only the DC filter is left: the same filter gives the same shape at any normal level, to rounding."""
    sound = voice(4.0) * np.float32(loudness / 0.5)
    normalizer = Normalizer()
    out = normalizer.push(sound)
    assert normalizer.gain_db == 0.0
    np.testing.assert_allclose(out, normalize(voice(4.0)) * (loudness / 0.5), atol=2e-6)
    assert level(out) == pytest.approx(level(sound), abs=0.3)


@pytest.mark.parametrize("offset", [-0.5, 0.001, 0.3])
def test_an_offset_is_removed_from_the_first_sample_on(offset: float):
    out = normalize(voice(2.0) + np.float32(offset))
    np.testing.assert_allclose(out, normalize(voice(2.0)), atol=0.02 * abs(offset) + 1e-5)
    assert abs(float(out[:160].mean())) < 0.01


@pytest.mark.parametrize(("hertz", "kept"), [(2, 0.10), (20, 0.707), (100, 0.98), (1000, 1.0)])
def test_what_the_filter_keeps(hertz: float, kept: float):
    """One pole at 20 Hz: |H| = f / sqrt(f² + 20²)."""
    tone = 0.3 * np.sin(2 * np.pi * hertz * np.arange(3 * RATE) / RATE)
    out = normalize(tone.astype(np.float32))[RATE:]
    assert out.std() / tone[RATE:].std() == pytest.approx(kept, abs=0.02)


def test_quiet_speech_is_raised_to_where_speech_is_found():
    whisper = voice(8.0) * np.float32(0.002)  # -74 dBFS
    out = normalize(whisper)
    assert level(out[6 * RATE :]) == pytest.approx(NORMAL_DBFS, abs=2.5)


def test_the_gain_is_bounded_and_slow():
    whisper = voice(8.0) * np.float32(0.0025)  # -72 dBFS
    normalizer = Normalizer()
    gains = []
    for at in range(0, 8 * RATE, 1600):
        normalizer.push(whisper[at : at + 1600])
        gains.append(normalizer.gain_db)
    assert 20 < max(gains) <= MAX_GAIN_DB
    assert np.abs(np.diff(gains)).max() <= 1.0 + 1e-9


def test_noise_alone_is_not_raised():
    noise = np.random.default_rng(1).standard_normal(10 * RATE).astype(np.float32) * np.float32(0.001)
    normalizer = Normalizer()
    normalizer.push(noise)
    assert normalizer.gain_db == 0.0


def test_somebody_near_after_somebody_far_is_not_clipped():
    sound = np.concatenate([voice(6.0) * np.float32(0.002), voice(3.0, pitch=200)])
    out = normalize(sound)
    late = out[round(6.3 * RATE) :]
    np.testing.assert_allclose(np.abs(late).max(), np.abs(sound[round(6.3 * RATE) :]).max(), rtol=0.1)


def test_the_result_stays_in_range():
    assert np.abs(normalize(voice(1.0) * np.float32(50))).max() <= 1.0


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_a_number_is_refused(value: float):
    block = voice(0.1)
    block[5] = value
    with pytest.raises(ValueError, match="not finite"):
        Normalizer().push(block)
