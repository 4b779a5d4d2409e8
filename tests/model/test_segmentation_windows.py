"""Who speaks when in recordings: the shipped network over windows, on the test voices."""

import numpy as np
import pytest
from support import voices

from speakerid.errors import ModelError
from speakerid.model.segmentation import FRAME, Segmenter
from speakerid.model.segmentation_windows import WEIGHTS_FILE, WindowSegmenter

RATE = voices.RATE


@pytest.fixture(scope="module")
def meeting() -> tuple[np.ndarray, np.ndarray]:
    """Alice and Bruno in turn, each coming in over the other for half a second; bool [2, t] of who speaks."""
    length = 24 * RATE // FRAME * FRAME
    samples, speaking, at = np.zeros(length, np.float32), np.zeros((2, length), bool), RATE
    for number in range(6):
        piece = voices.turn(("Alice", "Bruno")[number % 2], number)
        samples[at : at + len(piece)] += piece
        speaking[number % 2, at : at + len(piece)] = True
        at += len(piece) - RATE // 2
    noise = np.random.default_rng(0).standard_normal(length) * 10 ** (-60 / 20)
    return (samples + noise).astype(np.float32), speaking.reshape(2, -1, FRAME).any(axis=2)


def test_it_tells_who_speaks_and_both_at_once(meeting):
    samples, speaking = meeting
    found = WindowSegmenter.load().whole(samples).T > 0.5
    assert found.shape == (3, speaking.shape[1])
    two = speaking.all(axis=0)
    assert (found.sum(axis=0) > 1)[two].mean() > 0.5 > 0.1 > (found.sum(axis=0) > 1)[~two].mean()
    # One slot is Alice's and another one Bruno's throughout, over three windows.
    alike = np.array([[(row == voice).mean() for voice in found] for row in speaking])
    assert alike.max(axis=1).min() > 0.85 and len(set(alike.argmax(axis=1))) == 2


@pytest.mark.parametrize("sizes", [(320,), (7_777, 100_000)], ids=str)
def test_block_size_does_not_matter(meeting, sizes):
    samples = meeting[0]
    stream, rows, at, number = WindowSegmenter.load().stream(), [], 0, 0
    while at < len(samples):
        size = sizes[number % len(sizes)]
        rows.append(stream.push(samples[at : at + size]))
        at, number = at + size, number + 1
    assert np.array_equal(np.concatenate([*rows, stream.flush()]), WindowSegmenter.load().whole(samples))


@pytest.mark.parametrize("length", [0, 7, 30_000, 160_000, 160_001, 241_920, 241_921, 300_000])
def test_every_frame_is_told_once(meeting, length):
    found = WindowSegmenter.load().whole(meeting[0][:length])
    assert found.shape == (-(-length // FRAME), 3) and found.dtype == np.float32
    assert np.isfinite(found).all()


def test_what_waits_of_a_long_recording_is_bounded(meeting):
    stream = WindowSegmenter.load().stream()
    for _ in range(3):
        stream.push(meeting[0])
    assert len(stream._samples) < 16 * RATE


def test_nobody_speaks_in_silence():
    assert WindowSegmenter.load().whole(np.zeros(12 * RATE, np.float32)).max() < 0.5


def test_a_missing_or_damaged_file_says_so(tmp_path):
    with pytest.raises(ModelError, match="is missing or cannot be read; install the app again"):
        WindowSegmenter.load(tmp_path / "none.onnx")
    cut = tmp_path / "cut.onnx"
    cut.write_bytes(WEIGHTS_FILE.read_bytes()[:50_000])
    with pytest.raises(ModelError, match=r"cut\.onnx is damaged"):
        WindowSegmenter.load(cut)
    with pytest.raises(ModelError, match="is no segmentation network"):
        Segmenter.load(WEIGHTS_FILE)
