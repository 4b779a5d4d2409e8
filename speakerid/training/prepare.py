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

CLIPS_HEARD = 800  # for the centre and the scales


def prepare_all(manifest: Path, split: str, noise: Path, out: Path, seed: int = 0) -> None:
    """Write samples.i16, clips.json, rooms.npz, noises.npz and head.safetensors to out."""
    corpus = corpora.prepare(manifest, split, out)
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
    """The teacher's last layers, centred and scaled by clips in which every speaker counts alike."""
    rng = np.random.default_rng(seed)
    teacher, length = Teacher(), int(CLIP_SECONDS * RATE)
    speakers = list(corpus.by_speaker().values())
    embeddings, frames, heard = [], [], []
    for start in range(0, CLIPS_HEARD, 8):
        turn = [k % len(speakers) for k in range(start, start + 8)]
        clips = [speakers[k] for k in turn]
        waves = [np.resize(corpus.audio(c[rng.integers(len(c))]), length) for c in clips]
        embedding, frame = teacher.embed(np.stack(waves))
        embeddings.append(embedding)
        frames += list(frame)
        heard += turn
    dense = teacher.network.xvector.dense
    return hear_head(
        frames,
        torch.cat(embeddings),
        torch.tensor(heard),
        dense.linear.weight[..., 0].detach(),
        dense.nonlinear.batchnorm,
    )
