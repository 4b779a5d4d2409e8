"""Train the segmentation network of speakerid/model/segmentation.py on made-up meetings.

A network hears meetings of a minute in pieces of 12 s and carries its memory from piece to piece, as it will
in a stream. Beside the loss of slots.py it is asked, of each frame in which one voice speaks alone, for that
voice's embedding: a hint at what tells voices apart, which the slots need.

Meetings are made on the way and kept in a pool, in which each is heard a few times.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from speakerid.model.mel import BANDS
from speakerid.model.segmentation import (
    CONTEXT,
    DELAY,
    FRAMES_A_STEP,
    INPUTS,
    LAYERS,
    NARROW,
    SETS,
    WIDE,
)
from speakerid.training import corpus as corpora
from speakerid.training.meetings import MeetingSource
from speakerid.training.precision import fast_numbers
from speakerid.training.prepare import load_surroundings
from speakerid.training.segmentation_examples import Example, Pool, Voices, example_of
from speakerid.training.segmentation_run import Run, RunSettings, settings_of
from speakerid.training.slots import count_loss_of, loss_of

TEST_MEETINGS, TEST_SEED = 16, 99


@dataclass
class SegmentationSettings(RunSettings):
    steps: int = 12_000
    rate: float = 2e-3
    warm_up: int = 100
    averaging: float = 0.998
    meetings: int = 24  # heard side by side
    piece: int = 375  # steps of the network (12 s) of each that a step of training hears
    fresh: float = 0.6  # meetings a step that enter the pool
    first: int = 48  # meetings before the first step
    pool: int = 700
    hint: float = 0.5  # weight of the voices' embeddings in the loss


class SegmentationNetwork(nn.Module):
    """Features [b, s, 320] -> logits of the sets of voices [b, s, 2, 7], `DELAY` steps late."""

    def __init__(self, hint: int = 192):
        super().__init__()
        self.first = nn.Conv1d(INPUTS, NARROW, CONTEXT + 1)
        self.second = nn.Conv1d(NARROW, NARROW, CONTEXT + 1)
        self.norm = nn.LayerNorm(NARROW)
        self.memory = nn.LSTM(NARROW, WIDE, num_layers=LAYERS, batch_first=True)
        self.inner = nn.Linear(WIDE + NARROW, NARROW)
        self.out = nn.Linear(NARROW, FRAMES_A_STEP * len(SETS))
        self.voice = nn.Linear(NARROW, hint)

    def forward(self, features: Tensor, states: list[Tensor]) -> tuple[Tensor, Tensor, list[Tensor]]:
        """-> logits, embeddings of who speaks alone [b, s, 192], and the states after it."""
        with fast_numbers():
            heard = torch.cat([states[0], features], dim=1)
            x = F.relu(self.first(heard.transpose(1, 2))).transpose(1, 2).float()
            context = torch.cat([states[1], x], dim=1)
            y = F.relu(self.second(context.transpose(1, 2))).transpose(1, 2).float()
            y = self.norm(y + x)
            z, (memory, cells) = self.memory(y, (states[2], states[3]))
            inner = F.relu(self.inner(torch.cat([z.float(), y], dim=2)))
            logits, voice = self.out(inner), self.voice(inner)
        after = [heard[:, -CONTEXT:], context[:, -CONTEXT:], memory.float(), cells.float()]
        logits = logits.float().unflatten(2, (FRAMES_A_STEP, len(SETS)))
        return logits, F.normalize(voice.float(), dim=2), after

    @staticmethod
    def silence(count: int) -> list[Tensor]:
        """States of `count` streams before they begin."""
        shapes = [(count, CONTEXT, INPUTS), (count, CONTEXT, NARROW), *[(LAYERS, count, WIDE)] * 2]
        return [torch.zeros(shape) for shape in shapes]


def train_segmentation(prepared: Path, out: Path, options: dict) -> None:
    """Train until `steps`, going on from out/checkpoint.pt where there is one; out/log.jsonl tells how."""
    torch.set_num_threads(1)
    settings = settings_of(SegmentationSettings, options)
    torch.manual_seed(settings.seed)
    network = SegmentationNetwork()
    run = Run(out, network, settings)
    corpus, around = corpora.load(prepared), load_surroundings(prepared)
    held = corpora.held_out(corpus)
    source = MeetingSource(corpus.without(held), around, [settings.seed, run.step])
    tests = _tests(MeetingSource(corpus.only(held), around, TEST_SEED))
    pool = Pool(source, settings.pool)
    pool.grow(settings.first)
    examples, states, at = [], [], 0
    run.start_clock()
    while not run.ended:
        if not examples or at + settings.piece > len(examples[0].features):
            examples = pool.draw(settings.meetings)
            states, at = network.silence(len(examples)), 0
        loss, parts, states = _learn(network, examples, at, states, settings)
        run.learn(loss)
        at += settings.piece
        pool.grow(settings.fresh)
        run.record(parts, lambda averaged: _test(averaged, tests))


def network_of(run_folder: Path) -> SegmentationNetwork:
    """The averaged network of a run."""
    network = SegmentationNetwork()
    network.load_state_dict(torch.load(run_folder / "checkpoint.pt", weights_only=True)["averaged"])
    return network.eval()


def _learn(
    network: SegmentationNetwork,
    examples: list[Example],
    at: int,
    states: list[Tensor],
    settings: SegmentationSettings,
) -> tuple[Tensor, dict[str, float], list[Tensor]]:
    piece = slice(at, at + settings.piece)
    features = torch.from_numpy(np.stack([e.features[piece] for e in examples])).float()
    truth = slice(max(at - DELAY, 0), at + settings.piece - DELAY)
    sets = torch.from_numpy(np.stack([e.sets[truth] for e in examples])).flatten(1)
    alone = torch.from_numpy(np.stack([e.alone[truth, 0] for e in examples]))
    voices = torch.from_numpy(np.stack([e.voices for e in examples]))
    logits, guesses, after = network(_masked(features), states)
    early = features.shape[1] - alone.shape[1]  # steps before the recording's first
    logits, guesses = logits[:, early:].flatten(1, 2), guesses[:, early:]
    loss, renamed = loss_of(logits, sets)
    counts = count_loss_of(logits, sets)
    wanted = voices[torch.arange(len(examples))[:, None], alone]
    known = (alone >= 0) & (wanted.abs().sum(dim=2) > 0)
    cosine = (guesses * wanted).sum(dim=2)[known].mean()
    parts = {
        "loss": float(loss.detach()),
        "counts": float(counts.detach()),
        "cosine": float(cosine.detach()),
        "right": float((logits.argmax(dim=2) == renamed).float().mean()),
    }
    return loss + counts + settings.hint * (1 - cosine), parts, [state.detach() for state in after]


def _masked(features: Tensor) -> Tensor:
    """Some mel bands silenced in a third of the rows [b, s, 320] (SpecAugment, arXiv:1904.08779)."""
    count, bands = len(features), BANDS
    low, width = torch.rand(count, 1) * bands, torch.rand(count, 1) * 10 * (torch.rand(count, 1) < 0.33)
    band = torch.arange(INPUTS) % bands
    return features.masked_fill(((band >= low) & (band < low + width))[:, None], 0.0)


def _tests(source: MeetingSource) -> list[Example]:
    voices = Voices(source)
    return [example_of(source.meeting(), voices) for _ in range(TEST_MEETINGS)]


@torch.no_grad()
def _test(state: dict[str, Tensor], tests: list[Example]) -> dict[str, float]:
    """Figures of a network on meetings of speakers held out."""
    network = SegmentationNetwork()
    network.load_state_dict(state)
    features = torch.from_numpy(np.stack([e.features for e in tests])).float()
    logits, _, _ = network.eval()(features, network.silence(len(tests)))
    logits = logits[:, DELAY:].flatten(1, 2)
    sets = torch.from_numpy(np.stack([e.sets for e in tests])).flatten(1)[:, : logits.shape[1]]
    loss, renamed = loss_of(logits, sets)
    return {"loss": float(loss), **figures(logits.argmax(dim=2).numpy(), renamed.numpy())}


def figures(found: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Sets of voices found [b, t] against the truth, renamed to fit: diarization error (missed, false alarm
    and confused voices a voice), and precision and recall of overlap."""
    members = np.array([[voice in one for voice in range(3)] for one in SETS])
    f, t = members[found], members[truth]
    count_f, count_t = f.sum(axis=2), t.sum(axis=2)
    both = (f & t).sum(axis=2)
    two_f, two_t = count_f > 1, count_t > 1
    return {
        "der": float((np.maximum(count_f, count_t) - both).sum() / count_t.sum()),
        "miss": float(np.maximum(count_t - count_f, 0).sum() / count_t.sum()),
        "false_alarm": float(np.maximum(count_f - count_t, 0).sum() / count_t.sum()),
        "overlap_precision": float((two_f & two_t).sum() / max(two_f.sum(), 1)),
        "overlap_recall": float((two_f & two_t).sum() / max(two_t.sum(), 1)),
    }
