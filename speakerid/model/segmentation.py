"""Who speaks when, frame by frame: a small recurrent network over log-mel features, causal but for a short
look ahead.

For each frame of 16 ms it gives the probability that each of up to three local voices speaks, at most two of
them at once. A local voice is a slot, not a person: the network keeps a voice in its slot for about the last
ten seconds that it was heard in; whoever was silent longer may come back in another slot, and a new voice
takes the slot that has been silent longest. So slots tell that two people speak at once, and that another one
goes on, and never who it is. Which slot somebody gets has no meaning.

The network is trained by speakerid/training/segmentation.py and runs in ONNX Runtime on one thread; what it
remembers is in each `SegmentStream`.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from speakerid.model import mel
from speakerid.model.onnx_segmenter import VOICES, OnnxSegmenter
from speakerid.onnx_session import OnnxSession

FRAME = 256
"""Samples of a frame (16 ms)."""

WEIGHTS_FILE = Path(__file__).parent / "weights" / "segmentation.onnx"
HOP = 128  # samples between spectra
FRAMES_A_STEP = 2
STEP = FRAMES_A_STEP * FRAME  # samples that the network hears at once: 32 ms
DELAY = 5  # steps that the network hears beyond the one that it judges
LATENCY = (DELAY + 1) * STEP / mel.RATE
"""Seconds (0.192) after its first sample at which a frame's probabilities are out at the latest."""
SETS = ((), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2))  # who speaks, as the network's seven classes have it
INPUTS = STEP // HOP * mel.BANDS
AT_ONCE = 125  # steps (4 s) that the network hears at once at most
CONTEXT = 2  # steps that each convolution hears again
NARROW, WIDE, LAYERS = 128, 160, 2  # channels of the convolutions; of the memory, and its layers

FLOOR_DB = -50.0  # of a mel band's power; what is below is silence
SCALE_DB = 20.0
START_DB = -15.0  # level that a stream is thought to have before it begins
MEMORY = 3.0  # seconds in which the running level forgets
_HISTORY = mel.WINDOW - HOP
STATES = {
    "first": (1, CONTEXT, INPUTS),
    "second": (1, CONTEXT, NARROW),
    "memory": (LAYERS, 1, WIDE),
    "cells": (LAYERS, 1, WIDE),
}


class Features:
    """The network's features of one stream: log-mel bands of 8 ms, each against its own running level.

    The level of a band is a moving mean with a memory of 3 s, of what was heard before and now.
    """

    def __init__(self) -> None:
        self._tail = np.zeros(_HISTORY, np.float32)
        self._level = np.full(mel.BANDS, START_DB, np.float32)

    def push(self, samples: np.ndarray) -> np.ndarray:
        """Samples [n], a multiple of STEP and at most some seconds -> float32 [n / STEP, 320]."""
        heard = np.concatenate([self._tail, samples])
        self._tail = heard[-_HISTORY:]
        pieces = np.lib.stride_tricks.sliding_window_view(heard, mel.WINDOW)[::HOP]
        spectrum = np.fft.rfft(pieces * mel.window(), axis=1)
        power = (np.square(spectrum.real) + np.square(spectrum.imag)).astype(np.float32)
        floor = np.float32(10 ** (FLOOR_DB / 10))
        decibels = np.float32(10) * np.log10(np.maximum(power @ mel.filters(), floor))
        new, old = _moving_mean(len(decibels))
        levels = new @ decibels + old[:, None] * self._level
        self._level = levels[-1]
        return ((decibels - levels) / np.float32(SCALE_DB)).reshape(-1, INPUTS)


class SegmentStream:
    """One stream of sound; made by Segmenter.stream()."""

    def __init__(self, session: OnnxSession):
        self._session = session
        self._features = Features()
        self._states = {name: np.zeros(shape, np.float32) for name, shape in STATES.items()}
        self._pending = np.zeros(0, np.float32)
        self._ahead = DELAY * FRAMES_A_STEP  # frames that the network has yet to hear before its first answer
        self._heard = self._given = 0

    def push(self, block: np.ndarray) -> np.ndarray:
        """Hear a block [n], float32; -> float32 [t, 3], of the frames that are known by now.

        The frames come in order without gaps, frame k being of samples 256·k to 256·(k + 1); the same stream
        gives the same numbers but for rounding whatever the size of the blocks. Larger ones take less time:
        half a second at once costs half of what it does in steps of 32 ms.
        """
        self._heard += len(block)
        return self._run(np.concatenate([self._pending, np.asarray(block, np.float32)]))

    def flush(self) -> np.ndarray:
        """The stream has ended; -> float32 [t, 3], of the frames that were still to come."""
        left = -(-self._heard // FRAME) - self._given
        silence = np.zeros((DELAY + 2) * STEP, np.float32)
        return self._run(np.concatenate([self._pending, silence]))[:left]

    def _run(self, waiting: np.ndarray) -> np.ndarray:
        rows: list[np.ndarray] = []
        at = 0
        while at + STEP <= len(waiting):
            size = min(AT_ONCE * STEP, (len(waiting) - at) // STEP * STEP)
            rows.append(self._step(waiting[at : at + size]))
            at += size
        self._pending = waiting[at:]
        voices = np.concatenate(rows) if rows else np.zeros((0, VOICES), np.float32)
        early = min(self._ahead, len(voices))
        self._ahead -= early
        self._given += len(voices) - early
        return voices[early:]

    def _step(self, samples: np.ndarray) -> np.ndarray:
        given = {"features": self._features.push(samples)[None], **self._states}
        voices, *states = self._session.run(given, ["voices", *(f"{name}_after" for name in STATES)])
        self._states = dict(zip(STATES, states, strict=True))
        return voices[0]


class Segmenter(OnnxSegmenter[SegmentStream]):
    """The network that hears live."""

    file = WEIGHTS_FILE

    def stream(self) -> SegmentStream:
        return SegmentStream(self._session)


@lru_cache(maxsize=8)
def _moving_mean(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights [count, count] of `count` new spectra, and [count] of the level before them, in the level after
    each of them."""
    share = 1 / (MEMORY * mel.RATE / HOP)
    age = np.arange(count)[:, None] - np.arange(count)
    new = np.where(age >= 0, share * (1 - share) ** np.maximum(age, 0), 0.0)
    return new.astype(np.float32), ((1 - share) ** np.arange(1, count + 1)).astype(np.float32)
