"""Start the training processes."""

from pathlib import Path

import torch
import torch.multiprocessing as mp
from safetensors.torch import load_file
from torch import Tensor

from speakerid.errors import ModelError
from speakerid.training.distill import Settings, run, settings_from
from speakerid.training.feeder import Feeder
from speakerid.training.prepare import load_head
from speakerid.training.widen import widen


def launch(
    prepared: Path,
    out: Path,
    init: Path | None,
    keep_head: bool,
    processes: int,
    mix: dict[str, float],
    options: dict,
) -> None:
    """Train in so many processes of one thread each.

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
    for stale in out.glob("meeting-*"):
        stale.unlink()
    arguments = (processes, prepared, out, mix, settings, state, keep_head)
    if processes == 1:
        _work(0, *arguments)
    else:
        mp.spawn(_work, arguments, processes)  # type: ignore[attr-defined]


def _work(
    rank: int,
    processes: int,
    prepared: Path,
    out: Path,
    mix: dict[str, float],
    settings: Settings,
    init: dict[str, Tensor] | None,
    keep_head: bool,
) -> None:
    torch.set_num_threads(1)

    def feeder_from(step: int) -> Feeder:
        seed, pace_seed = [settings.seed, rank, step], [settings.seed, step]
        sizes = (settings.seconds_per_step, settings.voices_per_step, settings.first_voices)
        return Feeder(prepared, mix, seed, pace_seed, *sizes)

    run(rank, processes, out, feeder_from, settings, load_head(prepared), init, keep_head)
