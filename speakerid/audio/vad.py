"""Who is silent and who speaks: silero-vad, streamed, without torch.

The network is the 16 kHz one of silero-vad 6 (Silero Team, MIT), and its weights are read from the wheel of
that name. It is small (310,000 numbers), so numpy runs it in about 0.1 ms a frame, and that buys three
things: no torch import, no torch threads fighting over the processor, and state that lives in each
`VoiceActivity` and nowhere else. (Importing the package `silero_vad` itself would also call
`torch.set_num_threads(1)` for the whole process.) Every frame is computed by the same operations on the same
shapes, however many arrive at once, so the probabilities do not depend on the block size to the last bit.
"""

import functools
import importlib.util
import itertools
from pathlib import Path

import numpy as np

from speakerid.audio.format import RATE, Block, empty
from speakerid.audio.onnx_weights import read_weights
from speakerid.errors import AudioError

FRAME = 512
"""Samples of one step of the network (32 ms)."""

_CONTEXT = 64  # samples of the frame before that the network sees again
_MIRRORED = 64  # samples that it mirrors at the end of a frame
_WINDOW, _HOP = 256, 128  # of its spectrogram: 4 columns a frame
_CELLS = 128  # of its LSTM
_BATCH = 256  # frames at once: bounds the memory that a long block takes


class VoiceActivity:
    """Speech probability of each 32 ms frame of one stream of sound; one instance a stream.

    The network remembers what it heard, so two streams must not share an instance; the weights are shared.
    """

    def __init__(self):
        self._weights = _load_weights()
        self.reset()

    def reset(self) -> None:
        """Forget everything heard: the next block starts a new stream."""
        self._pending = empty()
        self._context = np.zeros(_CONTEXT, np.float32)
        self._hidden = np.zeros(_CELLS, np.float32)
        self._cell = np.zeros(_CELLS, np.float32)

    def push(self, block: Block) -> np.ndarray:
        """Hear a block; -> float32 [m], the speech probability of each frame that it completed.

        Frames are counted from the first sample pushed since the start or `reset`; the samples of an
        unfinished frame wait for the next block.
        """
        waiting = np.concatenate([self._pending, np.asarray(block, np.float32)])
        count = len(waiting) // FRAME
        self._pending = waiting[count * FRAME :]
        if not count:
            return empty()
        frames = waiting[: count * FRAME].reshape(count, FRAME)
        return np.concatenate([self._step(frames[at : at + _BATCH]) for at in range(0, count, _BATCH)])

    def _step(self, frames: np.ndarray) -> np.ndarray:
        """[m, FRAME] -> [m]; moves the state on by m frames."""
        before = np.vstack([self._context, frames[:-1, -_CONTEXT:]])
        self._context = frames[-1, -_CONTEXT:]
        weights = self._weights
        gates = _front_end(np.hstack([before, frames]), weights)
        probabilities = np.empty(len(frames), np.float32)
        for index, gate in enumerate(gates):
            gate = gate + self._hidden @ weights["lstm_hidden"]
            enter, forget, new, out = gate.reshape(4, _CELLS)
            self._cell = _sigmoid(forget) * self._cell + _sigmoid(enter) * np.tanh(new)
            self._hidden = _sigmoid(out) * np.tanh(self._cell)
            score = np.maximum(self._hidden, 0) @ weights["final"] + weights["final_bias"][0]
            probabilities[index] = _sigmoid(score)
        return probabilities


def speech_probabilities(samples: Block) -> np.ndarray:
    """A whole recording [n] -> float32 [n // FRAME], the speech probability of each frame."""
    return VoiceActivity().push(samples)


def speech_segments(
    samples: Block,
    threshold: float = 0.5,
    *,
    release: float = 0.15,
    min_speech: float = 0.2,
    min_silence: float = 0.2,
    pad: float = 0.03,
) -> list[tuple[float, float]]:
    """Where somebody speaks in a whole recording [n]: (start, end) in seconds, in order, not overlapping.

    Speech starts when the probability reaches `threshold` and ends when it has stayed under
    `threshold - release` for `min_silence` seconds; what is shorter than `min_speech` seconds is dropped, the
    rest grows by `pad` seconds at both ends.
    """
    return segments(
        speech_probabilities(samples),
        len(samples) / RATE,
        threshold,
        release=release,
        min_speech=min_speech,
        min_silence=min_silence,
        pad=pad,
    )


def segments(
    probabilities: np.ndarray,
    seconds: float,
    threshold: float = 0.5,
    *,
    release: float = 0.15,
    min_speech: float = 0.2,
    min_silence: float = 0.2,
    pad: float = 0.03,
) -> list[tuple[float, float]]:
    """`speech_segments` for probabilities that are known already, of a recording of `seconds`."""
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


def _front_end(heard: np.ndarray, weights: dict[str, np.ndarray]) -> np.ndarray:
    """[m, 64 + 512] samples -> [m, 512] input of the LSTM's gates: a spectrogram and four convolutions.

    Each product below is a stack of m small ones (numpy multiplies them one by one), which is what keeps a
    frame's result independent of how many come with it.
    """
    mirrored = heard[:, -2 : -2 - _MIRRORED : -1]
    padded = np.hstack([heard, mirrored])
    columns = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW, axis=1)[:, ::_HOP]
    waves = np.ascontiguousarray(columns) @ weights["stft"]
    half = waves.shape[2] // 2
    x = np.sqrt(np.square(waves[..., :half]) + np.square(waves[..., half:]))
    x = _convolve(x, weights["conv1"], weights["conv1_bias"], stride=1)
    x = _convolve(x, weights["conv2"], weights["conv2_bias"], stride=2)
    x = _convolve(x, weights["conv3"], weights["conv3_bias"], stride=2)
    x = _convolve(x, weights["conv4"], weights["conv4_bias"], stride=1)
    return (x @ weights["lstm_input"] + weights["lstm_bias"])[:, 0]


def _convolve(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, stride: int) -> np.ndarray:
    """ReLU of a convolution of width 3 with zero padding: [m, t, c] with kernel [3 * c, d] -> [m, t', d]."""
    count, length, channels = x.shape
    padded = np.zeros((count, length + 2, channels), np.float32)
    padded[:, 1:-1] = x
    places = range(0, length, stride)
    unfolded = np.stack([padded[:, at : at + 3].reshape(count, -1) for at in places], axis=1)
    return np.maximum(unfolded @ kernel + bias, 0)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 + 0.5 * np.tanh(0.5 * x)  # the usual form overflows for large negative x


@functools.cache
def _load_weights() -> dict[str, np.ndarray]:
    """The weights in the shapes that the products above want; read once a process."""
    package = importlib.util.find_spec("silero_vad")  # finds the folder without importing it
    folders = list(package.submodule_search_locations or []) if package else []
    try:
        # Of the wheel's files this one and the TorchScript one hold the newest weights; the safetensors
        # file beside them holds older ones.
        raw = read_weights(Path(folders[0], "data", "silero_vad_16k_op15.onnx"))
        weights = {
            "stft": raw["model.stft.forward_basis_buffer"][:, 0].T,
            "lstm_input": raw["model.decoder.rnn.weight_ih"].T,
            "lstm_hidden": raw["model.decoder.rnn.weight_hh"].T,
            "lstm_bias": raw["model.decoder.rnn.bias_ih"] + raw["model.decoder.rnn.bias_hh"],
            "final": raw["model.decoder.decoder.2.weight"][0, :, 0],
            "final_bias": raw["model.decoder.decoder.2.bias"],
        }
        for index in range(4):
            kernel = raw[f"model.encoder.{index}.reparam_conv.weight"]  # [out, in, 3] -> [3 * in, out]
            weights[f"conv{index + 1}"] = kernel.transpose(2, 1, 0).reshape(-1, kernel.shape[0])
            weights[f"conv{index + 1}_bias"] = raw[f"model.encoder.{index}.reparam_conv.bias"]
    except (IndexError, OSError, ValueError, KeyError) as error:
        raise AudioError(
            "The package silero-vad, which tells speech from silence, is missing, damaged or of another "
            "version: run pip install --force-reinstall silero-vad==6.2.3."
        ) from error
    return {name: np.ascontiguousarray(value, np.float32) for name, value in weights.items()}
