"""New voices out of recorded ones: speed moves pitch and formants together, a warp moves formants alone, and
contrasts make a voice more or less resonant and breathy.

A student that copies a teacher needs no true speakers, only many different voices, and the teacher says of
each what it is. A few hundred readers become many thousand voices.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torchaudio.functional import resample

from speakerid.audio.format import RATE

FFT, STEP = 512, 128
ENVELOPE_QUEFRENCIES = 28  # cepstral coefficients that describe the vocal tract, not the pitch (< 1.8 ms)
SPEED_UNIT = 20  # speeds are multiples of 1/20, so that resampling ratios stay small
KNOTS = (0.0, 1200.0, 2600.0, 8000.0)  # Hz; about below the first formant, between them, and at the top
PLAIN_SHARE = 0.2  # of voices that stay as they were recorded


@dataclass(frozen=True)
class Warp:
    """speed: in twentieths (20 = as recorded); formants: factors on the formants' frequencies at KNOTS, and
    in proportion between; resonance: contrast of the spectral envelope, above 1 for sharper formants;
    clarity: contrast of the harmonics against what lies between them, below 1 for a breathier voice."""

    speed: int = SPEED_UNIT
    formants: tuple[float, ...] = (1.0,) * len(KNOTS)
    resonance: float = 1.0
    clarity: float = 1.0

    @property
    def filters(self) -> bool:
        """Whether it changes more than the speed."""
        return (self.formants, self.resonance, self.clarity) != ((1.0,) * len(KNOTS), 1.0, 1.0)


def draw(rng: np.random.Generator) -> Warp:
    if rng.random() < PLAIN_SHARE:
        return Warp()
    speed = int(rng.integers(15, 28))
    if rng.random() < 0.15:
        return Warp(speed)
    formants = np.exp(rng.uniform(-0.18, 0.18) + rng.uniform(-0.1, 0.1, len(KNOTS)))
    resonance, clarity = rng.uniform(0.8, 1.25), rng.uniform(0.75, 1.15)
    return Warp(speed, tuple(formants.tolist()), float(resonance), float(clarity))


def render(samples: np.ndarray, warp: Warp) -> np.ndarray:
    """Samples [n] float32 in the voice that the warp gives; [n · 20 / speed]."""
    wave = torch.from_numpy(np.array(samples))
    if warp.speed != SPEED_UNIT:
        wave = resample(wave, warp.speed, SPEED_UNIT)
    return (_filter(wave, warp) if warp.filters else wave).numpy()


def _filter(wave: Tensor, warp: Warp) -> Tensor:
    """Move the spectral envelope's peaks and change the contrasts; pitch and length stay."""
    window = torch.hann_window(FFT)
    spectrum = torch.stft(wave, FFT, STEP, window=window, return_complex=True)
    log = spectrum.abs().clamp_min(1e-4).log()
    cepstrum = torch.fft.irfft(log, n=FFT, dim=0)
    cepstrum[ENVELOPE_QUEFRENCIES : FFT - ENVELOPE_QUEFRENCIES + 1] = 0
    envelope = torch.fft.rfft(cepstrum, dim=0).real
    hertz = np.arange(FFT // 2 + 1) * (RATE / FFT)
    at = torch.from_numpy(np.arange(FFT // 2 + 1) / np.interp(hertz, KNOTS, warp.formants)).float()
    at = at.clamp_max(FFT // 2)
    low = at.long().clamp_max(FFT // 2 - 1)
    share = (at - low)[:, None]
    moved = envelope[low] * (1 - share) + envelope[low + 1] * share
    level = moved.mean(dim=0)
    gain = level + warp.resonance * (moved - level) - envelope + (warp.clarity - 1) * (log - envelope)
    return torch.istft(spectrum * gain.clamp(-4, 4).exp(), FFT, STEP, window=window, length=len(wave))
