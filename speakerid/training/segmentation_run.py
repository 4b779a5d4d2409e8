"""A run of either segmentation network: its rate, its averaged weights, its checkpoint and its log."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

LOG_EVERY = 20  # steps


@dataclass
class RunSettings:
    steps: int  # the run ends here; the rate falls to nothing over all of them
    rate: float
    warm_up: int
    averaging: float
    weight_decay: float = 0.01
    save_minutes: float = 3.0
    seed: int = 0


S = TypeVar("S", bound=RunSettings)


def settings_of(kind: type[S], options: dict) -> S:
    """The settings that the options name; the others are the kind's own."""
    names = {field.name for field in fields(kind)}
    return kind(**{k: v for k, v in options.items() if k in names})


class Run:
    """Goes on from out/checkpoint.pt where there is one; out/log.jsonl tells how.

    Attributes:
        step: steps of training that were done.
        averaged: the averaged weights, by name.
    """

    def __init__(self, out: Path, network: nn.Module, settings: RunSettings):
        out.mkdir(parents=True, exist_ok=True)
        self._out, self._network, self._settings = out, network, settings
        self._learned = [p for p in network.parameters() if p.requires_grad]
        self._optimizer = torch.optim.AdamW(
            self._learned, settings.rate, (0.9, 0.98), weight_decay=settings.weight_decay
        )
        self.averaged = {name: value.clone() for name, value in network.state_dict().items()}
        self.step = 0
        if (out / "checkpoint.pt").exists():
            saved = torch.load(out / "checkpoint.pt", weights_only=True)
            network.load_state_dict(saved["network"])
            self._optimizer.load_state_dict(saved["optimizer"])
            self.averaged, self.step = saved["averaged"], saved["step"]
        self._first = self.step
        self.start_clock()

    def start_clock(self) -> None:
        """From now on time counts as training's."""
        self._began = self._saved_at = time.monotonic()

    @property
    def ended(self) -> bool:
        return self.step >= self._settings.steps

    def learn(self, loss: Tensor) -> None:
        """One step of training."""
        settings = self._settings
        rising = min(1.0, (self.step + 1) / settings.warm_up)
        for group in self._optimizer.param_groups:
            group["lr"] = settings.rate * rising * max(1e-3, 1 - self.step / settings.steps)
        self._optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self._learned, 1.0)
        self._optimizer.step()
        self.step += 1
        keep = min(settings.averaging, 1 - 1 / (self.step - self._first + 1))
        with torch.no_grad():
            for name, value in self._network.state_dict().items():
                self.averaged[name].lerp_(value, 1 - keep)

    def record(self, parts: dict[str, float], test: Callable[[dict[str, Tensor]], dict[str, float]]) -> None:
        """Log the parts of the loss now and then; when it is time, save, and test the averaged weights."""
        if self.step % LOG_EVERY == 0:
            seconds = (time.monotonic() - self._began) / (self.step - self._first)
            self.log({"step": self.step, "s_per_step": seconds, **parts})
        if time.monotonic() - self._saved_at <= 60 * self._settings.save_minutes and not self.ended:
            return
        self._saved_at = time.monotonic()
        state = {"network": self._network.state_dict(), "optimizer": self._optimizer.state_dict()}
        torch.save({**state, "averaged": self.averaged, "step": self.step}, self._out / "checkpoint.part")
        (self._out / "checkpoint.part").replace(self._out / "checkpoint.pt")
        (self._out / "settings.json").write_text(json.dumps(asdict(self._settings), indent=1))
        self.log({"step": self.step, "held_out": test(self.averaged)})

    def log(self, row: dict) -> None:
        """A row of figures, four digits each, to log.jsonl and to standard output."""
        line = json.dumps(_short(row))
        with (self._out / "log.jsonl").open("a") as file:
            file.write(line + "\n")
        print(line, flush=True)


def _short(value):
    if isinstance(value, dict):
        return {k: _short(v) for k, v in value.items()}
    return round(value, 4) if isinstance(value, float) else value
