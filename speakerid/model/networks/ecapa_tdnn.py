"""ECAPA-TDNN with SpeechBrain's names: the bundled one, safetensors, SpeechBrain's checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from speakerid.errors import ModelError
from speakerid.model import networks, runtimes, weights

NAMES = (weights.BUNDLED,)
SUFFIXES = frozenset(weights.SUFFIXES)


def load(place: Path | None, name: str, runtime: str | None) -> networks.Network:
    """The network of weights in a file; the bundled ones without one.

    Raises:
        ModelError: it holds no such weights, or there is no such runtime for them.
    """
    remark = ""
    if place is None and runtime in (None, runtimes.INT8):
        small, why = runtimes.int8_of(weights.INT8_FILE, weights.BUNDLED_FILE)
        if small is not None:
            channels = int(small.about["channels"])
            return networks.Network(
                small.about["model"], small, channels, weights=_reader(weights.BUNDLED_FILE)
            )
        remark = f"not with 8 bits: {why}"
    if runtime == runtimes.INT8:
        why = remark or "there is an 8-bit form of the bundled model only"
        raise ModelError(f"{name} cannot run with 8 bits ({why}); use another runtime: onnx or torch.")
    file = place or weights.BUNDLED_FILE
    parameters = weights.read(file)
    model_id = f"{networks.short(name)}-{weights.fingerprint(parameters)[:8]}"
    channels = parameters[weights.FIRST_LAYER].shape[0]
    running = runtimes.of_weights(parameters, runtime)
    return networks.Network(model_id, running, channels, remark, _reader(file))


def _reader(file: Path) -> Callable[[], weights.Weights]:
    return lambda: weights.read(file)
