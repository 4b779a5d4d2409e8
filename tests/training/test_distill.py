"""The training loop on made-up targets: it learns, goes on where it stopped, is averaged and shipped."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.multiprocessing as mp
from torch.nn import functional as F

from speakerid.errors import ModelError
from speakerid.model.ecapa import EcapaTdnn
from speakerid.model.features import log_mel
from speakerid.training.crops import NOBODY, Batch
from speakerid.training.devices import Place, among
from speakerid.training.distill import Settings, network_of, rate_at, run
from speakerid.training.head import TeacherHead, hear_head, lay_into, whitening_of
from speakerid.training.ship import mean
from speakerid.training.student import Student, Weighting, _mask, loss_of
from speakerid.training.widen import widen

SMALL = 32  # channels
FRAMES = 40  # channels of the made-up teacher's frames


class MadeUpTeacher:
    """Ends as CAM++ does: frames, their mean and deviation, a linear layer, a batch normalisation."""

    def __init__(self):
        torch.manual_seed(5)
        self.dense = torch.nn.Linear(2 * FRAMES, 192, bias=False)
        self.norm = torch.nn.BatchNorm1d(192, affine=False)
        self.norm(3 * torch.randn(400, 192) + 1)  # statistics of its own
        self.norm.eval()

    def frames(self, clips: int) -> torch.Tensor:
        return torch.relu(torch.randn(clips, 50, FRAMES) * torch.linspace(0.2, 3, FRAMES) + 0.3)

    @torch.no_grad()
    def embed(self, frames: torch.Tensor) -> torch.Tensor:
        return self.norm(self.dense(torch.cat([frames.mean(1), frames.std(1)], dim=1)))

    def head(self) -> TeacherHead:
        clips = self.frames(60)
        speakers = torch.arange(60) % 20
        return hear_head(list(clips), self.embed(clips), speakers, self.dense.weight.detach(), self.norm)


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
            torch.zeros(8, 49, FRAMES, dtype=torch.float16),
            torch.from_numpy(who),
            torch.from_numpy(who),
            self.targets,
            ids,
            ids,
        )


def settings(steps: int) -> Settings:
    return Settings(channels=SMALL, steps=steps, decay=5, warm_up=2, rate=2e-3, averaging=0.5, compile=False)


def test_it_learns_and_goes_on_where_it_stopped(tmp_path):
    started_at = []

    def feeder_from(step):
        started_at.append(step)
        return MadeUp(step)

    head = a_head()
    run(Place(), tmp_path, feeder_from, settings(12), head, None)
    run(Place(), tmp_path, feeder_from, settings(24), head, None)
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


def _one_of_two(rank: int, folder: Path) -> None:
    torch.set_num_threads(1)
    run(among(rank, 2, folder), folder, lambda step: MadeUp(step + rank), settings(6), a_head(), None)


def a_head() -> TeacherHead:
    return MadeUpTeacher().head()


def test_two_processes_train_one_network(tmp_path):
    """Each on crops of its own, with the mean of their gradients, as torchrun does on CUDA devices."""
    mp.spawn(_one_of_two, (tmp_path,), 2)
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 6
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == 1  # only one of them writes


def test_the_average_of_the_weights_follows_them(tmp_path):
    run(Place(), tmp_path, MadeUp, settings(12), a_head(), None)
    saved = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    name = "network.fc.conv.weight"
    now, mean_of_late = saved["student"][name], saved["averaged"][name]
    assert not torch.equal(now, mean_of_late) and torch.allclose(now, mean_of_late, atol=0.02)


def test_the_loss_knows_a_right_answer():
    student, batch = Student(SMALL, MadeUpTeacher().head()).train(), MadeUp(0).next()[1]
    loss, parts = loss_of(student, student.importance, batch, Weighting())
    assert torch.isfinite(loss) and set(parts) == {"cosine", "contrast", "frames"}
    right = lambda _: (batch.targets, batch.frames.float())  # noqa: E731
    best, parts = loss_of(right, student.importance, batch, Weighting())
    assert abs(parts["cosine"] - 1) < 1e-5 and parts["frames"] == 0 and best < loss


def test_the_head_makes_the_teachers_embedding_out_of_its_frames():
    teacher = MadeUpTeacher()
    head = teacher.head()
    frames = teacher.frames(7)
    expected = head.whiten(teacher.embed(frames))
    assert torch.allclose(head.embed(head.standardise(frames)), expected, atol=1e-3)


def test_whoever_is_unlabelled_is_nobodys_rival():
    """The recording may be of anybody in the pool, so nothing pushes the two apart."""
    student = Student(SMALL, MadeUpTeacher().head()).eval()
    _, batch = MadeUp(0).next()
    nobody = torch.full_like(batch.pool_speakers, NOBODY)

    def contrast(speakers: torch.Tensor, pool: torch.Tensor) -> float:
        changed = replace(batch, speakers=speakers, pool_speakers=pool)
        return loss_of(student, student.importance, changed, Weighting())[1]["contrast"]

    assert contrast(batch.speakers, batch.pool_speakers) > 0.1
    assert contrast(batch.speakers, nobody) == pytest.approx(0, abs=1e-6)
    assert contrast(torch.full_like(batch.speakers, NOBODY), batch.pool_speakers) == pytest.approx(
        0, abs=1e-6
    )


def test_whitening_takes_away_what_speakers_have_in_common():
    torch.manual_seed(3)
    speakers = torch.arange(400) % 200
    accent = F.one_hot(torch.tensor(0), 192) * torch.where(speakers < 100, 12.0, -12.0)[:, None]
    voices = torch.randn(200, 192)[speakers] + 0.3 * torch.randn(400, 192) + accent
    whitening = whitening_of(voices, speakers)
    alike = F.normalize(voices, dim=1) @ F.normalize(voices, dim=1).T
    after = F.normalize(voices @ whitening, dim=1)
    strangers = (speakers[:, None] != speakers) & ((speakers[:, None] < 100) == (speakers < 100))
    assert (after @ after.T)[strangers].mean() < 0.5 * alike[strangers].mean()
    assert torch.allclose(whitening, whitening.T, atol=1e-6)
    # Without anything in common it leaves everything nearly as it was.
    plain = torch.randn(4000, 192)
    even = whitening_of(plain, torch.arange(4000))
    assert F.cosine_similarity(plain @ even, plain).min() > 0.99


def test_a_network_whose_first_channels_are_the_teachers_frames_embeds_as_the_teacher_does():
    teacher = MadeUpTeacher()
    head = teacher.head()
    network = EcapaTdnn(SMALL).eval()
    lay_into(network, head)
    frames = teacher.frames(7)
    inside = torch.cat([head.standardise(frames), torch.randn(7, 50, 3 * SMALL - FRAMES)], dim=2)
    with torch.inference_mode():
        embedded = network.pool(inside)
    expected = head.whiten(teacher.embed(frames))
    assert F.cosine_similarity(embedded, expected).min() > 0.99  # its deviation divides by n, not n - 1


def test_the_rate_rises_stays_and_falls_to_nothing():
    rates = [rate_at(step, Settings(steps=100, decay=50, warm_up=10, rate=1.0)) for step in range(101)]
    assert rates[0] == 0.1 and rates[10] == rates[50] == 1.0
    assert rates[75] == 0.5 and rates[100] == 0
    assert rate_at(40, Settings(steps=80, warm_up=10, rate=1.0)) == 0.5  # all the way


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


def test_weights_of_one_network_are_averaged_and_others_refused():
    one, two, wide = (dict(EcapaTdnn(channels).named_parameters()) for channels in (SMALL, SMALL, 2 * SMALL))
    name = "fc.conv.weight"
    assert torch.allclose(mean([one, two])[name], (one[name] + two[name]) / 2)
    assert torch.allclose(mean([one, two], 0.7)[name], 0.7 * one[name] + 0.3 * two[name], atol=1e-6)
    assert torch.equal(mean([one])[name], one[name])
    with pytest.raises(ModelError, match="different widths"):
        mean([one, wide])
