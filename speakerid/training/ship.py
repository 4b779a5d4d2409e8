"""Put a run's network into the package, with the cohort, the calibration, the limits and the heads for it."""

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from speakerid.audio.format import RATE
from speakerid.errors import ModelError
from speakerid.model import Encoder, weights
from speakerid.model.companions import CALIBRATIONS
from speakerid.model.encoder import refusal
from speakerid.model.int8 import write_int8
from speakerid.model.linear import HEADS
from speakerid.training import corpus as corpora
from speakerid.training.calibrate import calibrate
from speakerid.training.distill import network_of
from speakerid.training.gender import train_gender

INT8_CLIPS, INT8_SAMPLES = 100, 2 * RATE  # that the ranges of 8-bit values are found in


def ship(prepared: Path, run_folder: Path, others: Sequence[Path] = (), share: float | None = None) -> str:
    """Write the bundled weights, their calibration, limits and heads; returns the id of the new model.

    Args:
        others: weights of the same line of training, averaged with the run's (see `mean`).
        share: of the run's in that mean; all alike by default.

    Raises:
        ModelError: other weights cannot be read, or have another width.
    """
    state = network_of(run_folder).state_dict()
    own = {name: value for name, value in state.items() if not name.endswith(weights.COUNTER)}
    rest = [weights.tensors(weights.read(other)) for other in others]
    averaged = mean([own, *rest], share if rest else None)
    weights.write({name: value.half() for name, value in averaged.items()}, weights.BUNDLED_FILE)
    ship_int8(prepared)
    encoder = Encoder.load()
    for folder in (CALIBRATIONS, HEADS):
        for stale in folder.glob(f"{encoder.name}-*.safetensors"):
            stale.unlink()
    train_gender(prepared, encoder)
    calibrate(prepared, encoder, CALIBRATIONS / f"{encoder.id}.safetensors")
    print(f"shipped {encoder.id}")
    return encoder.id


def ship_int8(prepared: Path, seed: int = 0) -> None:
    """Write the 8-bit form of the bundled weights; the ranges of its values are found in training speech.

    Raises:
        ModelError: it does not agree with the weights.
    """
    exact = Encoder.load(runtime="onnx")
    corpus = corpora.load(prepared)
    training = corpus.without(corpora.held_out(corpus))
    rng = np.random.default_rng(seed)
    by_corpus: dict[str, list[corpora.Clip]] = {}
    for k in rng.permutation(len(training.clips)):
        by_corpus.setdefault(training.clips[k].corpus, []).append(training.clips[k])
    # Of each corpus in turn: so many ways to record, languages and ages.
    in_turn = (clip for clips in zip_longest(*by_corpus.values()) for clip in clips if clip is not None)
    speech: list[np.ndarray] = []
    for clip in in_turn:
        samples = training.audio(clip)[:INT8_SAMPLES]
        if refusal(samples) is None and len(samples) >= RATE // 2:
            speech.append(samples)
        if len(speech) == INT8_CLIPS:
            break
    cosine = write_int8(weights.BUNDLED_FILE, exact.id, speech, weights.INT8_FILE)
    print(f"8-bit form of {exact.id}: cosine with the float one at least {cosine:.4f}")


def mean(states: Sequence[dict[str, Tensor]], share: float | None = None) -> dict[str, Tensor]:
    """The mean of weights that lie in one valley of the loss, as those of a run and its start do: it is
    better than each of them ("model soups", Wortsman et al., arXiv:2203.05482).

    Args:
        share: weight 0..1 of the first; the others share the rest. All weigh alike by default.

    Raises:
        ModelError: they are not of one network.
    """
    shapes = [{name: value.shape for name, value in state.items()} for state in states]
    if any(shape != shapes[0] for shape in shapes):
        raise ModelError("The weights to average are of networks of different widths: leave out the others.")
    first = 1 / len(states) if share is None else share
    parts = torch.tensor([first] + [(1 - first) / max(len(states) - 1, 1)] * (len(states) - 1))
    return {
        name: torch.tensordot(parts, torch.stack([state[name].float() for state in states]), 1)
        for name in states[0]
    }
