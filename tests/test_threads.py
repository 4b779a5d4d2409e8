"""PyTorch takes one thread wherever the network runs, and more only where that was asked for."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from speakerid import Encoder, settings
from speakerid.errors import SpeakerIdError

NOISE = np.random.default_rng(0).normal(0, 0.1, 32_000).astype(np.float32)


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder.load(runtime="torch")


def threads_after(work) -> int:
    """Of a new thread in which PyTorch would take four, after this work."""

    def there() -> int:
        torch.set_num_threads(4)
        work()
        return torch.get_num_threads()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(there).result()


def test_whoever_embeds_takes_one_thread(encoder):
    """Pages, requests and the Engine run it in threads of theirs; PyTorch's setting is one for each."""
    assert threads_after(lambda: None) == 4
    assert threads_after(lambda: encoder.embed([NOISE])) == 1
    assert threads_after(lambda: Encoder.load(runtime="torch")) == 1


def test_more_threads_are_a_choice(encoder, monkeypatch):
    monkeypatch.setenv("SPEAKERID_THREADS", "3")
    assert threads_after(lambda: encoder.embed([NOISE])) == 3


@pytest.mark.parametrize("text", ["many", "0", "-1", "257", "1" * 5000, "²"])
def test_what_is_no_number_is_told_when_a_model_is_loaded(monkeypatch, text):
    monkeypatch.setenv("SPEAKERID_THREADS", text)
    with pytest.raises(SpeakerIdError, match=r"SPEAKERID_THREADS is .*: set it to a number from 1 to 256"):
        settings.threads()
