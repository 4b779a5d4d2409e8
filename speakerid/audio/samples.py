"""PyAV's frames as numbers: float32 [channels, n], full scale at 1, whatever a codec or a program wrote."""

from typing import TYPE_CHECKING

import numpy as np

from speakerid.errors import AudioError

if TYPE_CHECKING:
    import av

_FLOAT_FULL_SCALE = 8.0  # float samples that mostly stay below are in -1..1, if overdriven
_SCALES = (2.0**15, 2.0**23, 2.0**31)  # integers that were written as floats
_ROOM = 1.25  # some programs overshoot
_WIDEST = _ROOM * _SCALES[-1]
_MOSTLY = 99.5  # percent: one click does not make the scale


def samples_of(frame: "av.AudioFrame") -> np.ndarray:
    """A frame as float32 [channels, n]; integers are scaled to -1..1, floats are as they are."""
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, len(frame.layout.channels)).T
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128) / 128
    if samples.dtype.kind == "i":
        return samples.astype(np.float32) / np.float32(2.0 ** (8 * samples.dtype.itemsize - 1))
    with np.errstate(over="ignore"):  # a float64 beyond float32 becomes infinite, and is refused as that
        return samples.astype(np.float32, copy=False)


def check(samples: np.ndarray, name: str) -> None:
    """Raises AudioError: values that are not numbers, or that no recorder writes."""
    if not np.isfinite(samples).all():
        raise AudioError(
            f"{name} holds values that are not numbers, so its sound cannot be trusted: "
            "export it again, best as 16-bit wav or flac."
        )
    if samples.size and float(np.abs(samples).max()) > _WIDEST:
        raise AudioError(
            f"{name} holds values far beyond full scale, so its sound cannot be trusted: "
            "export it again, best as 16-bit wav or flac."
        )


def full_scale(samples: np.ndarray) -> float:
    """What counts as 1 in float samples [n] of a file: 1, or that of the integers that they once were."""
    sizes = np.abs(samples[samples != 0])
    if not len(sizes) or float(np.percentile(sizes, _MOSTLY)) <= _FLOAT_FULL_SCALE:
        return 1.0
    return next((scale for scale in _SCALES if float(sizes.max()) <= _ROOM * scale), _SCALES[-1])
