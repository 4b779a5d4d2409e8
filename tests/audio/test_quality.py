"""What is measured of a recording is what was put into it."""

import numpy as np
import pytest
from sounds import RATE
from support.voices import conversation, turn

from speakerid.audio.normalize import normalize
from speakerid.audio.quality import clipped, measure
from speakerid.audio.vad import speech_probabilities

TALK, TURNS = conversation(["Edgar", "Felix", "Edgar"], gap=1.0)


def test_seconds_of_speech():
    quality = measure(TALK)
    assert quality.seconds == pytest.approx(len(TALK) / RATE)
    assert quality.speech_seconds == pytest.approx(sum(t.end - t.start for t in TURNS), rel=0.2)
    assert measure(TALK, speech_probabilities(TALK)) == quality


@pytest.mark.parametrize("wanted", [10.0, 20.0, 30.0])
def test_signal_to_noise(wanted: float):
    clean, spans = conversation(["Edgar", "Felix", "Edgar"], gap=1.0)
    speech = np.concatenate([clean[round(t.start * RATE) : round(t.end * RATE)] for t in spans])
    noise = np.random.default_rng(3).standard_normal(len(clean)).astype(np.float32)
    noise *= np.float32(np.sqrt(np.mean(speech**2)) * 10 ** (-wanted / 20))
    assert measure(clean + noise).snr_db == pytest.approx(wanted, abs=3.0)


def test_level_of_the_speech_not_of_the_pauses():
    long_pause = np.concatenate([TALK, np.zeros(10 * RATE, np.float32)])
    assert measure(long_pause).level_dbfs == pytest.approx(measure(TALK).level_dbfs, abs=0.5)
    assert measure(TALK / 10).level_dbfs == pytest.approx(measure(TALK).level_dbfs - 20, abs=1.0)


@pytest.mark.parametrize("after", [1.0, 0.5])
def test_clipping_is_seen_even_if_it_was_made_quieter_afterwards(after: float):
    speech = turn("Edgar", 0)
    assert clipped(normalize(speech)) < 0.001
    loud = speech / np.abs(speech).max() * 4
    flattened = normalize((np.clip(loud, -1, 1) * after).astype(np.float32))
    truth = float(np.mean(np.abs(loud) >= 1))
    assert truth > 0.01
    assert clipped(flattened) > truth / 4
    assert measure(flattened).clipped == clipped(flattened)


def test_a_recording_without_speech():
    for sound in (np.zeros(2 * RATE, np.float32), np.zeros(0, np.float32), np.zeros(100, np.float32)):
        quality = measure(sound)
        assert quality.speech_seconds == 0.0
        assert quality.level_dbfs == -120.0
        assert (quality.clipped, quality.snr_db) == (0.0, 0.0)
