"""The training speech: decoded, split by speaker, and with recordings of which nobody knows who speaks."""

import csv
import wave

import numpy as np
import pytest

from speakerid.training import corpus as corpora
from speakerid.training.corpus import FIRST, HELD_OUT_SHARE, held_out, prepare


@pytest.fixture
def manifest(tmp_path):
    """Twenty labelled speakers of two corpora, and three recordings without a label."""
    rng = np.random.default_rng(3)

    def record(name: str) -> str:
        with wave.open(str(tmp_path / name), "wb") as file:
            file.setparams((1, 2, 16_000, 0, "NONE", ""))
            file.writeframes((3000 * rng.standard_normal(8000)).astype("<i2").tobytes())
        return name

    columns = ["path", "corpus", "speaker", "sex", "age", "split", "seconds", "language"]
    rows = [
        [record(f"{corpus}-{k}.wav"), corpus, f"{corpus}-{k}", "f", "30", "train", "0.5", "cs"]
        for corpus in (FIRST[1], "common-voice")
        for k in range(10)
    ]
    _write(tmp_path / "manifest.csv", columns, rows)
    unknown = [[record(f"unknown-{k}.wav"), "common-voice", "pt", "CC0-1.0", "0.5"] for k in range(3)]
    _write(tmp_path / "unlabelled.csv", ["path", "corpus", "language", "licence", "seconds"], unknown)
    return tmp_path


def _write(path, columns, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])


def test_unlabelled_recordings_are_voices_of_their_own_and_never_held_out(manifest):
    corpus = prepare(
        manifest / "manifest.csv",
        "train",
        manifest / "out",
        manifest / "unlabelled.csv",
        report=lambda _: None,
    )
    unlabelled = [clip for clip in corpus.clips if not clip.labelled]
    assert len(corpus.clips) == 23
    assert len({clip.speaker for clip in unlabelled}) == 3
    assert {clip.language for clip in unlabelled} == {"pt"}
    held = held_out(corpus)
    assert not held & {clip.speaker for clip in unlabelled}
    assert len(held) == 2 * max(1, round(10 * HELD_OUT_SHARE))
    assert corpora.load(manifest / "out").clips == corpus.clips


def test_who_was_held_out_of_the_first_network_stays_held_out(manifest):
    """Its weights are what the next one begins with."""
    everybody = prepare(manifest / "manifest.csv", "train", manifest / "out", report=lambda _: None)
    first = corpora.Corpus([c for c in everybody.clips if c.corpus in FIRST], everybody.samples)
    assert held_out(first) <= held_out(everybody)
