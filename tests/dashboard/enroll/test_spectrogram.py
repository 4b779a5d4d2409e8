"""The spectrogram's picture shows time to the right and frequency upwards."""

import numpy as np
import pytest

from speakerid.audio.format import RATE
from speakerid.dashboard.enroll.spectrogram import picture


@pytest.mark.parametrize("hertz", [500, 4000, 7000])
def test_a_tone_is_a_bright_line_at_its_height(hertz: int):
    time = np.arange(2 * RATE) / RATE
    image = picture(0.3 * np.sin(2 * np.pi * hertz * time).astype(np.float32), width=300, height=160)
    assert image.shape == (160, 300, 3)
    brightest = int(image.sum(axis=(1, 2)).argmax())
    assert brightest == pytest.approx(160 * (1 - hertz / 8000), abs=2)


def test_silence_before_speech_is_dark_on_the_left():
    rng = np.random.default_rng(0)
    samples = np.concatenate([np.zeros(RATE), 0.1 * rng.standard_normal(RATE)]).astype(np.float32)
    image = picture(samples, width=200, height=80).mean(axis=(0, 2))
    assert image[:90].max() < 40 < image[110:].min()


@pytest.mark.parametrize("count", [0, 1, 500, 90 * RATE])
def test_any_length_can_be_drawn(count: int):
    assert picture(np.zeros(count, np.float32)).shape == (200, 1000, 3)
