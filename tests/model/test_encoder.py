"""The Encoder: batches of any mixture, and what it refuses."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from ecapa_reference import RATE, reference_features, reference_network, signal
from hypothesis import given, settings
from hypothesis import strategies as st
from support import voices

from speakerid import Encoder
from speakerid.errors import ModelError
from speakerid.model import weights
from speakerid.model.encoder import BATCH_SECONDS, MAX_PADDING, _batches, refusal


@pytest.fixture(scope="module")
def encoder(small_model):
    return Encoder.load(small_model)


def test_embeddings_of_a_mixed_batch_are_speechbrains_one_by_one(encoder):
    blocks = [signal(seconds, seed=i) for i, seconds in enumerate([2.0, 0.4, 30.0, 0.1, 3.0, 2.9, 1.5, 2.0])]
    network = reference_network(64)
    ours = encoder.embed(blocks)
    assert ours.shape == (8, 192) and ours.dtype == np.float32
    for row, block in zip(ours, blocks, strict=True):
        with torch.inference_mode():
            expected = network(reference_features(block))[0, 0].numpy()
        assert np.abs(row - expected / np.linalg.norm(expected)).max() < 1e-5


@given(st.lists(st.integers(1600, 3 * RATE), min_size=1, max_size=6), st.integers(0, 100))
@settings(max_examples=25, deadline=None)
def test_company_and_order_do_not_matter(encoder, sizes, seed):
    blocks = [signal(size / RATE, seed=seed + i) for i, size in enumerate(sizes)]
    together = encoder.embed(blocks)
    assert np.abs(together[::-1] - encoder.embed(blocks[::-1])).max() < 1e-5
    for row, block in zip(together, blocks, strict=True):
        assert np.abs(row - encoder.embed([block])[0]).max() < 1e-5
        assert abs(np.linalg.norm(row) - 1) < 1e-5


@given(st.lists(st.integers(1600, 60 * RATE), max_size=60))
def test_batches_hold_every_item_once_with_bounded_size_and_padding(lengths):
    batches = list(_batches(lengths))
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[i] for i in batch)
        assert len(batch) == 1 or len(batch) * longest <= BATCH_SECONDS * RATE
        assert min(lengths[i] for i in batch) >= (1 - MAX_PADDING) * longest


def test_windows_of_one_length_share_a_pass():
    assert list(_batches([RATE] * 8)) == [list(range(8))]


def test_over_a_minute_an_item_is_the_direction_of_the_mean_of_equal_pieces(encoder):
    block = signal(90.0)
    halves = encoder.embed([block[: 45 * RATE], block[45 * RATE :]])
    mean = halves.sum(axis=0)
    whole, other = encoder.embed([block, signal(1.0)])
    assert np.abs(whole - mean / np.linalg.norm(mean)).max() < 1e-5
    assert np.abs(other - encoder.embed([signal(1.0)])[0]).max() < 1e-5


def test_no_items_give_no_rows(encoder):
    assert encoder.embed([]).shape == (0, 192)


def test_other_float_types_and_views_are_welcome(encoder):
    block = signal(1.0)
    as_double = np.repeat(block.astype(np.float64), 2)[::2]
    assert np.abs(encoder.embed([as_double]) - encoder.embed([block])).max() < 1e-6


GOOD = signal(1.0)
WITH_NAN = np.where(np.arange(RATE) == 77, np.nan, GOOD).astype(np.float32)
WITH_INFINITY = np.where(np.arange(RATE) == 77, -np.inf, GOOD).astype(np.float32)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (GOOD[:1599], "too short (0.10 s)"),
        (GOOD[:0], "too short"),
        (np.zeros(RATE, np.float32), "silent"),
        (np.full(RATE, 0.5, np.float32), "silent"),
        (WITH_NAN, "not finite"),
        (WITH_INFINITY, "not finite"),
        ((GOOD * 32768).astype(np.int16), "float32"),
        (np.stack([GOOD, GOOD]), "one-dimensional"),
        ([0.0] * RATE, "one-dimensional"),
    ],
)
def test_what_cannot_be_embedded_is_refused_by_number_with_a_remedy(encoder, bad, words):
    with pytest.raises(ModelError) as caught:
        encoder.embed([GOOD, bad, GOOD])
    assert str(caught.value).startswith("Item 2 is ") or str(caught.value).startswith("Item 2 holds ")
    assert words in str(caught.value) and ";" in str(caught.value)
    assert refusal(GOOD) is None and words in refusal(bad)


def test_faint_speech_is_not_silence(encoder):
    assert (encoder.embed([GOOD * 0.01]) @ encoder.embed([GOOD]).T).item() > 0.999


@pytest.fixture(scope="module")
def bundled():
    return Encoder.load()


def test_the_bundled_model_says_what_it_is(bundled):
    parameters = weights.read(weights.BUNDLED_FILE)
    assert bundled.name == "ecapa-bundled"
    assert bundled.id == f"ecapa-bundled-{weights.fingerprint(parameters)[:8]}"
    assert bundled.channels == parameters[weights.FIRST_LAYER].shape[0]


def test_the_bundled_model_finds_each_voice_among_six_from_two_seconds(bundled):
    people = [bundled.embed(voices.enrollment(name)).mean(axis=0) for name in voices.PEOPLE]
    people = np.stack([mean / np.linalg.norm(mean) for mean in people])
    for index, name in enumerate(voices.PEOPLE):
        cosines = bundled.embed([voices.turn(name, k)[: 2 * RATE] for k in range(4)]) @ people.T
        assert (cosines.argmax(axis=1) == index).all(), name
        others = np.delete(cosines, index, axis=1)
        assert cosines[:, index].mean() > 0.2 + others.max(axis=1).mean(), name


def test_threads_may_share_an_encoder(encoder):
    blocks = [signal(0.5 + 0.1 * i, seed=i) for i in range(12)]
    with ThreadPoolExecutor(4) as pool:
        rows = list(pool.map(lambda block: encoder.embed([block])[0], blocks * 3))
    assert np.abs(np.array(rows) - np.tile(encoder.embed(blocks), (3, 1))).max() < 1e-5


def test_importing_the_package_costs_no_torch():
    code = "import sys; from speakerid import Encoder; from speakerid.model import hub; "
    code += "sys.exit(bool({'torch', 'huggingface_hub'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
