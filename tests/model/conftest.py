"""Small models with random weights, in the forms in which weights come."""

import pytest
import torch
from ecapa_reference import reference_network

from speakerid.model import weights


@pytest.fixture(scope="session")
def small_checkpoint(tmp_path_factory) -> bytes:
    """The bytes of an embedding_model.ckpt as SpeechBrain would write it, 64 channels wide."""
    path = tmp_path_factory.mktemp("checkpoint") / "embedding_model.ckpt"
    torch.save(reference_network(64).state_dict(), path)
    return path.read_bytes()


@pytest.fixture(scope="session")
def small_model(tmp_path_factory):
    """Path of a safetensors file with the same weights as `small_checkpoint`."""
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    weights.write(weights.checked(reference_network(64).state_dict(), "test"), path)
    return path
