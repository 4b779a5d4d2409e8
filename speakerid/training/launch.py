"""Start the training processes."""

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.multiprocessing as mp
from safetensors.torch import load_file
from torch import Tensor

from speakerid.errors import ModelError
from speakerid.training import devices
from speakerid.training.distill import Settings, run, settings_from
from speakerid.training.feeder import Feeder
from speakerid.training.prepare import load_head
from speakerid.training.widen import widen


@dataclass(frozen=True)
class Work:
    """What every process of a training is told."""

    prepared: Path
    out: Path
    mix: dict[str, float]
    settings: Settings
    feeders: int  # processes that make crops, for each that trains
    init: dict[str, Tensor] | None
    keep_head: bool


def launch(
    prepared: Path,
    out: Path,
    init: Path | None,
    keep_head: bool,
    processes: int,
    feeders: int,
    mix: dict[str, float],
    options: dict,
) -> None:
    """Train on a CUDA device where there is one, on several under torchrun, else in so many processes of one
    thread each.

    Args:
        init: weights to start from. keep_head: with their last layers, instead of the teacher's laid in anew.

    Raises:
        ModelError: keep_head without weights, or with weights of another width.
    """
    if keep_head and init is None:
        raise ModelError("--keep-head keeps the last layers of --init; name the weights with it.")
    out.mkdir(parents=True, exist_ok=True)
    settings = settings_from(options)
    state = None
    if init is not None and not (out / "checkpoint.pt").exists():
        state = {name: value.float() for name, value in load_file(init).items()}
        if state["blocks.0.conv.conv.weight"].shape[0] != settings.channels:
            if keep_head:
                raise ModelError(f"{init} has another width; widen it without --keep-head.")
            state = widen(state, settings.channels)
    work = Work(prepared, out, mix, settings, feeders, state, keep_head)
    place = devices.by_torchrun()
    if place is not None:
        _train(place, work)
    elif processes == 1:
        _train(devices.alone(), work)
    else:
        for stale in out.glob("meeting-*"):
            stale.unlink()
        mp.spawn(_one_of, (processes, work), processes)  # type: ignore[attr-defined]


def _one_of(rank: int, processes: int, work: Work) -> None:
    torch.set_num_threads(1)  # before the group, whose threads count as well
    _train(devices.among(rank, processes, work.out), work)


def _train(place: devices.Place, work: Work) -> None:
    torch.set_num_threads(1)
    settings = work.settings

    def feeder_from(step: int) -> Feeder:
        seed, pace_seed = [settings.seed, place.rank, step], [settings.seed, step]
        sizes = (settings.seconds_per_step, settings.voices_per_step, settings.first_voices)
        return Feeder(work.prepared, work.mix, seed, pace_seed, *sizes, processes=work.feeders)

    head = load_head(work.prepared)
    run(place, work.out, feeder_from, settings, head, work.init, work.keep_head)
