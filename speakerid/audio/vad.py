"""Who is silent and who speaks: silero-vad, streamed, by ONNX Runtime, without torch.

The network is the 16 kHz one of silero-vad 6 (Silero Team, MIT); silero/README.md tells more. It
runs frame by frame on one thread, and what it remembers is in each `VoiceActivity` and nowhere else, so the
probabilities do not depend on the block size to the last bit.
"""

import functools
import itertools
from pathlib import Path

import numpy as np

from speakerid.audio.format import RATE, Block, empty
from speakerid.errors import AudioError
from speakerid.onnx_session import OnnxSession

FRAME = 512
"""Samples of one step of the network (32 ms)."""

SPEECH = 0.5
"""Probability from which on a frame is speech, as silero-vad's own `threshold` is by default."""

_FILE = Path(__file__).parent / "silero" / "silero_vad_16k_op15.onnx"
_CONTEXT = 64  # samples of the frame before that the network sees again
_STATE = (2, 1, 128)  # of its LSTM

_RATE = np.array(RATE, np.int64)


class VoiceActivity:
    """Speech probability of each 32 ms frame of one stream of sound; one instance a stream.

    The network remembers what it heard, so two streams must not share an instance; the network is shared.
    """

    def __init__(self):
        self._network = _load_network()
        self.reset()

    def reset(self) -> None:
        """Forget everything heard: the next block starts a new stream."""
        self._pending = empty()
        self._heard = np.zeros((1, _CONTEXT + FRAME), np.float32)  # the frame and what was before
        self._state = np.zeros(_STATE, np.float32)

    def push(self, block: Block) -> np.ndarray:
        """Hear a block; -> float32 [m], the speech probability of each frame that it completed.

        Frames are counted from the first sample pushed since the start or `reset`; the samples of an
        unfinished frame wait for the next block.
        """
        waiting = np.asarray(block, np.float32)
        if len(self._pending):
            waiting = np.concatenate([self._pending, waiting])
        count = len(waiting) // FRAME
        self._pending = waiting[count * FRAME :].copy()
        probabilities = np.empty(count, np.float32)
        for index in range(count):
            self._heard[0, :_CONTEXT] = self._heard[0, -_CONTEXT:]
            self._heard[0, _CONTEXT:] = waiting[index * FRAME : (index + 1) * FRAME]
            heard = {"input": self._heard, "state": self._state, "sr": _RATE}
            probability, self._state = self._network.run(heard)
            probabilities[index] = probability[0, 0]
        return probabilities


def speech_probabilities(samples: Block) -> np.ndarray:
    """A whole recording [n] -> float32 [n // FRAME], the speech probability of each frame."""
    return VoiceActivity().push(samples)


def segments(
    probabilities: np.ndarray,
    seconds: float,
    threshold: float = SPEECH,
    *,
    release: float = 0.15,
    min_speech: float = 0.2,
    min_silence: float = 0.2,
    pad: float = 0.03,
) -> list[tuple[float, float]]:
    """Where somebody speaks in a recording of so many seconds: (start, end) in seconds, in order, not
    overlapping.

    Speech starts when the probability reaches `threshold` and ends when it has stayed under
    `threshold - release` for `min_silence` seconds; what is shorter than `min_speech` seconds is dropped, the
    rest grows by `pad` seconds at both ends.

    Args:
        probabilities: of each frame, as `speech_probabilities` gives them.
    """
    step = FRAME / RATE
    found: list[tuple[float, float]] = []
    start: float | None = None
    quiet_since: float | None = None
    for index, probability in enumerate(probabilities):
        now = index * step
        if probability >= threshold:
            start = now if start is None else start
            quiet_since = None
        elif start is not None and probability < threshold - release:
            quiet_since = now if quiet_since is None else quiet_since
            if now + step - quiet_since >= min_silence:
                found.append((start, quiet_since))
                start = quiet_since = None
    if start is not None:
        found.append((start, len(probabilities) * step if quiet_since is None else quiet_since))
    return _padded([span for span in found if span[1] - span[0] >= min_speech], pad, seconds)


def _padded(spans: list[tuple[float, float]], pad: float, seconds: float) -> list[tuple[float, float]]:
    """Grow each span by `pad` s, at most to the middle of the pause that it shares with its neighbour."""
    edges = [
        0.0,
        *((end + start) / 2 for (_, end), (start, _) in itertools.pairwise(spans)),
        seconds,
    ]
    return [
        (max(start - pad, edges[index]), min(end + pad, edges[index + 1]))
        for index, (start, end) in enumerate(spans)
    ]


@functools.cache
def _load_network() -> OnnxSession:
    """Read once a process; may be run by several threads at once."""
    try:
        session = OnnxSession(_FILE.read_bytes())  # one step is shorter than handing it to other threads
        if set(session.inputs) != {"input", "state", "sr"}:
            raise ValueError("the network takes other inputs")
        return session
    except (OSError, ValueError) as error:
        raise AudioError(
            f"{_FILE.name}, which tells speech from silence, is missing or damaged: install speakerid again."
        ) from error
