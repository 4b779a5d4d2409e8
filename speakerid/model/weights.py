"""Weights on disk: where the bundled ones are, how any are read, checked, written and told apart.

Weights are a mapping from SpeechBrain's parameter names to float32 tensors, without the batch counters of
the normalisation layers, which only training would need. They are stored as safetensors; float16 files are
widened when they are read.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from speakerid.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

    from speakerid.model.ecapa import EcapaTdnn

    Weights = dict[str, Tensor]

BUNDLED = "ecapa-bundled"
BUNDLED_FILE = Path(__file__).parent / "weights" / "ecapa-bundled.safetensors"
FIRST_LAYER = "blocks.0.conv.conv.weight"  # [channels, 80, 5]: tells how wide the network is
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
    import torch

    if not isinstance(weights, dict) or not all(
        isinstance(value, torch.Tensor) for value in weights.values()
    ):
        raise _wrong(source, "it is not a table of named tensors")
    # Copied, for what stays in a mapped file is not aligned as fresh memory is: it is slower, and on some
    # makes of processor the last digit of a sum depends on the file that the weights came from.
    weights = {
        str(k): v.detach().to(torch.float32, memory_format=torch.contiguous_format, copy=True)
        for k, v in weights.items()
        if not str(k).endswith(COUNTER)
    }
    expected = _shapes(_channels(weights, source))
    if missing := sorted(expected.keys() - weights.keys()):
        raise _wrong(source, f"{len(missing)} of its parameters are missing, such as {missing[0]}")
    if extra := sorted(weights.keys() - expected.keys()):
        raise _wrong(source, f"it has {len(extra)} parameters too many, such as {extra[0]}")
    for name, shape in expected.items():
        if tuple(weights[name].shape) != shape:
            raise _wrong(source, f"{name} has the shape {list(weights[name].shape)} instead of {list(shape)}")
        if not bool(torch.isfinite(weights[name]).all()):
            raise _wrong(source, f"{name} holds numbers that are not finite")
    return weights


def network(weights: Weights) -> EcapaTdnn:
    """The network with these (checked) weights, ready to embed, without gradients."""
    import torch

    from speakerid.model.ecapa import EcapaTdnn

    with torch.device("meta"):  # no memory and no random numbers for what is about to be replaced
        net = EcapaTdnn(weights[FIRST_LAYER].shape[0])
    counters = {name: torch.tensor(0) for name in net.state_dict() if name.endswith(COUNTER)}
    net.load_state_dict({**weights, **counters}, assign=True)
    return net.eval().requires_grad_(False)


def fingerprint(weights: Weights) -> str:
    """SHA-256 in hex over names, shapes and float32 values: the same for the same weights in any file."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(f"{name} {list(weights[name].shape)}\n".encode())
        digest.update(weights[name].numpy().tobytes())
    return digest.hexdigest()


def write(weights: Weights, path: Path) -> None:
    """Stores weights as safetensors in one step: at any moment the file is whole or absent.

    Raises:
        OSError: the folder cannot be written.
    """
    from safetensors.torch import save

    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            file.write(save(weights))
            file.flush()
            os.fsync(file.fileno())
            file.close()
            os.replace(file.name, path)
        except BaseException:
            file.close()
            os.unlink(file.name)
            raise


def _channels(weights: Weights, source: str) -> int:
    first = weights.get(FIRST_LAYER)
    if first is None or first.ndim != 3 or first.shape[0] == 0 or first.shape[0] % 8:
        raise _wrong(source, f"its first layer, {FIRST_LAYER}, is missing or has another shape")
    return first.shape[0]


def _shapes(channels: int) -> dict[str, tuple[int, ...]]:
    import torch

    from speakerid.model.ecapa import EcapaTdnn

    with torch.device("meta"):
        state = EcapaTdnn(channels).state_dict()
    return {name: tuple(value.shape) for name, value in state.items() if not name.endswith(COUNTER)}


def _read_safetensors(path: Path) -> object:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as problem:
        raise _wrong(str(path), f"it cannot be read as safetensors ({problem})") from problem


def _read_checkpoint(path: Path) -> object:
    import torch

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
