"""Kaldi's log-mel filter banks in numpy, as wespeaker and 3D-Speaker feed their networks with.

Numbers as torchaudio.compliance.kaldi.fbank gives them (dither 0, snip_edges, power, pre-emphasis 0.97, the
mean of each frame taken away, 20 Hz to half the rate, FFT of the next power of two).
"""

import math
from functools import lru_cache

import numpy as np

WINDOW_SECONDS, HOP_SECONDS = 0.025, 0.010
PREEMPHASIS = 0.97
LOWEST_HZ = 20.0
EPSILON = float(np.finfo(np.float32).eps)
WINDOWS = ("povey", "hamming")


def fbank(samples: np.ndarray, rate: int, bands: int, window: str) -> np.ndarray:
    """Samples [n] -> [(n - window) // hop + 1, bands], natural logarithm.

    Args:
        window: "povey" (Kaldi's own, 3D-Speaker) or "hamming" (wespeaker).
    """
    size, hop = int(rate * WINDOW_SECONDS), int(rate * HOP_SECONDS)
    frames = np.lib.stride_tricks.sliding_window_view(samples, size)[::hop].astype(np.float64)
    frames = frames - frames.mean(axis=1, keepdims=True)
    before = np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    frames = (frames - PREEMPHASIS * before) * _window(size, window)
    spectrum = np.fft.rfft(frames, 1 << (size - 1).bit_length(), axis=1)
    power = np.square(np.abs(spectrum[:, :-1]))
    return np.log(np.maximum(power @ _filters(rate, size, bands).T, EPSILON)).astype(np.float32)


@lru_cache(maxsize=4)
def _window(size: int, name: str) -> np.ndarray:
    angle = 2 * np.pi * np.arange(size) / (size - 1)
    return (0.5 - 0.5 * np.cos(angle)) ** 0.85 if name == "povey" else 0.54 - 0.46 * np.cos(angle)


@lru_cache(maxsize=4)
def _filters(rate: int, size: int, bands: int) -> np.ndarray:
    """Triangles [bands, FFT / 2] that are even on the scale 1127·ln(1 + f/700)."""
    fft = 1 << (size - 1).bit_length()
    lowest, highest = _mel(LOWEST_HZ), _mel(rate / 2)
    edges = np.linspace(lowest, highest, bands + 2)
    at = np.array([_mel(rate / fft * k) for k in range(fft // 2)])
    left, center, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (at - left) / (center - left), (right - at) / (right - center)
    return np.maximum(0.0, np.minimum(rising, falling))


def _mel(hertz: float) -> float:
    return 1127.0 * math.log(1.0 + hertz / 700.0)
