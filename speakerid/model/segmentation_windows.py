"""Who speaks when in a recording, with both sides of each moment: pyannote's segmentation-3.0 over windows.

It gives what segmentation.py gives, in the same frames, and is better by far, but it hears windows of 10 s
forwards and backwards, so it is for what has been recorded. Windows overlap by half; the voices of each are
renamed to fit the window before, and the two are blended. So a local voice keeps its slot while it is heard
again within about five seconds; which slot somebody gets has no meaning.

The network is Hervé Bredin's and Alexis Plaquet's (pyannote.audio, MIT, CNRS; arXiv:2310.13025), its matrices
rounded to 8 bits with a scale for each row (speakerid/training/segmentation_windows.py).
"""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np

from speakerid.model.onnx_segmenter import VOICES, OnnxSegmenter
from speakerid.model.segmentation import FRAME
from speakerid.onnx_session import OnnxSession

WEIGHTS_FILE = Path(__file__).parent / "weights" / "segmentation-windows.onnx"
WINDOW = 625  # frames: 10 s
HOP = 320  # frames between windows
SHORTEST = 62  # frames; what is shorter is filled up with silence
SPEAKS = 0.5
"""Probability from which a local voice speaks. A second voice that is said to speak where it does not costs
as much as one that is missed, so it pays from one half on."""
STEP, CENTRE = 270, 495  # samples between the network's own frames, and to the middle of the first
_RENAMINGS = np.array(list(permutations(range(VOICES))))


class WindowStream:
    """One recording, block by block; made by WindowSegmenter.stream()."""

    def __init__(self, session: OnnxSession):
        self._session = session
        self._samples = np.zeros(0, np.float32)  # since the beginning of the latest window
        self._latest = np.zeros((0, VOICES), np.float32)  # the latest window's frames, blended

    def push(self, block: np.ndarray) -> np.ndarray:
        """Hear a block [n], float32; -> float32 [t, 3], of the frames that are settled by now, in order. They
        come up to 15 s late; the same recording gives the same whatever the size of the blocks."""
        self._samples = np.concatenate([self._samples, np.asarray(block, np.float32)])
        settled: list[np.ndarray] = []
        while len(self._samples) >= (WINDOW + (HOP if len(self._latest) else 0)) * FRAME:
            start = HOP if len(self._latest) else 0
            settled.append(self._latest[:start])
            self._latest = self._blended(start, WINDOW)
            self._samples = self._samples[start * FRAME :]
        return np.concatenate(settled) if settled else np.zeros((0, VOICES), np.float32)

    def flush(self) -> np.ndarray:
        """The recording has ended; -> float32 [t, 3], of the frames that were still to come."""
        count = -(-len(self._samples) // FRAME)
        if count == len(self._latest):
            return self._latest
        short = max(count, SHORTEST) * FRAME - len(self._samples)
        self._samples = np.pad(self._samples, (0, short))
        start = max(0, count - WINDOW) if len(self._latest) else 0
        last = self._blended(start, max(count, SHORTEST) - start)
        return np.concatenate([self._latest[:start], last])[:count]

    def _blended(self, start: int, length: int) -> np.ndarray:
        """The frames of the window from frame `start` on, its voices called as the window before calls them;
        what both hear passes from one to the other."""
        found = self._heard(self._samples[start * FRAME : (start + length) * FRAME])
        before = self._latest[start:]
        if len(before):
            alike = [float((found[: len(before), names] * before).sum()) for names in _RENAMINGS]
            found = found[:, _RENAMINGS[int(np.argmax(alike))]]
            share = np.linspace(0, 1, len(before) + 2, dtype=np.float32)[1:-1, None]
            found[: len(before)] = (1 - share) * before + share * found[: len(before)]
        return found

    def _heard(self, samples: np.ndarray) -> np.ndarray:
        """A window [n] -> its frames of 16 ms."""
        voices = self._session.run({"samples": samples[None, None]}, ["voices"])[0][0]
        middles = (np.arange(len(samples) // FRAME) + 0.5) * FRAME
        nearest = np.round((middles - CENTRE) / STEP).astype(int)
        return voices[np.clip(nearest, 0, len(voices) - 1)]


class WindowSegmenter(OnnxSegmenter[WindowStream]):
    """The network that hears recordings."""

    file = WEIGHTS_FILE

    def stream(self) -> WindowStream:
        return WindowStream(self._session)
