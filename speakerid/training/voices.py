"""New voices out of recorded ones: speed moves pitch and formants together, a warp moves formants alone.

A student that copies a teacher needs no true speakers, only many different voices, and the teacher says of
each what it is. A few hundred readers become many thousand voices.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torchaudio.functional import resample

FFT, STEP = 512, 128
ENVELOPE_QUEFRENCIES = 28  # cepstral coefficients that describe the vocal tract, not the pitch (< 1.8 ms)
SPEED_UNIT = 20  # speeds are multiples of 1/20, so that resampling ratios stay small
PLAIN_SHARE = 0.25  # of voices that stay as they were recorded


@dataclass(frozen=True)
class Warp:
    """speed: in twentieths (20 = as recorded); formants, high_formants: factors on the formants' frequencies
    at the bottom and at the top of the spectrum, and in proportion between."""

    speed: int = SPEED_UNIT
    formants: float = 1.0
    high_formants: float = 1.0


def draw(rng: np.random.Generator) -> Warp:
    if rng.random() < PLAIN_SHARE:
        return Warp()
    speed = int(rng.integers(15, 27))
    if rng.random() < 0.2:
        return Warp(speed)
    low = float(np.exp(rng.uniform(-0.18, 0.18)))
    return Warp(speed, low, low * float(np.exp(rng.uniform(-0.1, 0.1))))


def render(samples: np.ndarray, warp: Warp) -> np.ndarray:
    """Samples [n] float32 in the voice that the warp gives; [n · 20 / speed]."""
    wave = torch.from_numpy(np.array(samples))
    if warp.speed != SPEED_UNIT:
        wave = resample(wave, warp.speed, SPEED_UNIT)
    if (warp.formants, warp.high_formants) != (1.0, 1.0):
        wave = warp_formants(wave, warp.formants, warp.high_formants)
    return wave.numpy()


def warp_formants(wave: Tensor, low_factor: float, high_factor: float) -> Tensor:
    """Move the spectral envelope's peaks to so many times their frequency; pitch and length stay.

    Args:
        low_factor, high_factor: at 0 Hz and at 8 kHz; between them it changes in proportion.
    """
    window = torch.hann_window(FFT)
    spectrum = torch.stft(wave, FFT, STEP, window=window, return_complex=True)
    log = spectrum.abs().clamp_min(1e-6).log()
    cepstrum = torch.fft.irfft(log, n=FFT, dim=0)
    cepstrum[ENVELOPE_QUEFRENCIES : FFT - ENVELOPE_QUEFRENCIES + 1] = 0
    envelope = torch.fft.rfft(cepstrum, dim=0).real
    at = torch.arange(FFT // 2 + 1) / torch.linspace(low_factor, high_factor, FFT // 2 + 1)
    at = at.clamp_max(FFT // 2)
    low = at.long().clamp_max(FFT // 2 - 1)
    share = (at - low)[:, None]
    moved = envelope[low] * (1 - share) + envelope[low + 1] * share
    gain = (moved - envelope).clamp(-4, 4).exp()
    return torch.istft(spectrum * gain, FFT, STEP, window=window, length=len(wave))
