"""The one format of sound inside: blocks of 16 kHz mono float32.

Every source turns what it hears into blocks at the door; no other rate or format exists further in.
"""

import math

import numpy as np

RATE = 16_000
"""Samples a second of every block."""

Block = np.ndarray
"""float32 [n], 16 kHz, mono, -1..1; n may be any number, 0 included."""

SILENCE_DBFS = -120.0
"""What `dbfs` says of digital silence: finite, so that it can be stored, compared and drawn."""


def empty() -> Block:
    """A block of no samples."""
    return np.zeros(0, np.float32)


def dbfs(power: float) -> float:
    """Mean square of samples in -1..1 -> decibels below full scale (a full-scale sine is -3.0)."""
    return max(SILENCE_DBFS, 10 * math.log10(power)) if power > 0 else SILENCE_DBFS


def level(block: Block) -> float:
    """The level of a block in dBFS (RMS); `SILENCE_DBFS` for an empty block."""
    return dbfs(float(np.mean(np.square(block, dtype=np.float64)))) if len(block) else SILENCE_DBFS
