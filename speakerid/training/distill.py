"""Teach an ECAPA-TDNN what the teacher knows: the loop over steps, and what is kept of it.

On processors every process works on its own crops with one thread, and the gradients are averaged: on a busy
machine that wastes far less than several threads in one process. On CUDA devices each has one process, whose
crops several others make on the processors.
"""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from speakerid.model.ecapa import EcapaTdnn
from speakerid.training.devices import Place, spread
from speakerid.training.feeder import Feeder
from speakerid.training.head import TeacherHead, lay_into
from speakerid.training.student import Student, Weighting, loss_of


@dataclass
class Settings:
    channels: int = 512
    steps: int = 100_000  # the run ends here
    decay: int = 0  # steps at the end over which the rate falls to nothing; 0 for all
    rate: float = 1e-3
    warm_up: int = 200
    weight_decay: float = 0.02
    margin: float = 0.1
    scale: float = 24.0
    frame_weight: float = 3.0
    averaging: float = 0.999  # of the weights that are shipped, over steps
    seconds_per_step: float = 30.0  # of crops, in each process
    voices_per_step: float = 1.0  # that enter the pool, in each process
    first_voices: int = 200
    save_minutes: float = 4.0
    compile: bool = True  # two minutes at the start, a quarter faster ever after
    seed: int = 0

    @property
    def weighting(self) -> Weighting:
        return Weighting(self.margin, self.scale, self.frame_weight)


def rate_at(step: int, settings: Settings) -> float:
    """Learning rate: warm-up, constant, linear to nothing."""
    rising = min(1.0, (step + 1) / settings.warm_up)
    falling = min(1.0, max(0.0, (settings.steps - step) / (settings.decay or settings.steps)))
    return settings.rate * rising * falling


class Training:
    """A network on its way: weights, their average over steps, optimiser and step.

    Args:
        init: weights to start from. keep_head: their last layers are the teacher's already, and have learned
            since; otherwise the teacher's are laid in.
    """

    def __init__(
        self,
        settings: Settings,
        head: TeacherHead,
        device: torch.device,
        init: dict[str, Tensor] | None = None,
        keep_head: bool = False,
    ):
        torch.manual_seed(settings.seed)
        self.settings = settings
        self.student = Student(settings.channels, head)
        if init is not None:
            self.student.network.load_state_dict(init, strict=False)
        if not keep_head:
            lay_into(self.student.network, head)
        self.student.to(device)
        self.averaged = AveragedModel(
            self.student, multi_avg_fn=get_ema_multi_avg_fn(settings.averaging), use_buffers=True
        )
        self.optimizer = torch.optim.AdamW(
            self.student.parameters(),
            settings.rate,
            (0.9, 0.98),
            weight_decay=settings.weight_decay,
            fused=True,
        )
        self.step = 0

    def resume(self, file: Path) -> None:
        saved = torch.load(file, map_location="cpu", weights_only=True)
        self.student.load_state_dict(saved["student"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.averaged.module.load_state_dict(saved["averaged"])
        self.averaged.n_averaged.fill_(saved["step"])
        self.step = saved["step"]

    def save(self, folder: Path) -> None:
        state = {
            "student": self.student.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "averaged": self.averaged.module.state_dict(),
            "step": self.step,
        }
        torch.save(state, folder / "checkpoint.part")
        (folder / "checkpoint.part").replace(folder / "checkpoint.pt")
        (folder / "settings.json").write_text(json.dumps(asdict(self.settings), indent=1))


def run(
    place: Place,
    folder: Path,
    feeder_from: Callable[[int], Feeder],
    settings: Settings,
    head: TeacherHead,
    init: dict[str, Tensor] | None,
    keep_head: bool = False,
) -> None:
    """Train until settings.steps, going on from folder/checkpoint.pt where there is one.

    Every process calls it; process 0 writes checkpoint.pt and log.jsonl.

    Args:
        feeder_from: makes this process' feeder, from the step at which the run goes on.
        init, keep_head: see Training.
    """
    training = Training(settings, head, place.device, init, keep_head)
    if (folder / "checkpoint.pt").exists():
        training.resume(folder / "checkpoint.pt")
    torch.manual_seed(settings.seed + 1000 * place.rank + training.step)
    feeder = feeder_from(training.step)
    student = training.student.train()
    if settings.compile:
        student.compile_parts()
    hear = spread(student, place)
    started = saved_at = time.monotonic()
    first = training.step
    while training.step < settings.steps:
        seconds, batch = feeder.next()
        for group in training.optimizer.param_groups:
            group["lr"] = rate_at(training.step, settings)
        loss, parts = loss_of(hear, student.importance, batch.to(place.device), settings.weighting)
        training.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(student.parameters(), 5.0)
        training.optimizer.step()
        training.averaged.update_parameters(student)
        training.step += 1
        last = training.step == settings.steps
        # All processes must leave the loop together; only the first one writes.
        if place.rank == 0 and (training.step % 20 == 0 or last):
            pace = (time.monotonic() - started) / (training.step - first)
            _log(folder, {"step": training.step, "seconds": seconds, "s_per_step": round(pace, 2), **parts})
        if place.rank == 0 and (time.monotonic() - saved_at > 60 * settings.save_minutes or last):
            saved_at = time.monotonic()
            training.save(folder)


def network_of(folder: Path) -> EcapaTdnn:
    """The averaged network of a run, ready to embed."""
    saved = torch.load(folder / "checkpoint.pt", map_location="cpu", weights_only=True)["averaged"]
    prefix = "network."
    state = {name[len(prefix) :]: value for name, value in saved.items() if name.startswith(prefix)}
    network = EcapaTdnn(state["blocks.0.conv.conv.weight"].shape[0])
    network.load_state_dict(state)
    return network.eval()


def settings_from(options: dict) -> Settings:
    """Settings out of a dict that may hold other things as well."""
    names = {field.name for field in fields(Settings)}
    return Settings(**{name: value for name, value in options.items() if name in names})


def _log(folder: Path, row: dict) -> None:
    line = json.dumps({k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()})
    with (folder / "log.jsonl").open("a") as file:
        file.write(line + "\n")
    print(line, flush=True)
