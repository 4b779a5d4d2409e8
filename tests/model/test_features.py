"""Features against SpeechBrain's Fbank and its normalisation, in dB."""

import numpy as np
import pytest
import torch
from ecapa_reference import reference_features, signal

from speakerid.model.features import frames_of, log_mel

WAVES = {
    "0.4 s": signal(0.4),
    "one sample short of a frame": signal(1.0)[:-1],
    "3 s": signal(3.0, seed=1),
    "30 s": signal(30.0, seed=2),
    "loud and clipped": signal(2.0, seed=3, level=3.0).clip(-1, 1),
    "faint": signal(2.0, seed=4, level=1e-3),
    "half digital silence": np.concatenate([signal(1.0, seed=5), np.zeros(16_000, np.float32)]),
    "white noise": np.random.default_rng(6).standard_normal(24_000).astype(np.float32) * 0.3,
    "one click": np.eye(1, 8000, 4000, dtype=np.float32)[0],
    "a click at the very end": np.eye(1, 7999, 7998, dtype=np.float32)[0],
}


@pytest.mark.parametrize("name", WAVES)
def test_features_are_speechbrains_within_a_ten_thousandth_of_a_db(name):
    ours = log_mel(torch.from_numpy(WAVES[name])[None])[0]
    assert ours.shape == (len(WAVES[name]) // 160 + 1, 80)
    assert (ours - reference_features(WAVES[name])[0]).abs().max() < 1e-4


def test_an_utterance_in_an_unequal_batch_has_the_features_it_has_alone():
    waves = list(WAVES.values())
    lengths = torch.tensor([len(wave) for wave in waves])
    batch = torch.zeros(len(waves), int(lengths.max()))
    for row, wave in zip(batch, waves, strict=True):
        row[: len(wave)] = torch.from_numpy(wave)
    together = log_mel(batch, lengths)
    for features, frames, wave in zip(together, frames_of(lengths), waves, strict=True):
        assert (features[:frames] - reference_features(wave)[0]).abs().max() < 1e-4


def test_level_does_not_matter():
    wave = torch.from_numpy(signal(2.0))[None]
    assert (log_mel(wave) - log_mel(wave * 0.25)).abs().max() < 1e-3


def test_without_subtraction_the_mean_is_kept():
    wave = torch.from_numpy(signal(1.0))[None]
    kept = log_mel(wave, subtract_mean=False)
    assert kept.mean() < -20
    assert torch.allclose(kept - kept.mean(dim=1, keepdim=True), log_mel(wave), atol=1e-4)
