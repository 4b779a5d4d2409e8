"""Who speaks when, frame by frame: the shipped network on the test voices, in streams and at once."""

import numpy as np
import onnx
import pytest
from support import voices

from speakerid.errors import ModelError
from speakerid.model import segmentation
from speakerid.model.segmentation import FRAME, LATENCY, WEIGHTS_FILE, Segmenter

RATE = voices.RATE


@pytest.fixture(scope="module")
def meeting() -> tuple[np.ndarray, np.ndarray]:
    """Alice, then Bruno, who comes in over her, then Alice: samples, and how many speak in each frame [t]."""
    first, second, third = voices.turn("Alice", 0), voices.turn("Bruno", 1), voices.turn("Alice", 2)
    starts = [RATE, RATE + len(first) - 20_000, RATE + len(first) - 20_000 + len(second) + 4_000]
    samples = np.zeros(starts[2] + len(third) + RATE, np.float32)
    count = np.zeros(len(samples), int)
    for start, piece in zip(starts, (first, second, third), strict=True):
        samples[start : start + len(piece)] += piece
        count[start : start + len(piece)] += 1
    noise = np.random.default_rng(0).standard_normal(len(samples)) * 10 ** (-60 / 20)
    whole = len(samples) // FRAME * FRAME
    return (samples + noise).astype(np.float32), count[:whole].reshape(-1, FRAME).max(axis=1)


def in_blocks(samples: np.ndarray, *sizes: int) -> np.ndarray:
    stream, rows, at, number = Segmenter.load().stream(), [], 0, 0
    while at < len(samples):
        size = sizes[number % len(sizes)]
        rows.append(stream.push(samples[at : at + size]))
        at, number = at + size, number + 1
    return np.concatenate([*rows, stream.flush()])


@pytest.mark.parametrize("sizes", [(1, 511, 512, 7_777), (320,), (10**9,)], ids=str)
def test_block_size_does_not_matter(meeting, sizes):
    samples = meeting[0][:60_123]
    found = in_blocks(samples, *sizes)
    assert found.dtype == np.float32 and found.shape == (-(-len(samples) // FRAME), 3)
    assert np.abs(found - in_blocks(samples, 512)).max() < 1e-4


def test_a_whole_recording_gives_what_a_stream_does(meeting):
    whole = Segmenter.load().whole(meeting[0])
    assert np.abs(whole - in_blocks(meeting[0], 320)).max() < 1e-4
    assert whole.min() >= 0 and whole.max() <= 1 + 1e-6 and whole.sum(axis=1).max() <= 2 + 1e-5


def test_streams_do_not_hear_each_other(meeting):
    segmenter = Segmenter.load()
    one, other = segmenter.stream(), segmenter.stream()
    heard = [(one.push(block), other.push(block[::-1]))[0] for block in np.split(meeting[0][:64_000], 10)]
    assert np.array_equal(np.concatenate([*heard, one.flush()]), in_blocks(meeting[0][:64_000], 6_400))


def test_frames_are_out_when_it_says(meeting):
    stream, known = Segmenter.load().stream(), 0
    for heard in range(320, 48_000, 320):
        known += len(stream.push(meeting[0][heard - 320 : heard]))
        assert known * FRAME >= heard - LATENCY * RATE
    assert LATENCY < 0.2


def test_what_it_heard_before_is_remembered(meeting):
    samples = meeting[0]
    later = Segmenter.load().whole(samples)[-(len(samples) // 2 // FRAME) :]
    fresh = Segmenter.load().whole(samples[-len(later) * FRAME :])
    assert np.abs(later[: len(fresh)] - fresh[: len(later)]).max() > 0.1


def test_nobody_speaks_in_silence():
    assert Segmenter.load().whole(np.zeros(10 * RATE, np.float32)).max() < 0.5


def test_speech_is_found(meeting):
    samples, count = meeting
    found = Segmenter.load().whole(samples)[: len(count)].sum(axis=1)
    assert ((found > 0.5) == (count > 0)).mean() > 0.85
    assert found[count > 1].mean() > found[count == 1].mean() + 0.05


def test_empty_and_tiny_recordings():
    assert Segmenter.load().whole(np.zeros(0, np.float32)).shape == (0, 3)
    assert Segmenter.load().whole(np.zeros(7, np.float32)).shape == (1, 3)


def test_a_missing_or_damaged_file_says_so(tmp_path):
    with pytest.raises(ModelError, match="is missing or cannot be read; install the app again"):
        Segmenter.load(tmp_path / "none.onnx")
    cut = tmp_path / "cut.onnx"
    cut.write_bytes(WEIGHTS_FILE.read_bytes()[:50_000])
    with pytest.raises(ModelError, match=r"cut\.onnx is damaged"):
        Segmenter.load(cut)
    model = onnx.load(WEIGHTS_FILE)
    for one in model.graph.initializer:
        if len(one.raw_data) > 10_000:
            one.raw_data = b"\x00\x3c" * (len(one.raw_data) // 2)  # ones
    onnx.save(model, tmp_path / "ones.onnx")
    with pytest.raises(ModelError, match="gives other probabilities than when it was made"):
        Segmenter.load(tmp_path / "ones.onnx")
    other = onnx.helper.make_model(onnx.helper.make_graph([], "other", [], []))
    onnx.save(other, tmp_path / "other.onnx")
    with pytest.raises(ModelError, match=r"is no segmentation network|is damaged"):
        Segmenter.load(tmp_path / "other.onnx")


def test_levels_are_those_of_a_plain_loop(meeting):
    samples = meeting[0][: 20 * segmentation.STEP]
    features = segmentation.Features()
    heard = np.concatenate([np.zeros(272, np.float32), samples])
    level = np.full(80, segmentation.START_DB)
    rows = []
    for end in range(400, len(heard) + 1, segmentation.HOP):
        spectrum = np.fft.rfft(heard[end - 400 : end] * segmentation.mel.window())
        bands = np.maximum(np.abs(spectrum) ** 2 @ segmentation.mel.filters(), 1e-5)
        level += (10 * np.log10(bands) - level) * 128 / 48_000
        rows.append((10 * np.log10(bands) - level) / 20)
    assert np.abs(features.push(samples).reshape(-1, 80) - np.array(rows)).max() < 1e-3
