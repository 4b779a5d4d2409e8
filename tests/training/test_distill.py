"""The training loop on made-up targets: it learns, goes on where it stopped."""

import numpy as np
import torch
from torch.nn import functional as F

from speakerid.model.ecapa import EcapaTdnn
from speakerid.model.features import log_mel
from speakerid.training.crops import Batch
from speakerid.training.distill import (
    FRAMES_KEPT,
    Settings,
    Student,
    _mask,
    loss_of,
    network_of,
    rate_at,
    run,
)
from speakerid.training.widen import widen

SMALL = 32  # channels


class MadeUp:
    """Batches of four voices, each a chord of its own, with fixed targets."""

    def __init__(self, step: int):
        self.rng = np.random.default_rng(step)
        self.targets = F.normalize(
            torch.from_numpy(np.random.default_rng(1).normal(size=(4, 192))), dim=1
        ).float()

    def next(self) -> tuple[float, Batch]:
        who = self.rng.integers(4, size=8)
        t = np.arange(16_000) / 16_000
        waves = [np.sin(2 * np.pi * t * (150 + 130 * w)) + 0.1 * self.rng.normal(size=16_000) for w in who]
        ids = torch.arange(4)
        return 1.0, Batch(
            torch.from_numpy(np.stack(waves)).float() * 0.1,
            self.targets[who],
            torch.zeros(8, 49, FRAMES_KEPT),
            torch.from_numpy(who),
            torch.from_numpy(who),
            self.targets,
            ids,
            ids,
        )


def settings(steps: int) -> Settings:
    return Settings(channels=SMALL, steps=steps, decay=5, warm_up=2, rate=2e-3, averaging=0.5)


def test_it_learns_and_goes_on_where_it_stopped(tmp_path):
    started_at = []

    def feeder_from(step):
        started_at.append(step)
        return MadeUp(step)

    run(0, 1, tmp_path, feeder_from, settings(12), None)
    run(0, 1, tmp_path, feeder_from, settings(24), None)
    assert started_at == [0, 12]
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 24
    batch = MadeUp(99).next()[1]
    torch.manual_seed(0)
    fresh = EcapaTdnn(SMALL).eval()
    with torch.inference_mode():
        features = log_mel(batch.waves)
        before, after = (
            float((F.normalize(network(features), dim=1) * batch.targets).sum(1).mean())
            for network in (fresh, network_of(tmp_path))
        )
    assert after > before + 0.2


def test_the_loss_prefers_the_right_voice():
    torch.manual_seed(0)
    student, batch = Student(SMALL).train(), MadeUp(0).next()[1]
    loss, parts = loss_of(student, batch, settings(1))
    assert torch.isfinite(loss) and set(parts) == {"cosine", "contrast", "frames"}
    student.frames.bias.data.fill_(1.0)  # frames now differ from their targets of zero by one
    assert abs(loss_of(student, batch, settings(1))[1]["frames"] - FRAMES_KEPT) < 1e-2


def test_the_rate_rises_stays_and_falls_to_nothing():
    rates = [rate_at(step, Settings(steps=100, decay=50, warm_up=10, rate=1.0)) for step in range(101)]
    assert rates[0] == 0.1 and rates[10] == rates[50] == 1.0
    assert rates[75] == 0.5 and rates[100] == 0


def test_masks_silence_whole_filters_and_leave_the_rest():
    torch.manual_seed(0)
    features = torch.ones(50, 20, 80)
    masked = _mask(features)
    gone = masked == 0
    assert (gone.all(dim=1) == gone.any(dim=1)).all()  # a filter is silent all the time or never
    assert 0 < gone.float().mean() < 0.1
    assert gone.any(dim=2).any(dim=1).float().mean() < 0.9  # some crops keep everything


def test_a_widened_network_computes_what_the_narrow_one_did():
    torch.manual_seed(0)
    narrow = EcapaTdnn(SMALL).eval()
    wide = EcapaTdnn(2 * SMALL)
    wide.load_state_dict(widen(narrow.state_dict(), 2 * SMALL), strict=False)
    features = torch.randn(2, 60, 80)
    with torch.inference_mode():
        assert torch.allclose(narrow(features), wide.eval()(features), atol=1e-3)
