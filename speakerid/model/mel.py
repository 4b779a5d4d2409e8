"""Log-mel features in numpy, number for number those of features.py (and so of SpeechBrain's Fbank).

For whatever runs the network without torch. features.py is the same for training, in torch.
"""

import math
from functools import lru_cache

import numpy as np

RATE = 16_000  # samples per second
WINDOW = 400  # samples: 25 ms
HOP = 160  # samples: 10 ms, so 100 frames per second
BANDS = 80
FLOOR_POWER = 1e-10  # keeps the logarithm finite: -100 dB
DYNAMIC_RANGE_DB = 80.0  # a frame's band is at most this far below the utterance's loudest


@lru_cache(maxsize=1)
def filters() -> np.ndarray:
    """Triangular filters [201 frequencies, 80 bands], 0-8000 Hz, on the HTK scale 2595·log10(1 + f/700)."""
    top = np.float32(2595 * math.log10(1 + RATE / 2 / 700))
    mel = np.linspace(0, top, BANDS + 2, dtype=np.float32)
    hz = (np.float32(700) * (np.float32(10) ** (mel / np.float32(2595)) - 1)).astype(np.float32)
    width = (hz[1:] - hz[:-1])[:-1]
    bins = np.linspace(0, RATE // 2, WINDOW // 2 + 1, dtype=np.float32)
    slope = (bins[:, None] - hz[1:-1]) / width
    return np.maximum(np.minimum(1 + slope, 1 - slope), np.float32(0))


@lru_cache(maxsize=1)
def window() -> np.ndarray:
    """[400] float32, Hamming, periodic."""
    return (0.54 - 0.46 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)


def waves() -> np.ndarray:
    """[402, 400] float32: windowed cosines and sines; their products with 400 samples are a spectrum."""
    angle = np.arange(WINDOW // 2 + 1)[:, None] * np.arange(WINDOW) * (2 * np.pi / WINDOW)
    hamming = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    return np.concatenate([np.cos(angle) * hamming, np.sin(angle) * hamming]).astype(np.float32)


def log_mel(waveforms: np.ndarray) -> np.ndarray:
    """Features of utterances of one length: [b, n] float32 -> [b, n // 160 + 1, 80] float32 in dB, with each
    band's mean over the utterance taken away."""
    batch, count = waveforms.shape
    frames, side = count // HOP + 1, WINDOW // 2
    padded = np.zeros((batch, count + 2 * side), np.float32)
    padded[:, side : side + count] = waveforms
    pieces = np.lib.stride_tricks.sliding_window_view(padded, WINDOW, axis=1)[:, ::HOP]
    # Real and imaginary parts side by side; the filters' product adds their squares up.
    parts = np.fft.rfft(pieces * window(), axis=2).astype(np.complex64, copy=False).view(np.float32)
    levels = np.square(parts, out=parts).reshape(batch * frames, -1) @ _filters_of_parts()
    np.log(np.maximum(levels, np.float32(FLOOR_POWER), out=levels), out=levels)
    decibels = np.multiply(levels, np.float32(10 / math.log(10)), out=levels).reshape(batch, frames, BANDS)
    loudest = decibels.max(axis=(1, 2), keepdims=True)
    np.maximum(decibels, loudest - np.float32(DYNAMIC_RANGE_DB), out=decibels)
    return np.subtract(decibels, decibels.mean(axis=1, keepdims=True), out=decibels)


@lru_cache(maxsize=1)
def _filters_of_parts() -> np.ndarray:
    """[402, 80]: the filters for the squares of real and imaginary parts in turn."""
    return np.repeat(filters(), 2, axis=0)
