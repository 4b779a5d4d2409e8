"""Put a run's network into the package, with the cohort, the calibration and the heads for it."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from speakerid.errors import ModelError
from speakerid.identify.scoring import CALIBRATIONS
from speakerid.model import Encoder, weights
from speakerid.model.linear import HEADS
from speakerid.training.calibrate import calibrate
from speakerid.training.distill import network_of
from speakerid.training.gender import train_gender
from speakerid.training.overlap import train_overlap


def ship(prepared: Path, run_folder: Path, others: Sequence[Path] = ()) -> str:
    """Write the bundled weights, their calibration and their heads; returns the id of the new model.

    Args:
        others: weights of the same line of training, averaged with the run's (see `mean`).

    Raises:
        ModelError: other weights cannot be read, or have another width.
    """
    state = network_of(run_folder).state_dict()
    own = {name: value for name, value in state.items() if not name.endswith(weights.COUNTER)}
    averaged = mean([own, *map(weights.read, others)])
    weights.write({name: value.half() for name, value in averaged.items()}, weights.BUNDLED_FILE)
    encoder = Encoder.load()
    for folder in (CALIBRATIONS, HEADS):
        for stale in folder.glob(f"{encoder.name}-*.safetensors"):
            stale.unlink()
    calibrate(prepared, encoder, CALIBRATIONS / f"{encoder.id}.safetensors")
    train_gender(prepared, encoder)
    train_overlap(prepared, encoder)
    print(f"shipped {encoder.id}")
    return encoder.id


def mean(states: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of weights that lie in one valley of the loss, as those of a run and its start do: it is
    better than each of them ("model soups", Wortsman et al., arXiv:2203.05482).

    Raises:
        ModelError: they are not of one network.
    """
    shapes = [{name: value.shape for name, value in state.items()} for state in states]
    if any(shape != shapes[0] for shape in shapes):
        raise ModelError("The weights to average are of networks of different widths: leave out the others.")
    return {name: torch.stack([state[name] for state in states]).mean(dim=0) for name in states[0]}
