"""The network against SpeechBrain's class, weight by weight and number by number."""

import pytest
import torch
from ecapa_reference import ECAPA_TDNN, reference_network, signal

from speakerid.model.ecapa import MIN_FRAMES, EcapaTdnn
from speakerid.model.features import frames_of, log_mel


def copy_of(reference: ECAPA_TDNN, channels: int) -> EcapaTdnn:
    net = EcapaTdnn(channels)
    net.load_state_dict(reference.state_dict())
    return net.eval()


def unit(x: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.normalize(x, dim=-1)


@pytest.mark.parametrize("channels", [64, 256, 512, 1024])
def test_every_parameter_has_speechbrains_name_and_shape(channels):
    with torch.device("meta"):
        ours = EcapaTdnn(channels).state_dict()
    theirs = reference_network(channels).state_dict()
    assert {k: v.shape for k, v in ours.items()} == {k: v.shape for k, v in theirs.items()}


@pytest.mark.parametrize(
    ("channels", "seconds"),
    [(64, 0.4), (64, 1.234), (64, 30.0), (256, 2.0), (512, 0.4), (512, 8.0), (1024, 0.4), (1024, 3.0)],
)
@torch.inference_mode()
def test_embeddings_are_speechbrains(channels, seconds):
    reference = reference_network(channels)
    features = log_mel(torch.from_numpy(signal(seconds, seed=channels))[None])
    expected = unit(reference(features)[:, 0])
    ours = unit(copy_of(reference, channels)(features))
    assert (ours - expected).abs().max() < 1e-5


@torch.inference_mode()
def test_in_an_unequal_batch_each_embedding_is_what_speechbrain_gives_for_it_alone():
    reference = reference_network(64)
    waves = [torch.from_numpy(signal(s, seed=i)) for i, s in enumerate([0.4, 30.0, 0.05, 1.0, 7.77, 2.999])]
    lengths = torch.tensor([len(wave) for wave in waves])
    batch = torch.nn.utils.rnn.pad_sequence(waves, batch_first=True)
    together = unit(copy_of(reference, 64)(log_mel(batch, lengths), frames_of(lengths)))
    for ours, wave in zip(together, waves, strict=True):
        expected = unit(reference(log_mel(wave[None]))[0, 0])
        assert (ours - expected).abs().max() < 1e-5


@torch.inference_mode()
def test_what_follows_an_utterance_changes_nothing():
    net = copy_of(reference_network(64), 64)
    features = torch.randn(3, 90, 80)
    lengths = torch.tensor([90, 40, MIN_FRAMES])
    before = net(features, lengths)
    features[1, 40:] = 1e4
    features[2, MIN_FRAMES:] = -1e4
    assert torch.equal(net(features, lengths), before)


@torch.inference_mode()
def test_lengths_that_are_all_full_give_what_no_lengths_give():
    net = copy_of(reference_network(64), 64)
    features = torch.randn(4, 50, 80)
    with_lengths = unit(net(features, torch.full((4,), 50)))
    assert (with_lengths - unit(net(features))).abs().max() < 1e-6


def test_gradients_are_speechbrains():
    """Training with this network is training SpeechBrain's: the same loss moves the same weights alike."""
    reference = reference_network(64).double()
    net = copy_of(reference, 64).double()
    features, direction = torch.randn(2, 60, 80).double(), torch.randn(2, 192).double()
    (unit(reference(features)[:, 0]) * direction).sum().backward()
    (unit(net(features)) * direction).sum().backward()
    theirs = dict(reference.named_parameters())
    for name, ours in net.named_parameters():
        assert torch.allclose(ours.grad, theirs[name].grad, rtol=1e-6, atol=1e-9), name
