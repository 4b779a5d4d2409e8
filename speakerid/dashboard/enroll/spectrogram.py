"""A recording's spectrogram as a picture: time to the right, frequency upwards, louder is brighter."""

import numpy as np
from PIL import Image

from speakerid.audio.format import RATE

TOP_HZ = RATE // 2
_WINDOW, _HOP = 512, 160  # samples: 32 ms, every 10 ms
_RANGE_DB = 70.0  # below the loudest point; quieter is as dark as it gets
_CHUNK = 4096  # columns at once: bounds the memory that a long recording takes

# From silence to the loudest: close to black, the app's accent, nearly white.
_COLORS = np.array([[11, 20, 24], [16, 74, 84], [20, 150, 138], [190, 222, 120], [255, 252, 214]], float)


def picture(samples: np.ndarray, *, width: int = 1000, height: int = 200) -> np.ndarray:
    """Draw a recording.

    Args:
        samples: float32 [n], 16 kHz.
        width, height: of the picture in pixels; short recordings are stretched.

    Returns:
        uint8 [height, width, 3]; the lowest frequency is in the last row, 0 Hz to TOP_HZ.
    """
    levels = _levels(samples)
    group = max(1, len(levels) // width)
    levels = levels[: len(levels) // group * group].reshape(-1, group, levels.shape[1]).max(axis=1)
    shade = np.clip(1 + (levels - levels.max()) / _RANGE_DB, 0, 1)
    places = np.linspace(0, 1, len(_COLORS))
    rgb = np.stack([np.interp(shade, places, _COLORS[:, i]) for i in range(3)], axis=-1)
    upright = np.ascontiguousarray(rgb.transpose(1, 0, 2)[::-1].astype(np.uint8))
    return np.asarray(Image.fromarray(upright).resize((width, height), Image.Resampling.BILINEAR))


def _levels(samples: np.ndarray) -> np.ndarray:
    """Power in dB, [columns, bands], the lowest band first."""
    padded = np.pad(samples, (0, max(0, _WINDOW - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
    window = np.hanning(_WINDOW)
    parts = []
    for at in range(0, len(frames), _CHUNK):
        power = np.abs(np.fft.rfft(frames[at : at + _CHUNK] * window)) ** 2
        parts.append(10 * np.log10(np.maximum(power, 1e-10)).astype(np.float32))
    return np.concatenate(parts)
