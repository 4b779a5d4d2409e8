"""Teach an ECAPA-TDNN what the teacher knows.

Loss of a crop, with s its unit embedding, t its target, v the targets of all voices in the pool:

    5 · (1 − s·t)  +  cross-entropy(24 · (s·v − margin at its own voice))  +  3 · mean square error of frames

The second term is the large-margin softmax (Wang et al., arXiv:1801.05599) with the teacher's centroids in
place of learned ones; other voices of the same speaker take no part, nor does anybody unlabelled. The third
holds the network's first channels to the teacher's frames, from which its last layers make the teacher's
embedding (head.py).

Every process works on its own crops with one thread, and the gradients are averaged: on a busy machine that
wastes far less than several threads in one process.
"""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional as F

from speakerid.model.ecapa import EcapaTdnn
from speakerid.model.features import log_mel
from speakerid.training.crops import NOBODY, Batch
from speakerid.training.feeder import Feeder
from speakerid.training.head import TeacherHead, lay_into
from speakerid.training.precision import fast_numbers


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
    voices_per_step: float = 1.8  # that enter the pool, in each process
    first_voices: int = 150
    save_minutes: float = 4.0
    compile: bool = True  # two minutes at the start, a quarter faster ever after
    seed: int = 0


class Student(nn.Module):
    """The network; its first channels before the pooling are the teacher's frames, standardised."""

    importance: Tensor  # [k], of the teacher's channels

    def __init__(self, channels: int, head: TeacherHead):
        super().__init__()
        self.network = EcapaTdnn(channels)
        self.register_buffer("importance", head.importance)
        self._hear = self._frames_and_pooled

    def compile_parts(self) -> None:
        """Fuse what lies between the matrix products; one compilation serves crops of all lengths."""
        self._hear = torch.compile(self._frames_and_pooled, dynamic=True)

    def _frames_and_pooled(self, features: Tensor) -> tuple[Tensor, Tensor]:
        frames = self.network.frames(features)
        return frames, self.network.pool(frames)

    def train(self, mode: bool = True) -> "Student":
        super().train(mode)
        self.network.asp_bn.eval()  # a batch of a dozen crops has too odd a mean to centre embeddings by
        return self

    def forward(self, waves: Tensor) -> tuple[Tensor, Tensor]:
        """Waves [b, n] -> unit embeddings [b, 192], frames [b, n // 320 - 1, k]."""
        features = log_mel(waves)
        with fast_numbers():
            frames, pooled = self._hear(_mask(features) if self.training else features)
        # The teacher's frame j is centred on sample 320·j + 200; ours 2·j + 1 and 2·j + 2 on 320·j + 240.
        count = waves.shape[1] // 320 - 1
        pairs = frames[:, 1 : 1 + 2 * count, : len(self.importance)].unflatten(1, (count, 2))
        return F.normalize(pooled.float(), dim=1), pairs.float().mean(dim=2)


def _mask(features: Tensor) -> Tensor:
    """Up to 12 mel filters silenced in six of ten crops [b, t, 80] (SpecAugment, arXiv:1904.08779)."""
    crops, _, filters = features.shape
    low = torch.rand(crops, 1) * filters
    width = torch.rand(crops, 1) * 12 * (torch.rand(crops, 1) < 0.6)
    at = torch.arange(filters)
    return features.masked_fill(((at >= low) & (at < low + width))[:, None], 0.0)


def loss_of(student: Student, batch: Batch, settings: Settings) -> tuple[Tensor, dict[str, float]]:
    embeddings, frames = student(batch.waves)
    cosine = (embeddings * batch.targets).sum(dim=1)
    own = batch.voice_ids[:, None] == batch.pool_ids[None]
    # Whoever speaks in an unlabelled recording may be anybody in the pool, and so is nobody's rival.
    known = (batch.speakers != NOBODY)[:, None] & (batch.pool_speakers != NOBODY)[None]
    rivals = own | (known & (batch.speakers[:, None] != batch.pool_speakers[None]))
    logits = settings.scale * (embeddings @ batch.pool_voices.T - settings.margin * own)
    # A voice that has left the pool since cannot be: batches are drawn from the pool they come with.
    contrast = F.cross_entropy(logits.masked_fill(~rivals, -torch.inf), own.int().argmax(dim=1))
    frame_error = ((frames - batch.frames.float()).square() * student.importance).mean()
    loss = 5 * (1 - cosine).mean() + contrast + settings.frame_weight * frame_error
    parts = {
        "cosine": float(cosine.detach().mean()),
        "contrast": float(contrast.detach()),
        "frames": float(frame_error.detach()),
    }
    return loss, parts


def rate_at(step: int, settings: Settings) -> float:
    """Learning rate: warm-up, constant, linear to nothing."""
    rising = min(1.0, (step + 1) / settings.warm_up)
    falling = min(1.0, max(0.0, (settings.steps - step) / (settings.decay or settings.steps)))
    return settings.rate * rising * falling


def run(
    rank: int,
    processes: int,
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
        keep_head: init's last layers are the teacher's already, and have learned since.
    """
    torch.set_num_threads(1)
    if processes > 1:
        meeting = (folder / f"meeting-{time.time_ns() // 10**11}").absolute()
        dist.init_process_group("gloo", f"file://{meeting}", rank=rank, world_size=processes)
    torch.manual_seed(settings.seed)
    student = Student(settings.channels, head)
    if init is not None:
        student.network.load_state_dict(init, strict=False)
    if not keep_head:
        lay_into(student.network, head)
    optimizer = torch.optim.AdamW(
        student.parameters(), settings.rate, (0.9, 0.98), weight_decay=settings.weight_decay, fused=True
    )
    averaged = {name: value.clone() for name, value in student.state_dict().items()}
    step = 0
    if (folder / "checkpoint.pt").exists():
        saved = torch.load(folder / "checkpoint.pt", weights_only=True)
        student.load_state_dict(saved["student"])
        optimizer.load_state_dict(saved["optimizer"])
        averaged, step = saved["averaged"], saved["step"]
    torch.manual_seed(settings.seed + 1000 * rank + step)
    feeder = feeder_from(step)
    student.train()
    if settings.compile:
        student.compile_parts()
    started = saved_at = time.monotonic()
    first = step
    while step < settings.steps:
        seconds, batch = feeder.next()
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, settings)
        loss, parts = loss_of(student, batch, settings)
        optimizer.zero_grad()
        loss.backward()
        _average_gradients(student, processes)
        nn.utils.clip_grad_norm_(student.parameters(), 5.0)
        optimizer.step()
        step += 1
        _average_weights(averaged, student, min(settings.averaging, 1 - 1 / (step - first + 1)))
        if rank == 0 and (step % 20 == 0 or step == settings.steps):
            pace_now = (time.monotonic() - started) / (step - first)
            _log(folder, {"step": step, "seconds": seconds, "s_per_step": round(pace_now, 2), **parts})
        # All processes must leave the loop together; only the first one writes.
        if rank == 0 and (time.monotonic() - saved_at > 60 * settings.save_minutes or step == settings.steps):
            saved_at = time.monotonic()
            state = {"student": student.state_dict(), "optimizer": optimizer.state_dict()}
            torch.save({**state, "averaged": averaged, "step": step}, folder / "checkpoint.part")
            (folder / "checkpoint.part").replace(folder / "checkpoint.pt")
            (folder / "settings.json").write_text(json.dumps(asdict(settings), indent=1))


def network_of(folder: Path) -> EcapaTdnn:
    """The averaged network of a run, ready to embed."""
    saved = torch.load(folder / "checkpoint.pt", weights_only=True)["averaged"]
    prefix = "network."
    state = {name[len(prefix) :]: value for name, value in saved.items() if name.startswith(prefix)}
    network = EcapaTdnn(state["blocks.0.conv.conv.weight"].shape[0])
    network.load_state_dict(state)
    return network.eval()


def settings_from(options: dict) -> Settings:
    """Settings out of a dict that may hold other things as well."""
    names = {field.name for field in fields(Settings)}
    return Settings(**{name: value for name, value in options.items() if name in names})


def _average_gradients(student: Student, processes: int) -> None:
    if processes == 1:
        return
    gradients = [p.grad for p in student.parameters() if p.grad is not None]
    flat = torch.cat([g.reshape(-1) for g in gradients])
    dist.all_reduce(flat)
    for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(mean.view_as(gradient) / processes)


@torch.no_grad()
def _average_weights(averaged: dict[str, Tensor], student: Student, keep: float) -> None:
    for name, value in student.state_dict().items():
        if value.is_floating_point():
            averaged[name].lerp_(value, 1 - keep)
        else:
            averaged[name].copy_(value)


def _log(folder: Path, row: dict) -> None:
    line = json.dumps({k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()})
    with (folder / "log.jsonl").open("a") as file:
        file.write(line + "\n")
    print(line, flush=True)
