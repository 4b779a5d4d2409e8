"""Endless training crops: a pool of warped voices that the teacher has heard, and crops out of it.

The teacher hears each voice clean and at length; the student hears a short, spoilt piece of it and is asked
for what the teacher said of the whole. That a piece is worth the whole is what makes short windows strong.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from speakerid.audio.format import RATE
from speakerid.evaluate.campplus import FRAME_SAMPLES, Teacher
from speakerid.training import augment, voices
from speakerid.training.corpus import Clip, Corpus
from speakerid.training.head import TeacherHead
from speakerid.training.precision import fast_numbers

CLIP_SECONDS = 4.0
NOBODY = -1  # the number of every speaker whom nobody knows
SHORTEST_CLIP = 1.6  # seconds; shorter recordings are repeated
SPOILT_SHARE = 0.55  # of the crops
# Of the voices, two or three people at once: a student that copies a teacher learns from whatever the teacher
# has an answer to, and mixtures are endless (Beyer et al., "A good teacher is patient and consistent",
# arXiv:2106.05237).
MIXED_SHARE = 0.35
THIRD_SHARE = 0.25  # of the mixtures
MIXED_DB = (-14.0, 0.0)  # level of a further voice against the first
OWN_SHARE = 0.5  # of the target: the clip's own embedding; the rest is the mean over the voice's clips


@dataclass(frozen=True)
class Pooled:
    wave: np.ndarray  # float32 [n]
    target: Tensor  # [192], unit length
    voice: Tensor  # [192], unit length: mean over the voice's clips
    frames: Tensor  # [about n/320, k] float16, standardised
    speaker: int
    voice_id: int


@dataclass(frozen=True)
class Batch:
    """b crops of one length."""

    waves: Tensor  # [b, n]
    targets: Tensor  # [b, 192]
    frames: Tensor  # [b, n // 320 - 1, k] float16
    speakers: Tensor  # [b], NOBODY for unlabelled recordings
    voice_ids: Tensor  # [b]
    pool_voices: Tensor  # [v, 192]: one target a voice in the pool
    pool_speakers: Tensor  # [v]
    pool_ids: Tensor  # [v]

    def to(self, device: torch.device) -> "Batch":
        return Batch(**{name: value.to(device, non_blocking=True) for name, value in vars(self).items()})


class CropSource:
    """Keeps the pool and draws batches from it.

    Args:
        weights: how often each corpus is drawn, by the start of its name.
    """

    def __init__(
        self,
        corpus: Corpus,
        teacher: Teacher,
        head: TeacherHead,
        around: augment.Surroundings,
        weights: dict[str, float],
        seed: int | list[int],
        capacity: int = 2000,
    ):
        self.corpus, self.teacher, self.head, self.around = corpus, teacher, head, around
        self.rng = np.random.default_rng(seed)
        self.capacity = capacity
        self.pool: list[Pooled] = []
        self._next_voice = 0
        self._speakers = corpus.by_speaker()
        self._numbers = {
            speaker: k if self._speakers[speaker][0].labelled else NOBODY
            for k, speaker in enumerate(sorted(self._speakers))
        }
        self._by_corpus: list[tuple[float, list[str]]] = []
        for prefix, weight in weights.items():
            names = [s for s, clips in self._speakers.items() if clips[0].corpus.startswith(prefix)]
            if names:
                self._by_corpus.append((weight, sorted(names)))

    def grow(self, new_voices: int) -> None:
        """Add so many voices, two clips each; the oldest leave when the pool is full."""
        waves, owners = [], []
        for _ in range(new_voices):
            speaker = self._draw_speaker()
            both = self._voice(speaker)
            for _ in range(self._further_voices()):
                gain = 10 ** (self.rng.uniform(*MIXED_DB) / 20)
                others = self._voice(self._draw_speaker())
                both = [_mixed(wave, other, gain) for wave, other in zip(both, others, strict=True)]
            waves += both
            owners += [(self._numbers[speaker], self._next_voice)] * 2
            self._next_voice += 1
        with fast_numbers():
            embeddings, frames = (part.float() for part in self.teacher.embed(np.stack(waves)))
        targets = F.normalize(self.head.whiten(embeddings), dim=1)
        frames = self.head.standardise(frames)
        for k, (wave, (speaker, voice)) in enumerate(zip(waves, owners, strict=True)):
            mean = F.normalize(targets[k // 2 * 2 : k // 2 * 2 + 2].mean(dim=0), dim=0)
            target = F.normalize(OWN_SHARE * targets[k] + (1 - OWN_SHARE) * mean, dim=0)
            self.pool.append(Pooled(wave, target, mean, frames[k].half(), speaker, voice))
        del self.pool[: max(0, len(self.pool) - self.capacity)]

    def batch(self, seconds: float, count: int) -> Batch:
        """Crops of so many seconds, some of them spoilt."""
        length = int(seconds * RATE) // FRAME_SAMPLES * FRAME_SAMPLES
        waves, frames, chosen = [], [], []
        for index in self.rng.choice(len(self.pool), count, replace=False):
            item = self.pool[index]
            start = self._audible_start(item.wave, length)
            wave = item.wave[start : start + length]
            if self.rng.random() < SPOILT_SHARE:
                other = self.pool[self.rng.integers(len(self.pool))].wave
                wave = augment.degrade(wave, self.around, other, self.rng)
            first = start // FRAME_SAMPLES
            waves.append(torch.from_numpy(np.ascontiguousarray(wave)))
            frames.append(item.frames[first : first + length // FRAME_SAMPLES - 1])
            chosen.append(item)
        known = {item.voice_id: item for item in self.pool}.values()
        return Batch(
            torch.stack(waves),
            torch.stack([item.target for item in chosen]),
            torch.stack(frames),
            torch.tensor([item.speaker for item in chosen]),
            torch.tensor([item.voice_id for item in chosen]),
            torch.stack([item.voice for item in known]),
            torch.tensor([item.speaker for item in known]),
            torch.tensor([item.voice_id for item in known]),
        )

    def _draw_speaker(self) -> str:
        weights = np.array([weight for weight, _ in self._by_corpus])
        names = self._by_corpus[self.rng.choice(len(weights), p=weights / weights.sum())][1]
        return names[self.rng.integers(len(names))]

    def _further_voices(self) -> int:
        """How many people speak at once with the first."""
        if self.rng.random() >= MIXED_SHARE:
            return 0
        return 2 if self.rng.random() < THIRD_SHARE else 1

    def _voice(self, speaker: str) -> list[np.ndarray]:
        """Two pieces [CLIP_SECONDS] of a speaker, warped alike."""
        warp = voices.draw(self.rng)
        return [self._piece(clip, warp) for clip in self._draw_clips(self._speakers[speaker])]

    def _draw_clips(self, clips: list[Clip]) -> list[Clip]:
        return [clips[k] for k in self.rng.choice(len(clips), 2, replace=len(clips) < 2)]

    def _piece(self, clip: Clip, warp: voices.Warp) -> np.ndarray:
        wanted = int(CLIP_SECONDS * RATE * warp.speed / voices.SPEED_UNIT) + voices.FFT
        samples = self.corpus.audio(clip)
        if len(samples) < wanted:
            samples = np.resize(samples, max(wanted, int(SHORTEST_CLIP * RATE)))
        start = self.rng.integers(len(samples) - wanted + 1)
        return voices.render(samples[start : start + wanted], warp)[: int(CLIP_SECONDS * RATE)]

    def _audible_start(self, wave: np.ndarray, length: int) -> int:
        """Where a crop of that length starts that is not mostly a pause."""
        last = (len(wave) - length) // FRAME_SAMPLES
        loud = float(np.mean(np.square(wave))) * 0.25
        for _ in range(8):
            start = int(self.rng.integers(last + 1)) * FRAME_SAMPLES
            if float(np.mean(np.square(wave[start : start + length]))) >= loud:
                return start
        return 0


def _mixed(wave: np.ndarray, other: np.ndarray, gain: float) -> np.ndarray:
    """Two voices at once, the other one louder by `gain` than the first."""
    louder = gain * float(np.std(wave)) / max(float(np.std(other)), 1e-6)
    return (wave + louder * other).astype(np.float32)
