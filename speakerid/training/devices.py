"""Where the steps of a training run: processors, or CUDA devices with a process each."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Place:
    """One process of a training: its number among so many, and the device of its steps."""

    rank: int = 0
    processes: int = 1
    device: torch.device = CPU


def by_torchrun() -> Place | None:
    """The place that `torchrun` gave to this process, which joins the others; None without torchrun."""
    if "LOCAL_RANK" not in os.environ or "WORLD_SIZE" not in os.environ:
        return None
    device = _device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return Place(dist.get_rank(), dist.get_world_size(), device)


def alone() -> Place:
    """The only process: on the first CUDA device where there is one."""
    return Place(device=_device(0))


def among(rank: int, processes: int, folder: Path) -> Place:
    """One of several processes on processors, which meet by a file in a folder."""
    meeting = (folder / f"meeting-{time.time_ns() // 10**11}").absolute()
    dist.init_process_group("gloo", f"file://{meeting}", rank=rank, world_size=processes)
    return Place(rank, processes)


def spread(module: nn.Module, place: Place) -> nn.Module:
    """A module whose gradients are the mean over all processes; itself where there is one."""
    if place.processes == 1:
        return module
    return DistributedDataParallel(module, [place.device] if place.device.type == "cuda" else None)


def _device(number: int) -> torch.device:
    if not torch.cuda.is_available():
        return CPU
    torch.cuda.set_device(number)
    return torch.device("cuda", number)
