"""The overlap head: learned on pieces of one training speaker and of two at once."""

from pathlib import Path

import numpy as np

from speakerid.audio.format import RATE
from speakerid.evaluate.calibration import logistic
from speakerid.evaluate.subjects import PAUSE_POWER
from speakerid.model.embedder import Embedder
from speakerid.model.overlap import WINDOW_SECONDS, OverlapHead
from speakerid.training import augment
from speakerid.training import corpus as corpora
from speakerid.training.prepare import load_surroundings

PIECES, TEST_PIECES = 6000, 1000
LOUDER_DB = 6.0  # the second voice is at most so much louder or softer than the first
SPOILT_SHARE = 0.4
RIDGE = 30.0


def train_overlap(prepared: Path, encoder: Embedder, seed: int = 0) -> OverlapHead:
    """Learn the head and write it beside the model's weights."""
    corpus = corpora.load(prepared)
    held = corpora.held_out(corpus)
    around = load_surroundings(prepared)
    rows, two = _pieces(corpus.without(held), around, encoder, PIECES, seed)
    inputs = np.concatenate([rows, np.ones((len(rows), 1))], axis=1)
    weights = logistic(inputs, two, ridge=RIDGE / len(rows))
    head = OverlapHead(weights[:-1], float(weights[-1]))
    tests, truth = _pieces(corpus.only(held), around, encoder, TEST_PIECES, seed + 1)
    right = (head.log_odds(tests) > 0) == truth
    print(f"overlap: {right.mean():.1%} of pieces of {WINDOW_SECONDS:g} s right (held out)")
    head.save(encoder.id)
    return head


def _pieces(
    corpus: corpora.Corpus, around: augment.Surroundings, encoder: Embedder, count: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Unit embeddings [n, 192] of pieces, every other one of two voices, and which those are [n]."""
    rng = np.random.default_rng(seed)
    speakers = [clips for clips in corpus.by_speaker().values() if clips[0].labelled]
    length = int(WINDOW_SECONDS * RATE)

    def piece(speaker: int) -> np.ndarray:
        clips = speakers[speaker]
        audio = corpus.audio(clips[rng.integers(len(clips))])
        audio = np.resize(audio, max(len(audio), length))
        cut = audio[:length]
        for _ in range(8):
            start = int(rng.integers(len(audio) - length + 1))
            cut = audio[start : start + length]
            if np.mean(np.square(cut)) >= PAUSE_POWER * np.mean(np.square(audio)):
                break
        return cut / max(float(np.std(cut)), 1e-4)

    pieces = []
    for number in range(count):
        first, second = rng.choice(len(speakers), 2, replace=False)
        samples = piece(first)
        if number % 2:
            samples = samples + piece(second) * 10 ** (rng.uniform(-LOUDER_DB, LOUDER_DB) / 20)
        samples = (0.08 * samples).astype(np.float32)
        if rng.random() < SPOILT_SHARE:
            samples = augment.degrade(samples, around, samples[::-1].copy(), rng)
        pieces.append(samples)
    return encoder.embed(pieces), np.arange(count) % 2 == 1
