"""How far the speech is above the noise, as the live page says it."""

import math

import numpy as np
import pytest
from support import voices

from speakerid.audio.vad import FRAME
from speakerid.identify.speech import Speech, SpeechConfig


def measured(samples: np.ndarray) -> float:
    speech = Speech(SpeechConfig())
    for at in range(0, len(samples) - FRAME + 1, FRAME):
        speech.frame(samples[at : at + FRAME])
    return speech.signal.decibels


@pytest.mark.parametrize(("noise_dbfs", "least", "most"), [(-66, 30, 60), (-42, 14, 26)])
def test_speech_is_above_the_noise_by_what_lies_between_them(noise_dbfs, least, most):
    samples, _ = voices.conversation(["Alice", "Bruno", "Callum"], gap=1.0)
    noise = np.random.default_rng(1).standard_normal(len(samples)).astype(np.float32)
    assert least < measured(samples + noise * np.float32(10 ** (noise_dbfs / 20))) < most


def test_nothing_is_said_before_both_were_heard_and_never_less_than_nothing():
    sentence = voices.turn("Alice", 0)
    assert math.isnan(measured(np.zeros(16_000, np.float32)))
    # Cut tightly, it has hardly a pause in it; what there is, is no noise louder than the speech.
    said = measured(sentence)
    assert math.isnan(said) or 0 <= said <= 60
