"""Log-mel features, number for number those of SpeechBrain's Fbank (speechbrain/lobes/features.py).

One front end serves the bundled weights and SpeechBrain's pretrained ones. The filters differ from
torchaudio's MelSpectrogram: each triangle is symmetric in Hz, with its left bandwidth on both sides.
"""

import math
from functools import lru_cache

import torch
from torch import Tensor
from torchaudio.functional import spectrogram  # pyright: ignore[reportMissingTypeStubs]

RATE = 16_000  # samples per second
WINDOW = 400  # samples: 25 ms
HOP = 160  # samples: 10 ms, so 100 frames per second
BANDS = 80
FLOOR_POWER = 1e-10  # keeps the logarithm finite: -100 dB
DYNAMIC_RANGE_DB = 80.0  # a frame's band is at most this far below the utterance's loudest


def frames_of(samples: Tensor) -> Tensor:
    """Number of frames [b] that utterances of so many samples [b] give: centred windows, one per hop."""
    return samples // HOP + 1


@lru_cache(maxsize=1)
def mel_filters() -> Tensor:
    """Triangular filters [201 frequencies, 80 bands], 0-8000 Hz, on the HTK scale 2595·log10(1 + f/700)."""
    # In float32 as SpeechBrain does it: the filters' rounding shows in the fourth decimal of a decibel.
    mel = torch.linspace(0, 2595 * math.log10(1 + RATE / 2 / 700), BANDS + 2)
    hz = 700 * (10 ** (mel / 2595) - 1)
    width = (hz[1:] - hz[:-1])[:-1]
    slope = (torch.linspace(0, RATE // 2, WINDOW // 2 + 1)[:, None] - hz[1:-1]) / width
    return torch.minimum(1 + slope, 1 - slope).clamp_min(0)


@lru_cache(maxsize=1)
def _window() -> Tensor:
    return torch.hamming_window(WINDOW)


def log_mel(waveforms: Tensor, lengths: Tensor | None = None, subtract_mean: bool = True) -> Tensor:
    """Features of a batch of utterances.

    Args:
        waveforms: [b, n] float32, 16 kHz; shorter utterances are followed by zeros.
        lengths: [b] samples of each utterance; None where all have n.
        subtract_mean: take each band's mean over the utterance away, as the network expects.

    Returns:
        [b, n // 160 + 1, 80] float32 in dB. Frames beyond an utterance's own are meaningless.
    """
    window, filters = _window().to(waveforms.device), mel_filters().to(waveforms.device)
    power = spectrogram(waveforms, 0, window, WINDOW, HOP, WINDOW, 2.0, False, pad_mode="constant")
    frames = None if lengths is None else frames_of(lengths)
    return band_levels(power.transpose(1, 2) @ filters, frames, subtract_mean)


def band_levels(bands: Tensor, frames: Tensor | None = None, subtract_mean: bool = True) -> Tensor:
    """Power per mel band [b, t, 80] -> features as in log_mel; frames: [b] of each utterance, None for t."""
    decibels = 10 * bands.clamp_min(FLOOR_POWER).log10()
    if frames is None:
        loudest = decibels.amax(dim=(1, 2), keepdim=True)
        decibels = torch.maximum(decibels, loudest - DYNAMIC_RANGE_DB)
        return decibels - decibels.mean(dim=1, keepdim=True) if subtract_mean else decibels
    inside = torch.arange(decibels.shape[1])[None, :, None] < frames[:, None, None]
    loudest = decibels.masked_fill(~inside, -torch.inf).amax(dim=(1, 2), keepdim=True)
    decibels = torch.maximum(decibels, loudest - DYNAMIC_RANGE_DB)
    if not subtract_mean:
        return decibels
    return decibels - (decibels * inside).sum(dim=1, keepdim=True) / frames[:, None, None]
