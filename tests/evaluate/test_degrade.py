"""Worse conditions change what they should and nothing else, the same way every time."""

import numpy as np
import pytest
from support import voices

from speakerid.evaluate.degrade import CONDITIONS, NOISE_SNR_DB, noise10, opus24, room, telephone


@pytest.mark.parametrize("name", CONDITIONS)
def test_length_time_and_level_stay_and_it_is_repeatable(name):
    samples = voices.turn("Alice", 1)
    out = CONDITIONS[name](samples, "a")
    assert out.dtype == np.float32 and len(out) == len(samples) and np.isfinite(out).all()
    assert np.array_equal(out, CONDITIONS[name](samples, "a"))
    assert 0.9 < np.std(out) / np.std(samples) < 1.12
    if name == "room":
        return  # its echoes may outweigh the direct sound; the click below tells when that arrives
    size = 2 * len(samples)
    alike = np.fft.irfft(np.fft.rfft(out, size) * np.conj(np.fft.rfft(samples, size)))
    lag = int(np.argmax(alike))
    assert min(lag, size - lag) <= 16  # 1 ms


def test_noise_has_its_level():
    samples = voices.turn("Bruno", 1)
    noise = noise10(samples, "a") - samples
    assert 10 * np.log10(np.mean(samples**2) / np.mean(noise**2)) == pytest.approx(NOISE_SNR_DB, abs=0.01)
    assert not np.array_equal(noise10(samples, "a"), noise10(samples, "b"))


def test_room_rings_on_after_the_sound():
    click = np.zeros(16_000, np.float32)
    click[4000] = 0.5
    out = room(click, "a")
    onset = int(np.argmax(np.abs(out) > 0.1 * np.abs(out).max()))
    assert abs(onset - 4000) <= 16
    before, tail = np.square(out[:3900]).mean(), np.square(out[4400:7000]).mean()
    assert tail > 100 * before


def test_opus_removes_the_highest_band():
    samples = np.random.default_rng(0).normal(0, 0.05, 32_000).astype(np.float32)
    before, after = (np.abs(np.fft.rfft(x)) ** 2 for x in (samples, opus24(samples, "")))
    high, low = slice(15_700, 16_000), slice(1000, 4000)
    assert after[high].sum() < 0.2 * before[high].sum() and after[low].sum() > 0.5 * before[low].sum()


def test_a_telephone_carries_nothing_above_4_khz():
    samples = voices.turn("Daisy", 1)
    power = np.square(np.abs(np.fft.rfft(telephone(samples, "a"))))
    whole = np.square(np.abs(np.fft.rfft(samples)))
    above = slice(round(4_200 / 8_000 * len(power)), None)
    assert power[above].sum() < 0.05 * whole[above].sum()
