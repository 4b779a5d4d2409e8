"""The test voices as a corpus that was prepared for training."""

import json
from pathlib import Path

import numpy as np
import pytest
from support import voices

from speakerid.training.corpus import Clip, Corpus


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    """Every turn of the test voices as a clip."""
    pieces, clips, at = [], [], 0
    for name in voices.PEOPLE:
        for number in range(4):
            piece = voices.turn(name, number)
            clips.append(Clip("librispeech-test", name, "", "", at, at + len(piece)))
            pieces.append(piece)
            at += len(piece)
    samples = np.round(np.clip(np.concatenate(pieces), -1, 1) * 32767).astype("<i2")
    return Corpus(clips, samples)


@pytest.fixture(scope="session")
def prepared(corpus, tmp_path_factory) -> Path:
    """That corpus as `prepare` leaves it, without rooms and noises."""
    folder = tmp_path_factory.mktemp("prepared")
    corpus.samples.tofile(folder / "samples.i16")
    (folder / "clips.json").write_text(json.dumps([vars(clip) for clip in corpus.clips]))
    for name in ("rooms", "noises"):
        np.savez(folder / f"{name}.npz")
    return folder
