"""The gender head: learned on the adults of the training speakers, its certainty on those held out."""

from pathlib import Path

import numpy as np

from speakerid.audio.format import RATE
from speakerid.evaluate.calibration import logistic
from speakerid.evaluate.gender import adult, discriminant
from speakerid.evaluate.subjects import PAUSE_POWER
from speakerid.identify.gender import SURE, GenderHead
from speakerid.model.embedder import Embedder
from speakerid.training import augment
from speakerid.training import corpus as corpora
from speakerid.training.prepare import load_surroundings

PIECES = 12  # a speaker
SECONDS = (1.0, 1.5, 2.0, 3.0)
SPOILT_SHARE = 0.15


def train_gender(prepared: Path, encoder: Embedder, seed: int = 0) -> GenderHead:
    """Learn the head and write it beside the model's calibration."""
    corpus = corpora.load(prepared)
    held = corpora.held_out(corpus)
    around = load_surroundings(prepared)
    rows, female = _pieces(corpus.without(held), around, encoder, seed)
    direction = discriminant(rows, female)
    tests, truth = _pieces(corpus.only(held), around, encoder, seed + 1)
    # Slope and offset are learned on voices that it has not learned from, of which it is less sure.
    slope, offset = logistic(np.stack([tests @ direction, np.ones(len(tests))], axis=1), truth)
    head = GenderHead(slope * direction, float(offset))
    probability = head.female(tests)
    sure = np.maximum(probability, 1 - probability) >= SURE
    right = (probability > 0.5) == truth
    print(f"gender: {sure.mean():.1%} answered, {right[sure].mean():.1%} of them right (held out)")
    head.save(encoder.id)
    return head


def _pieces(
    corpus: corpora.Corpus, around: augment.Surroundings, encoder: Embedder, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Unit embeddings [n, 192] of short pieces of adults, some of them spoilt, and who is female [n]."""
    rng = np.random.default_rng(seed)
    pieces, female = [], []
    for clips in corpus.by_speaker().values():
        if clips[0].sex not in {"f", "m"} or not adult(clips[0].age):
            continue
        for _ in range(PIECES):
            audio = corpus.audio(clips[rng.integers(len(clips))])
            length = int(rng.choice(SECONDS) * RATE)
            start = int(rng.integers(max(1, len(audio) - length)))
            piece = np.ascontiguousarray(audio[start : start + length])
            if np.mean(np.square(piece)) < PAUSE_POWER * np.mean(np.square(audio)):
                continue
            if rng.random() < SPOILT_SHARE:
                piece = augment.degrade(piece, around, corpus.audio(clips[0]), rng)
            pieces.append(piece)
            female.append(clips[0].sex == "f")
    return encoder.embed(pieces), np.array(female)
