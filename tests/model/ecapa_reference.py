"""SpeechBrain's own classes with random numbers in them, and signals that have what speech has."""

import sys

import numpy as np
import torch
from speechbrain.lobes.features import Fbank
from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN
from speechbrain.processing.features import InputNormalization
from speechbrain.utils.importutils import LazyModule

# Hypothesis looks at every module that is loaded. SpeechBrain leaves some that import on any look and fail.
for name, module in list(sys.modules.items()):
    if isinstance(module, LazyModule):
        del sys.modules[name]

RATE = 16_000


def signal(seconds: float, seed: int = 0, level: float = 0.1) -> np.ndarray:
    """Float32 [seconds · 16000]: gliding harmonics in syllables, pauses with faint noise between them."""
    rng = np.random.default_rng(seed)
    n = round(seconds * RATE)
    time = np.arange(n) / RATE
    pitch = rng.uniform(80, 240) * (1 + 0.1 * np.sin(2 * np.pi * rng.uniform(0.5, 2) * time))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    voice = sum(rng.uniform(0.2, 1) / k * np.sin(k * phase) for k in range(1, 25))
    syllables = np.clip(np.sin(2 * np.pi * 3 * time + rng.uniform(0, 6)) + 0.5, 0, 1)
    return (level * (voice * syllables + 0.003 * rng.standard_normal(n))).astype(np.float32)


def reference_network(channels: int, seed: int = 0) -> ECAPA_TDNN:
    """SpeechBrain's network with random weights and random statistics in its normalisation layers."""
    torch.manual_seed(seed)
    c = channels
    net = ECAPA_TDNN(80, channels=[c, c, c, c, 3 * c], lin_neurons=192, device="cpu")
    for name, value in net.state_dict().items():
        if name.endswith("running_mean"):
            value.normal_(0, 0.3)
        elif name.endswith("running_var"):
            value.uniform_(0.3, 2)
        elif name.endswith(("norm.weight", "norm.bias")):
            value.add_(0.3 * torch.randn_like(value))
    return net.eval()


def reference_features(wave: np.ndarray) -> torch.Tensor:
    """SpeechBrain's features [1, t, 80] of one utterance, mean subtracted per band."""
    with torch.inference_mode():
        bands = Fbank(n_mels=80)(torch.from_numpy(wave)[None])
        return InputNormalization(norm_type="sentence", std_norm=False)(bands, torch.ones(1))
