"""The teacher's last layers, laid into the student.

CAM++ ends in frames of 512 channels (batch normalisation, then ReLU), their mean and standard deviation over
time, and one linear layer. An ECAPA-TDNN ends in frames (ReLU, then batch normalisation), an attentive mean
and standard deviation, and one linear layer. So with even attention the student's first 512 channels can be
the teacher's own frames, standardised, and its last layer the teacher's: whoever gets the frames right gets
the embedding right. That leaves the student to learn frames, of which every second of speech holds fifty,
instead of embeddings, of which it holds one; attention and the other channels learn what helps in noise.

The student is not taught the teacher's embedding as it is, but centred and whitened: what many people have
in common (a language, an accent, a room) stretches the teacher's space along a few directions, in which all
who share it seem alike. Whitened over the training speakers, with its spread shrunk towards an even one, it
tells strangers apart better: equal errors of the teacher fell from 1.2 to 0.8 %, of a student from 3.6 to
2.5 %, on 65 speakers that neither had heard.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from speakerid.model.ecapa import EcapaTdnn

SMALLEST_SCALE = 1e-3  # of a channel that hardly ever speaks
EVEN = 0.7  # how far the spread of the speakers is taken for even


@dataclass(frozen=True)
class TeacherHead:
    """From frames [t, k] to the whitened embedding: weight · standardised pooling + bias.

    center [192]: mean of the teacher's embeddings; whitening [192, 192]: symmetric, of centred embeddings;
    frame_mean, frame_scale [k]: of its frames;
    pooled_mean, pooled_scale [2k]: of the mean and deviation over time of standardised frames;
    weight [192, 2k], bias [192]; importance [k]: what a channel's mean does to the embedding, 1 on average.
    """

    center: Tensor
    whitening: Tensor
    frame_mean: Tensor
    frame_scale: Tensor
    pooled_mean: Tensor
    pooled_scale: Tensor
    weight: Tensor
    bias: Tensor
    importance: Tensor

    def standardise(self, frames: Tensor) -> Tensor:
        """The teacher's frames [..., k] -> what the student's first k channels should be."""
        return (frames - self.frame_mean) / self.frame_scale

    def embed(self, frames: Tensor) -> Tensor:
        """Standardised frames [b, t, k] -> the teacher's embeddings [b, 192], whitened, not normalised."""
        pooled = (_pooled(frames) - self.pooled_mean) / self.pooled_scale
        return pooled @ self.weight.T + self.bias

    def whiten(self, embeddings: Tensor) -> Tensor:
        """The teacher's embeddings [n, 192] -> what the student's should be, not normalised."""
        return (embeddings - self.center) @ self.whitening


def hear_head(
    clips: list[Tensor], embeddings: Tensor, speakers: Tensor, dense: Tensor, norm: nn.BatchNorm1d
) -> TeacherHead:
    """What the teacher's last layers do, in terms of standardised frames.

    Args:
        clips: frames [t, k] of each clip. embeddings: [n, 192] of the clips. speakers: [n], a number each.
        dense: the linear layer [192, 2k]. norm: the batch normalisation after it, without weights.
    """
    every = torch.cat(clips)
    channels = every.shape[1]
    mean, scale = every.mean(dim=0), every.std(dim=0).clamp_min(SMALLEST_SCALE)
    pooled = torch.cat([_pooled(((frames - mean) / scale)[None]) for frames in clips])
    pooled_mean, pooled_scale = pooled.mean(dim=0), pooled.std(dim=0).clamp_min(SMALLEST_SCALE)
    assert norm.running_mean is not None and norm.running_var is not None
    deviation = (norm.running_var + norm.eps).sqrt()
    center = embeddings.mean(dim=0)
    whitening = whitening_of(embeddings - center, speakers)
    scaled = whitening @ (dense / deviation[:, None])
    inner = scaled * torch.cat([scale, scale])
    offset = norm.running_mean / deviation + center
    bias = inner @ pooled_mean + scaled[:, :channels] @ mean - whitening @ offset
    importance = inner[:, :channels].square().sum(dim=0)
    return TeacherHead(
        center,
        whitening,
        mean,
        scale,
        pooled_mean,
        pooled_scale,
        inner * pooled_scale,
        bias,
        (importance / importance.mean()).clamp(0.2, 5.0),
    )


def whitening_of(embeddings: Tensor, speakers: Tensor) -> Tensor:
    """The symmetric matrix [192, 192] that evens out how speakers lie around the centre.

    Second moment of the speakers' mean directions, shrunk towards an even spread of the same size (as in
    Ledoit and Wolf, 2004), to the power of -1/2; scaled to leave an embedding's length about as it was.

    Args:
        embeddings: [n, 192], centred. speakers: [n], a number each.
    """
    units = F.normalize(embeddings, dim=1)
    means = torch.stack([units[speakers == speaker].mean(dim=0) for speaker in speakers.unique()])
    moment = (means.T @ means / len(means)).double()
    size = len(moment)
    moment = (1 - EVEN) * moment / moment.diagonal().mean() + EVEN * torch.eye(size, dtype=torch.float64)
    values, directions = torch.linalg.eigh(moment)
    return ((directions * values.rsqrt()) @ directions.T).float()


@torch.no_grad()
def lay_into(network: EcapaTdnn, head: TeacherHead) -> None:
    """Let the network's first channels be the teacher's frames, and its last layer the teacher's."""
    k, frames = len(head.frame_mean), 3 * network.channels
    first = torch.cat([torch.arange(k), frames + torch.arange(k)])  # of the pooled mean and deviation
    fresh = EcapaTdnn(network.channels).mfa
    for name, value in network.mfa.state_dict().items():
        if value.dim():
            value[:k] = fresh.state_dict()[name][:k]
    network.asp.conv.conv.weight.zero_()
    nn.init.zeros_(network.asp.conv.conv.bias)  # type: ignore[arg-type]
    norm, last = network.asp_bn.norm, network.fc.conv
    assert norm.running_mean is not None and norm.running_var is not None and last.bias is not None
    norm.weight.fill_(1.0)
    norm.bias.zero_()
    norm.running_mean[first] = head.pooled_mean
    norm.running_var[first] = head.pooled_scale.square()
    last.weight.zero_()
    last.weight[:, first, 0] = head.weight
    last.bias.copy_(head.bias)


def _pooled(frames: Tensor) -> Tensor:
    return torch.cat([frames.mean(dim=1), frames.std(dim=1)], dim=1)
