"""Weights on disk: where the bundled ones are, how any are read, checked, written and told apart.

Weights are a mapping from SpeechBrain's parameter names to float32 arrays, without the batch counters of
the normalisation layers, which only training would need. They are stored as safetensors; float16 files are
widened when they are read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard, cast

import numpy as np

from speakerid import tensors as safetensors
from speakerid.errors import ModelError
from speakerid.plural import counted
from speakerid.settings import BUNDLED_MODEL

if TYPE_CHECKING:
    from torch import Tensor

    from speakerid.model.ecapa import EcapaTdnn

Weights = dict[str, np.ndarray]

BUNDLED = BUNDLED_MODEL
BUNDLED_FILE = Path(__file__).parent / "weights" / "ecapa-bundled.safetensors"
INT8_FILE = BUNDLED_FILE.with_name("ecapa-bundled.int8.onnx")  # the same network with 8-bit numbers (int8.py)
FIRST_LAYER = "blocks.0.conv.conv.weight"  # [channels, 80, 5]: tells how wide the network is
WIDTHS = ("fc.conv.weight", "blocks.1.se_block.conv1.conv.weight", "asp.tdnn.conv.conv.weight")
COUNTER = "num_batches_tracked"
PICKLES = {".ckpt", ".pt", ".pth"}  # read with weights_only=True, so that nothing in them can run
SUFFIXES = {".safetensors", *PICKLES}


def read(path: str | Path) -> Weights:
    """Weights in a safetensors file, or in SpeechBrain's own `embedding_model.ckpt`.

    Raises:
        ModelError: there is no such file, it cannot be read, or it holds something else.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelError(
            f"There are no weights at {path}; check the path, "
            f"or use the model that comes with the app: {BUNDLED}."
        )
    weights = _read_checkpoint(path) if path.suffix in PICKLES else _read_safetensors(path)
    return checked(weights, str(path))


def checked(weights: object, source: str) -> Weights:
    """What was read from `source`, as float32 weights of an ECAPA-TDNN without anything else.

    Raises:
        ModelError: names or shapes are not those of the network, or a number is not finite.
    """
    if not _is_table(weights):
        raise _wrong(source, "it is not a table of named tensors")
    weights = {str(k): _array(v) for k, v in weights.items() if not str(k).endswith(COUNTER)}
    expected = _shapes(_channels(weights, source), *_widths(weights, source))
    if missing := sorted(expected.keys() - weights.keys()):
        raise _wrong(
            source, f"{counted(len(missing), 'parameter is', 'parameters are')} missing, such as {missing[0]}"
        )
    if extra := sorted(weights.keys() - expected.keys()):
        raise _wrong(source, f"it has {counted(len(extra), 'parameter')} too many, such as {extra[0]}")
    for name, shape in expected.items():
        if tuple(weights[name].shape) != shape:
            raise _wrong(source, f"{name} has the shape {list(weights[name].shape)} instead of {list(shape)}")
        if not np.isfinite(weights[name]).all():
            raise _wrong(source, f"{name} holds numbers that are not finite")
    return weights


def network(weights: Weights) -> EcapaTdnn:
    """The network with these (checked) weights, ready to embed, without gradients."""
    import torch

    from speakerid.model.ecapa import EcapaTdnn

    with torch.device("meta"):  # no memory and no random numbers for what is about to be replaced
        net = EcapaTdnn(weights[FIRST_LAYER].shape[0], *_widths(weights, "these weights"))
    counters = {name: torch.tensor(0) for name in net.state_dict() if name.endswith(COUNTER)}
    net.load_state_dict({**tensors(weights), **counters}, assign=True)
    return net.eval().requires_grad_(False)


def tensors(weights: Weights) -> dict[str, Tensor]:
    """The same for PyTorch, in memory of its own, all aligned alike: then sums do not depend on the file."""
    import torch

    return {name: torch.as_tensor(value).clone() for name, value in weights.items()}


def fingerprint(weights: Weights) -> str:
    """SHA-256 in hex over names, shapes and float32 values: the same for the same weights in any file."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(f"{name} {list(weights[name].shape)}\n".encode())
        digest.update(weights[name].tobytes())
    return digest.hexdigest()


def write(weights: Mapping[str, np.ndarray | Tensor], path: Path) -> None:
    """Stores weights as safetensors in one step: at any moment the file is whole or absent.

    Raises:
        OSError: the folder cannot be written.
    """
    if not all(map(_is_array, weights.values())):
        raise ValueError("weights are arrays or tensors")
    safetensors.write(path, {name: np.asarray(value) for name, value in weights.items()})


def _channels(weights: Weights, source: str) -> int:
    first = weights.get(FIRST_LAYER)
    if first is None or first.ndim != 3 or first.shape[0] == 0 or first.shape[0] % 8:
        raise _wrong(source, f"its first layer, {FIRST_LAYER}, is missing or has another shape")
    return first.shape[0]


def _widths(weights: Weights, source: str) -> tuple[int, int, int]:
    """Of the embedding, of squeeze-excitation and of the attention, as their layers say."""
    found: list[int] = []
    for name in WIDTHS:
        layer = weights.get(name)
        if layer is None or layer.ndim != 3 or not layer.shape[0]:
            raise _wrong(source, f"1 of its parameters is missing or has another shape, {name}")
        found.append(int(layer.shape[0]))
    return found[0], found[1], found[2]


def _shapes(channels: int, width: int, squeezed: int, attention: int) -> dict[str, tuple[int, ...]]:
    """Every parameter of a network so wide, as ecapa.py names and shapes them."""
    c, wide, group = channels, 3 * channels, channels // 8
    shapes: dict[str, tuple[int, ...]] = {}

    def norm(name: str, width: int) -> None:
        shapes.update(
            {f"{name}.{part}": (width,) for part in ("weight", "bias", "running_mean", "running_var")}
        )

    def conv(name: str, inputs: int, outputs: int, kernel: int = 1) -> None:
        shapes.update({f"{name}.conv.weight": (outputs, inputs, kernel), f"{name}.conv.bias": (outputs,)})

    def tdnn(name: str, inputs: int, outputs: int, kernel: int = 1) -> None:
        conv(f"{name}.conv", inputs, outputs, kernel)
        norm(f"{name}.norm.norm", outputs)

    tdnn("blocks.0", 80, c, 5)
    for block in ("blocks.1", "blocks.2", "blocks.3"):
        tdnn(f"{block}.tdnn1", c, c)
        tdnn(f"{block}.tdnn2", c, c)
        for k in range(7):
            tdnn(f"{block}.res2net_block.blocks.{k}", group, group, 3)
        conv(f"{block}.se_block.conv1", c, squeezed)
        conv(f"{block}.se_block.conv2", squeezed, c)
    tdnn("mfa", wide, wide)
    tdnn("asp.tdnn", 3 * wide, attention)
    conv("asp.conv", attention, wide)
    norm("asp_bn.norm", 2 * wide)
    conv("fc", 2 * wide, width)
    return shapes


def _is_table(value: object) -> TypeGuard[dict[Any, np.ndarray | Tensor]]:
    return isinstance(value, dict) and all(map(_is_array, cast("dict[Any, Any]", value).values()))


def _is_array(value: object) -> bool:
    return isinstance(value, np.ndarray) or hasattr(value, "detach")


def _array(value: np.ndarray | Tensor) -> np.ndarray:
    """A copy in memory of its own: the numbers do not depend on how a file happens to be laid out."""
    plain = value if isinstance(value, np.ndarray) else value.detach().float().numpy()
    return np.array(plain, np.float32, order="C")


def _read_safetensors(path: Path) -> object:
    try:
        return safetensors.read(path)
    except (OSError, ValueError) as problem:
        raise _wrong(str(path), f"it cannot be read as safetensors ({problem})") from problem


def _read_checkpoint(path: Path) -> object:
    try:
        import torch
    except ImportError as problem:
        raise ModelError(
            f"{path} is a checkpoint, which only PyTorch reads: install it with: python -m pip install torch"
        ) from problem
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (
        Exception
    ) as problem:  # torch raises whatever the bytes provoke: Unpickling, Runtime, EOF, Key, Value ...
        raise _wrong(str(path), "it cannot be read as a checkpoint that holds numbers only") from problem


def _wrong(source: str, why: str) -> ModelError:
    return ModelError(
        f"{source} does not hold the weights of an ECAPA-TDNN: {why}; get the file again, "
        f"or use the model that comes with the app: {BUNDLED}."
    )
