"""The Encoder: blocks of audio in, embeddings of unit length out, whatever the weights are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from speakerid import threads
from speakerid.errors import ModelError
from speakerid.model import hub, weights

if TYPE_CHECKING:
    from speakerid.model.ecapa import EcapaTdnn
    from speakerid.model.weights import Weights

RATE = 16_000  # samples per second
EMBEDDING = 192
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
        network: the network itself, in evaluation mode; for whoever exports or inspects it.
        channels: width of the network (1024 for SpeechBrain's pretrained model).
    """

    def __init__(self, name: str, parameters: Weights):
        threads.hold()  # here too, so that a wrong setting is told when a model is loaded
        self.name = name
        self.id = f"{_short(name)}-{weights.fingerprint(parameters)[:8]}"
        self.network: EcapaTdnn = weights.network(parameters)
        self.channels = self.network.channels

    @classmethod
    def load(cls, name: str | Path = weights.BUNDLED, progress: hub.Progress | None = None) -> Encoder:
        """Loads a model; only the first use of a Hugging Face name needs the network.

        Args:
            name: "ecapa-bundled"; or a Hugging Face name such as "speechbrain/spkrec-ecapa-voxceleb", with
                "@revision" after it where another than the default is wanted; or the path of a safetensors
                file (or of SpeechBrain's embedding_model.ckpt).
            progress: called with (bytes so far, bytes in all) while something is downloaded.

        Raises:
            ModelError: the model does not exist, cannot be fetched or is not an ECAPA-TDNN.
        """
        text = str(name)
        if text == weights.BUNDLED:
            return cls(text, weights.read(weights.BUNDLED_FILE))
        if Path(name).suffix in weights.SUFFIXES:
            return cls(text, weights.read(name))
        if isinstance(name, str) and hub.is_name(name):
            return cls(name, hub.load(name, progress))
        raise ModelError(
            f'There is no model called "{text}"; use "{weights.BUNDLED}", "{hub.VOXCELEB}", '
            f"or the path of a .safetensors file."
        )

    def embed(self, blocks: Sequence[np.ndarray]) -> np.ndarray:
        """Embeddings [n, 192] float32 of unit length, of n blocks of any lengths (16 kHz, mono, -1..1).

        What shares the call does not change an item's embedding. An item longer than a minute is cut into
        equal pieces of at most a minute, and gets the direction of their mean.

        Raises:
            ModelError: an item, counted from 1, is too short, silent, not finite or not a block.
        """
        import torch

        pieces: list[np.ndarray] = []
        owners: list[int] = []
        for item, block in enumerate(blocks):
            if problem := refusal(block):
                raise ModelError(f"Item {item + 1} {problem}")
            parts = _split(np.ascontiguousarray(block, dtype=np.float32))
            pieces.extend(parts)
            owners.extend([item] * len(parts))
        threads.hold()
        sums = np.zeros((len(blocks), EMBEDDING), dtype=np.float32)
        with torch.inference_mode():
            for batch in _batches([len(piece) for piece in pieces]):
                units = self._forward([pieces[i] for i in batch])
                np.add.at(sums, [owners[i] for i in batch], units)
        return sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)

    def _forward(self, pieces: list[np.ndarray]) -> np.ndarray:
        import torch

        from speakerid.model.features import frames_of, log_mel

        sizes = [len(piece) for piece in pieces]
        padded = np.zeros((len(pieces), max(sizes)), dtype=np.float32)
        for row, piece in zip(padded, pieces, strict=True):
            row[: len(piece)] = piece
        lengths = torch.tensor(sizes) if min(sizes) < max(sizes) else None
        features = log_mel(torch.from_numpy(padded), lengths)
        embeddings = self.network(features, None if lengths is None else frames_of(lengths))
        return torch.nn.functional.normalize(embeddings, dim=1).numpy()


def refusal(block: np.ndarray) -> str | None:
    """Why a block cannot be embedded, to be read after "Item 2" or "The recording"; None if it can."""
    if not isinstance(block, np.ndarray) or block.ndim != 1 or not np.issubdtype(block.dtype, np.floating):
        return "is not a block of audio; give a one-dimensional float32 array, 16 kHz, from -1 to 1."
    if len(block) < MIN_SECONDS * RATE:
        return f"is too short ({len(block) / RATE:.2f} s); give at least {MIN_SECONDS} s of speech."
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


def _short(name: str) -> str:
    """What names the model in its id: "speechbrain/spkrec@main" gives "spkrec", "my/model.ckpt" "model"."""
    last = re.split(r"[/\\]", name)[-1].split("@")[0]
    return Path(last).stem if Path(last).suffix in weights.SUFFIXES else last
