"""The network in training, and what it is held to.

Loss of a crop, with s its unit embedding, t its target, v the targets of all voices in the pool:

    5 · (1 − s·t)  +  cross-entropy(24 · (s·v − margin at its own voice))  +  3 · mean square error of frames

The second term is the large-margin softmax (Wang et al., arXiv:1801.05599) with the teacher's centroids in
place of learned ones; other voices of the same speaker take no part, nor does anybody unlabelled. The third
holds the network's first channels to the teacher's frames, from which its last layers make the teacher's
embedding (head.py).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from speakerid.model.ecapa import EcapaTdnn
from speakerid.model.features import log_mel
from speakerid.training.crops import NOBODY, Batch
from speakerid.training.head import TeacherHead
from speakerid.training.precision import fast_numbers


@dataclass(frozen=True)
class Weighting:
    """Of the loss: margin and scale of its softmax, and what the frames count for."""

    margin: float = 0.1
    scale: float = 24.0
    frames: float = 3.0


class Student(nn.Module):
    """The network; its first channels before the pooling are the teacher's frames, standardised."""

    importance: Tensor  # [k], of the teacher's channels

    def __init__(self, channels: int, head: TeacherHead):
        super().__init__()
        self.network = EcapaTdnn(channels)
        self.register_buffer("importance", head.importance)
        self._hear = self._frames_and_pooled

    def compile_parts(self) -> None:
        """Fuse what lies between the matrix products; one compilation serves crops of all lengths."""
        self._hear = torch.compile(self._frames_and_pooled, dynamic=True)

    def _frames_and_pooled(self, features: Tensor) -> tuple[Tensor, Tensor]:
        frames = self.network.frames(features)
        return frames, self.network.pool(frames)

    def train(self, mode: bool = True) -> "Student":
        super().train(mode)
        self.network.asp_bn.eval()  # a batch of a dozen crops has too odd a mean to centre embeddings by
        return self

    def forward(self, waves: Tensor) -> tuple[Tensor, Tensor]:
        """Waves [b, n] -> unit embeddings [b, 192], frames [b, n // 320 - 1, k]."""
        features = log_mel(waves)
        with fast_numbers(waves.device.type):
            frames, pooled = self._hear(_mask(features) if self.training else features)
        # The teacher's frame j is centred on sample 320·j + 200; ours 2·j + 1 and 2·j + 2 on 320·j + 240.
        count = waves.shape[1] // 320 - 1
        pairs = frames[:, 1 : 1 + 2 * count, : len(self.importance)].unflatten(1, (count, 2))
        return F.normalize(pooled.float(), dim=1), pairs.float().mean(dim=2)


def _mask(features: Tensor) -> Tensor:
    """Up to 12 mel filters silenced in six of ten crops [b, t, 80] (SpecAugment, arXiv:1904.08779)."""
    crops, _, filters = features.shape
    low, width, chance = torch.rand(3, crops, 1, device=features.device)
    low, width = low * filters, width * 12 * (chance < 0.6)
    at = torch.arange(filters, device=features.device)
    return features.masked_fill(((at >= low) & (at < low + width))[:, None], 0.0)


def loss_of(
    hear: nn.Module, importance: Tensor, batch: Batch, weighting: Weighting
) -> tuple[Tensor, dict[str, float]]:
    """The loss of a batch, and its parts.

    Args:
        hear: a Student, or what spreads it over processes. importance: the Student's.
    """
    embeddings, frames = hear(batch.waves)
    cosine = (embeddings * batch.targets).sum(dim=1)
    own = batch.voice_ids[:, None] == batch.pool_ids[None]
    # Whoever speaks in an unlabelled recording may be anybody in the pool, and so is nobody's rival.
    known = (batch.speakers != NOBODY)[:, None] & (batch.pool_speakers != NOBODY)[None]
    rivals = own | (known & (batch.speakers[:, None] != batch.pool_speakers[None]))
    logits = weighting.scale * (embeddings @ batch.pool_voices.T - weighting.margin * own)
    # A voice that has left the pool since cannot be: batches are drawn from the pool they come with.
    contrast = F.cross_entropy(logits.masked_fill(~rivals, -torch.inf), own.int().argmax(dim=1))
    frame_error = ((frames - batch.frames.float()).square() * importance).mean()
    loss = 5 * (1 - cosine).mean() + contrast + weighting.frames * frame_error
    parts = {
        "cosine": float(cosine.detach().mean()),
        "contrast": float(contrast.detach()),
        "frames": float(frame_error.detach()),
    }
    return loss, parts
