"""What runs the network: ONNX Runtime with 8-bit numbers, ONNX Runtime, or PyTorch.

    onnx-int8   the file beside the bundled weights; twice as fast as the next
    onnx        the same graph in float32, built from the weights when they are loaded
    torch       ecapa.py itself: the readable reference

Each runs on one thread (speakerid/threads.py says why), without spinning. Whoever has several windows at once
lets several threads call the same runtime.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from speakerid import settings, threads
from speakerid.errors import ModelError
from speakerid.onnx_session import OnnxSession

if TYPE_CHECKING:
    from speakerid.model.ecapa import EcapaTdnn
    from speakerid.model.weights import Weights

INT8, ONNX, TORCH = "onnx-int8", "onnx", "torch"
NAMES = {
    INT8: "8-bit numbers in ONNX Runtime",
    ONNX: "32-bit numbers in ONNX Runtime",
    TORCH: "32-bit numbers in PyTorch",
}
AGREEMENT = 0.99  # least cosine between 8 bits and float32 on the probe, on every computer that runs them
PROBES = (0.5, 1.0, 3.0)  # s


class Runtime(Protocol):
    """Waveforms in, embeddings out; safe to share between threads."""

    @property
    def name(self) -> str: ...
    @property
    def width(self) -> int:
        """Numbers in an embedding."""
        ...

    def embed(self, pieces: Sequence[np.ndarray]) -> np.ndarray:
        """Embeddings [n, width] of unit length, of n waveforms [samples] float32 of any lengths."""
        ...


class OnnxRuntime:
    """A graph of graph.py, or a file that `export-model` wrote.

    Raises:
        ModelError: it is no such graph.
    """

    def __init__(self, model: bytes, name: str, source: str, declared_in: str = "a JSON file"):
        self.name = name
        self._session = session(model, source)
        inputs = self._session.inputs
        if inputs not in (["features"], ["samples"]) or self._session.outputs != ["embedding"]:
            raise _not_ours(
                source,
                "its input is neither features nor samples, or its output no embedding, and there is no "
                f"{declared_in} beside it that says what another network is fed with",
            )
        self._samples = inputs == ["samples"]
        self.width = self._session.width or int(self.embed(probe()[:1]).shape[1])
        self.about = self._session.about

    def embed(self, pieces: Sequence[np.ndarray]) -> np.ndarray:
        from speakerid.model.mel import HOP, log_mel

        alike: dict[int, list[int]] = {}  # items with as many frames: what their last hop lacks is silence
        for index, piece in enumerate(pieces):
            alike.setdefault(len(piece) // HOP, []).append(index)
        rows: list[np.ndarray] = [np.empty(0, np.float32)] * len(pieces)
        for items in alike.values():
            batch = np.zeros((len(items), max(len(pieces[i]) for i in items)), np.float32)
            for row, i in zip(batch, items, strict=True):
                row[: len(pieces[i])] = pieces[i]
            given = {"samples": batch} if self._samples else {"features": log_mel(batch)}
            for i, made in zip(items, self._session.run(given, ["embedding"])[0], strict=True):
                rows[i] = made
        return np.stack(rows)


class TorchRuntime:
    """The network of ecapa.py; utterances of unequal length share a pass."""

    name = TORCH

    def __init__(self, network: EcapaTdnn):
        threads.hold()
        self.network = network
        self.width = int(network.fc.conv.weight.shape[0])

    def embed(self, pieces: Sequence[np.ndarray]) -> np.ndarray:
        import torch

        from speakerid.model.features import frames_of, log_mel

        threads.hold()
        sizes = [len(piece) for piece in pieces]
        padded = np.zeros((len(pieces), max(sizes)), dtype=np.float32)
        for row, piece in zip(padded, pieces, strict=True):
            row[: len(piece)] = piece
        with torch.inference_mode():
            lengths = torch.tensor(sizes) if min(sizes) < max(sizes) else None
            features = log_mel(torch.as_tensor(padded), lengths)
            embeddings = self.network(features, None if lengths is None else frames_of(lengths))
            return torch.nn.functional.normalize(embeddings, dim=1).numpy()


def wanted(runtime: str | None) -> str | None:
    """The runtime asked for here or by SPEAKERID_RUNTIME; None leaves the choice to the computer.

    Raises:
        ModelError: there is no such runtime.
    """
    chosen = runtime or settings.RUNTIME.value or None
    if chosen is not None and chosen not in NAMES:
        raise ModelError(f'There is no runtime called "{chosen}"; use one of: {", ".join(NAMES)}.')
    return chosen


def of_weights(parameters: Weights, runtime: str | None) -> Runtime:
    """Float32, in ONNX Runtime unless torch is wanted or the packages for it are not there."""
    from importlib.util import find_spec

    from speakerid.model import weights

    installed = all(find_spec(package) for package in ("onnx", "onnxruntime"))
    if runtime == TORCH or (runtime is None and not installed):
        if find_spec("torch") is None:
            raise ModelError(f"{NAMES[TORCH]} need PyTorch; install it with: python -m pip install torch")
        return TorchRuntime(weights.network(parameters))
    from speakerid.model.graph import build

    return OnnxRuntime(build(parameters, {}).SerializeToString(), ONNX, "the graph built from the weights")


def int8_of(path: Path, weights_file: Path) -> tuple[OnnxRuntime | None, str]:
    """The 8-bit runtime in a file, or None and why it is not used: it is of other weights, or this computer
    gets other numbers from it than the one that made it (some processors clip sums of 8-bit products).
    """
    if not path.is_file():
        return None, f"{path.name} is missing"
    try:
        runtime = OnnxRuntime(path.read_bytes(), INT8, str(path))
    except ModelError as problem:
        return None, str(problem)
    if runtime.about.get("weights") != file_hash(weights_file):
        return None, f"{path.name} was made of other weights"
    known = np.frombuffer(bytes.fromhex(runtime.about["probe"]), "<f4").reshape(len(PROBES), runtime.width)
    cosine = float((runtime.embed(probe()) * known).sum(axis=1).min())
    if not cosine >= AGREEMENT:  # so that NaN is refused too
        return None, f"its embeddings agree with the float ones to {cosine:.3f} only on this processor"
    return runtime, ""


@lru_cache(maxsize=1)
def probe(lengths: tuple[float, ...] = PROBES) -> list[np.ndarray]:
    """Waveforms, of so many seconds, with harmonics, noise and pauses, as speech has them; the same on every
    computer.
    """
    made: list[np.ndarray] = []
    for seconds in lengths:
        time = np.arange(round(seconds * 16_000)) / 16_000
        phase = 2 * np.pi * (120 * time + 3 * np.sin(2 * np.pi * 1.5 * time))
        voice = sum(np.sin(k * phase) / k for k in range(1, 20)) * (np.sin(2 * np.pi * 2.5 * time) > -0.5)
        noise = np.random.default_rng(0).standard_normal(len(time))
        made.append((0.1 * voice + 1e-3 * noise).astype(np.float32))
    return made


def file_hash(path: Path) -> str:
    """SHA-256 in hex of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def session(model: bytes, source: str) -> OnnxSession:
    """A graph on the threads of this process.

    Raises:
        ModelError: onnxruntime is missing, or cannot read it.
        SpeakerIdError: SPEAKERID_THREADS is not a number.
    """
    count = settings.threads()  # outside: what is wrong with the setting is not the graph's fault
    try:
        return OnnxSession(model, count)
    except ImportError as problem:
        remedy = "install it with: python -m pip install onnxruntime"
        raise ModelError(f"{source} needs the package onnxruntime, which is missing; {remedy}") from problem
    except ValueError as problem:
        raise _not_ours(source, "ONNX Runtime cannot read it") from problem


def _not_ours(source: str, why: str) -> ModelError:
    return ModelError(
        f"{source} is not an ECAPA-TDNN that `export-model` wrote: {why}; export it again, "
        "or use ecapa-bundled."
    )
