"""What training needs beside the network: decoded speech, rooms, noises, the teacher's last layers."""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from speakerid.audio.format import RATE
from speakerid.evaluate.campplus import Teacher
from speakerid.training import augment
from speakerid.training import corpus as corpora
from speakerid.training.crops import CLIP_SECONDS
from speakerid.training.head import TeacherHead, hear_head

SPEAKERS_HEARD = 300  # of a corpus at most, for the centre, the scales and the spread: none shall dominate
CLIPS_HEARD = 2  # of each of them
TOGETHER = 8  # clips that the teacher hears at once


def prepare_all(
    manifest: Path, split: str, noise: Path, out: Path, unlabelled: Path | None = None, seed: int = 0
) -> None:
    """Write samples.i16, clips.json, rooms.npz, noises.npz and head.safetensors to out."""
    corpus = corpora.prepare(manifest, split, out, unlabelled)
    np.savez(out / "noises.npz", *augment.load_noises(noise))
    np.savez(out / "rooms.npz", *augment.simulate_rooms(augment.ROOMS, seed))
    print(f"simulated {augment.ROOMS} rooms")
    training = corpus.without(corpora.held_out(corpus))
    head = _hear(training, seed)
    save_file({name: value.contiguous() for name, value in vars(head).items()}, out / "head.safetensors")
    print("heard the teacher")


def load_surroundings(folder: Path) -> augment.Surroundings:
    def arrays(name: str) -> list[np.ndarray]:
        with np.load(folder / name) as stored:
            return [stored[key] for key in stored.files]

    return augment.Surroundings(arrays("rooms.npz"), arrays("noises.npz"))


def load_head(folder: Path) -> TeacherHead:
    return TeacherHead(**load_file(folder / "head.safetensors"))


def _hear(corpus: corpora.Corpus, seed: int) -> TeacherHead:
    """The teacher's last layers, centred and scaled by clips of many speakers of each corpus."""
    rng = np.random.default_rng(seed)
    teacher, length = Teacher(), int(CLIP_SECONDS * RATE)
    speakers = [clips for clips in corpus.by_speaker().values() if clips[0].labelled]
    chosen: list[int] = []
    for name in sorted({clips[0].corpus for clips in speakers}):
        of_it = [number for number, clips in enumerate(speakers) if clips[0].corpus == name]
        chosen += rng.permutation(of_it)[:SPEAKERS_HEARD].tolist() * CLIPS_HEARD
    embeddings, frames = [], []
    for start in range(0, len(chosen), TOGETHER):
        clips = [speakers[number] for number in chosen[start : start + TOGETHER]]
        waves = [np.resize(corpus.audio(c[rng.integers(len(c))]), length) for c in clips]
        embedding, frame = teacher.embed(np.stack(waves))
        embeddings.append(embedding)
        frames += list(frame)
    dense = teacher.network.xvector.dense
    return hear_head(
        frames,
        torch.cat(embeddings),
        torch.tensor(chosen),
        dense.linear.weight[..., 0].detach(),
        dense.nonlinear.batchnorm,
    )
