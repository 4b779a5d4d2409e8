"""Made-up voices and spoilt speech: the lengths that are promised, and the change that is meant."""

import numpy as np
import pytest
from support import voices as spoken

from speakerid.training import augment, voices
from speakerid.training.augment import Surroundings

SPEECH = spoken.turn("Alice", 0)


def peak_hertz(samples: np.ndarray) -> float:
    return float(np.abs(np.fft.rfft(samples * np.hanning(len(samples)))).argmax()) * 16_000 / len(samples)


def test_speed_moves_pitch_and_length():
    tone = np.sin(2 * np.pi * 300 * np.arange(16_000) / 16_000).astype(np.float32)
    fast = voices.render(tone, voices.Warp(speed=25))
    assert len(fast) == pytest.approx(12_800, abs=2)
    assert peak_hertz(fast) == pytest.approx(375, abs=5)


def test_moved_formants_leave_pitch_and_length():
    moved = voices.render(SPEECH, voices.Warp(formants=(1.2,) * 4))
    assert len(moved) == len(SPEECH)
    loud = np.abs(SPEECH).max()
    assert 0.2 * loud < np.abs(moved).max() < 5 * loud

    def centroid(samples):
        power = np.abs(np.fft.rfft(samples)) ** 2
        return float((power * np.arange(len(power))).sum() / power.sum())

    assert centroid(moved) > 1.03 * centroid(SPEECH)


def test_the_same_seed_draws_the_same_voices():
    draws = [[voices.draw(np.random.default_rng(3)) for _ in range(5)] for _ in range(2)]
    assert draws[0] == draws[1]


@pytest.mark.parametrize("seed", range(12))
def test_whatever_spoils_speech_keeps_its_length_and_is_audio(seed):
    rng = np.random.default_rng(seed)
    room = np.exp(-np.arange(4000) / 800).astype(np.float32) * rng.normal(size=4000).astype(np.float32)
    around = Surroundings([room / np.linalg.norm(room)], [rng.normal(size=8000).astype(np.float32)])
    spoilt = augment.degrade(SPEECH[:24_000], around, SPEECH[24_000:], rng)
    assert spoilt.dtype == np.float32 and spoilt.shape == (24_000,)
    assert np.isfinite(spoilt).all() and 1e-4 < np.abs(spoilt).max() <= 1.5


def test_opus_comes_back_in_time():
    heard = augment.opus(SPEECH, 24_000)
    lag = int(np.correlate(heard[4000:20_000], SPEECH[4200:19_800], "valid").argmax()) - 200
    assert abs(lag) <= 8  # half a millisecond


def test_noise_has_the_level_that_was_asked_for():
    noise = np.random.default_rng(0).normal(size=5000).astype(np.float32)
    added = augment.add_noise(SPEECH, noise, 10.0) - SPEECH
    assert 10 * np.log10(np.mean(SPEECH**2) / np.mean(added**2)) == pytest.approx(10, abs=0.1)
