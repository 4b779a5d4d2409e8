"""Other people's encoders behind the interface of `Encoder` (`.id`, `.embed`), to compare with.

Names: what `Encoder.load` takes, CAM++ ("campplus") among it; "resemblyzer"; "speechbrain:" and what
`Encoder.load` takes, for the same weights run by SpeechBrain's own classes. The packages are extras.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from speakerid.evaluate import EvaluationError
from speakerid.model.embedder import Embedder

if TYPE_CHECKING:
    from speakerid.model import Encoder

SPEECHBRAIN = "speechbrain:"


def load(name: str, progress: Callable[[int, int], None] | None = None) -> Embedder:
    """The encoder with this name (top of the file).

    Raises:
        EvaluationError: the package that it needs is not installed.
        ModelError: it is a model of ours, and cannot be loaded.
    """
    if name == "resemblyzer":
        return Resemblyzer()
    if name.startswith(SPEECHBRAIN):
        return SpeechBrain(name.removeprefix(SPEECHBRAIN), progress)
    from speakerid.model import Encoder

    return Encoder.load(name, progress=progress)


class Renamed:
    """An encoder under a name that tells what runs it."""

    def __init__(self, encoder: Encoder, name: str):
        self.id, self.embed, self.about_runtime = name, encoder.embed, encoder.about_runtime


def in_other_runtimes(encoder: Embedder, name: str) -> list[Embedder]:
    """The model of this name in each runtime that there is for it, but in the one that this encoder has."""
    from speakerid.errors import ModelError
    from speakerid.model import Encoder, runtimes

    others: list[Embedder] = []
    for runtime in runtimes.NAMES:
        if runtime == getattr(encoder, "runtime", ""):
            continue
        with suppress(ModelError):  # it has no such runtime
            others.append(Renamed(Encoder.load(name, runtime=runtime), f"{encoder.id} in {runtime}"))
    return others


class Resemblyzer:
    """GE2E LSTM of Resemblyzer (256), as its `embed_utterance` runs it, without its own silence trimming."""

    id = "resemblyzer"

    def __init__(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its dependencies, about themselves
            try:
                from resemblyzer import VoiceEncoder  # type: ignore[reportMissingImports]
            except ImportError as error:
                raise _not_installed("Resemblyzer", 'pip install Resemblyzer "setuptools<81"') from error
            self._encoder = VoiceEncoder("cpu", verbose=False)

    def embed(self, blocks: Sequence[np.ndarray]) -> np.ndarray:
        return np.stack([self._encoder.embed_utterance(block) for block in blocks])


class SpeechBrain:
    """SpeechBrain's own Fbank and ECAPA_TDNN with weights that `Encoder.load` knows.

    Blocks of one length make a batch; others are embedded one by one, since there what shares a batch would
    change an embedding.
    """

    def __init__(self, name: str, progress: Callable[[int, int], None] | None = None):
        if importlib.util.find_spec("speechbrain") is None:
            raise _not_installed("SpeechBrain", "pip install speechbrain")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from speechbrain.lobes.features import Fbank  # type: ignore[reportMissingImports]
            from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN  # type: ignore[reportMissingImports]

        from speakerid.model import weights

        state = _weights(name, progress)
        width = state["blocks.0.conv.conv.weight"].shape[0]
        self.id = f"{SPEECHBRAIN}{name}"
        self._features = Fbank(n_mels=80)
        self._network = ECAPA_TDNN(80, channels=[width] * 4 + [3 * width], lin_neurons=192)
        self._network.load_state_dict(
            weights.tensors(state), strict=False
        )  # `state` was checked; only batch counters lack
        self._network.eval()

    def embed(self, blocks: Sequence[np.ndarray]) -> np.ndarray:
        import torch

        alike = len({len(block) for block in blocks}) == 1
        rows = []
        with torch.inference_mode():
            for batch in [blocks] if alike else [[block] for block in blocks]:
                features = self._features(torch.from_numpy(np.stack(batch).astype(np.float32)))
                rows.append(self._network(features - features.mean(dim=1, keepdim=True))[:, 0].numpy())
        return _unit(np.concatenate(rows))


def _weights(name: str, progress: Callable[[int, int], None] | None):
    from speakerid.model import networks, weights

    return weights.read(weights.BUNDLED_FILE if name == weights.BUNDLED else networks.find(name, progress))


def _unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def _not_installed(what: str, remedy: str) -> EvaluationError:
    return EvaluationError(f"{what} is not installed, so it cannot be compared; install it with: {remedy}")
