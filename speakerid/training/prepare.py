"""What training needs beside the network: decoded speech, rooms, noises, the teacher's centre and axes."""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from speakerid.audio.format import RATE
from speakerid.evaluate.campplus import Teacher
from speakerid.training import augment
from speakerid.training import corpus as corpora
from speakerid.training.crops import CLIP_SECONDS, Projection

FRAMES_KEPT = 96  # principal axes of the teacher's frames that the student copies
CLIPS_HEARD = 800  # for the centre and the axes


def prepare_all(manifest: Path, split: str, noise: Path, out: Path, seed: int = 0) -> None:
    """Write samples.i16, clips.json, rooms.npz, noises.npz and projection.safetensors to out."""
    corpus = corpora.prepare(manifest, split, out)
    np.savez(out / "noises.npz", *augment.load_noises(noise))
    np.savez(out / "rooms.npz", *augment.simulate_rooms(augment.ROOMS, seed))
    print(f"simulated {augment.ROOMS} rooms")
    training = corpus.without(corpora.held_out(corpus))
    projection = _hear(training, seed)
    save_file(
        {name: value.contiguous() for name, value in vars(projection).items()}, out / "projection.safetensors"
    )
    print("heard the teacher's centre and axes")


def load_surroundings(folder: Path) -> augment.Surroundings:
    def arrays(name: str) -> list[np.ndarray]:
        with np.load(folder / name) as stored:
            return [stored[key] for key in stored.files]

    return augment.Surroundings(arrays("rooms.npz"), arrays("noises.npz"))


def load_projection(folder: Path) -> Projection:
    return Projection(**load_file(folder / "projection.safetensors"))


def _hear(corpus: corpora.Corpus, seed: int) -> Projection:
    """Centre of the teacher's embeddings with every speaker counting alike, and its frames' main axes."""
    rng = np.random.default_rng(seed)
    teacher, length = Teacher(), int(CLIP_SECONDS * RATE)
    speakers = list(corpus.by_speaker().values())
    embeddings, frames = [], []
    for start in range(0, CLIPS_HEARD, 8):
        clips = [speakers[k % len(speakers)] for k in range(start, start + 8)]
        waves = [np.resize(corpus.audio(c[rng.integers(len(c))]), length) for c in clips]
        embedding, frame = teacher.embed(np.stack(waves))
        embeddings.append(embedding)
        frames.append(frame[:, ::7].reshape(-1, frame.shape[2]))
    every = torch.cat(frames)
    mean = every.mean(dim=0)
    _, singular, axes = torch.linalg.svd((every - mean) / len(every) ** 0.5, full_matrices=False)
    scale = singular[:FRAMES_KEPT].square().sum().sqrt()
    return Projection(torch.cat(embeddings).mean(dim=0), mean, axes[:FRAMES_KEPT].T / scale)
