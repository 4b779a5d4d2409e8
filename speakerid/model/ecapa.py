"""ECAPA-TDNN (Desplanques et al., Interspeech 2020, arXiv:2005.07143), number for number SpeechBrain's.

Parameters have SpeechBrain's names and shapes (speechbrain/lobes/models/ECAPA_TDNN.py), so that its
checkpoints load unchanged. Inside, a batch is [b, frames, channels] and every convolution is one matrix
product: on a CPU that trains and runs about twice as fast as [b, channels, frames] with conv1d.

Shapes: b utterances, t frames, c channels.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MIN_FRAMES = (
    5  # reflecting the widest kernel (dilation 4, 3 taps) needs 4 frames beside the one in the middle
)
EMBEDDING = 192
GROUPS = 8  # Res2Net scale
BOTTLENECK = 128  # of squeeze-excitation and of the attention, where nothing else is said
VARIANCE_FLOOR = 1e-12


class Reach:
    """Where each frame of a batch finds its neighbours: reflected at both ends of its own utterance.

    Made once per batch. With utterances of unequal length the reflection at the end has to happen at each
    utterance's own last frame, which is what keeps an embedding independent of what shares its batch.
    """

    def __init__(self, lengths: Tensor, frames: int):
        self.lengths = lengths
        self.inside = (torch.arange(frames)[None] < lengths[:, None])[..., None]  # [b, t, 1]
        self._indices: dict[int, Tensor] = {}

    def index(self, offset: int) -> Tensor:
        """Row numbers [b·t] into a [b·t, c] batch of the frames `offset` away, reflected."""
        if offset not in self._indices:
            b, t = self.inside.shape[:2]
            last = self.lengths[:, None] - 1
            at = (torch.arange(t)[None] + offset).abs()
            at = torch.where(at > last, 2 * last - at, at).clamp(0, t - 1)
            self._indices[offset] = (at + torch.arange(b)[:, None] * t).reshape(-1)
        return self._indices[offset]


def _neighbours(x: Tensor, kernel: int, dilation: int, reach: Reach | None) -> Tensor:
    """[b, t, c] -> [b, t, c·kernel]: each frame beside those that a kernel centred on it sees."""
    b, t, c = x.shape
    side = dilation * (kernel - 1) // 2
    if reach is None:
        x = torch.cat([x[:, 1 : side + 1].flip(1), x, x[:, -side - 1 : -1].flip(1)], dim=1)
        return torch.cat([x[:, k * dilation : k * dilation + t] for k in range(kernel)], dim=2)
    rows = x.reshape(b * t, c)
    taps = [rows[reach.index(k * dilation - side)] for k in range(kernel)]
    return torch.cat(taps, dim=1).view(b, t, c * kernel)


class Conv1d(nn.Module):
    """Convolution that keeps the length by reflection: [b, t, in] -> [b, t, out]; parameters at `.conv`."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, dilation: int = 1):
        super().__init__()
        self.conv = nn.Conv1d(inputs, outputs, kernel, dilation=dilation)

    def forward(self, x: Tensor, reach: Reach | None = None) -> Tensor:
        kernel, dilation = self.conv.kernel_size[0], self.conv.dilation[0]
        if kernel > 1:
            x = _neighbours(x, kernel, dilation, reach)
        weight = self.conv.weight.transpose(1, 2).reshape(self.conv.out_channels, -1)
        return F.linear(x, weight, self.conv.bias)


class BatchNorm1d(nn.Module):
    """Normalises each channel: [..., c] -> [..., c]; parameters at `.norm`."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm = nn.BatchNorm1d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x.reshape(-1, x.shape[-1])).view(x.shape)


class TdnnBlock(nn.Module):
    """Convolution, ReLU, batch normalisation, in this order."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, dilation: int = 1):
        super().__init__()
        self.conv = Conv1d(inputs, outputs, kernel, dilation)
        self.norm = BatchNorm1d(outputs)

    def forward(self, x: Tensor, reach: Reach | None = None) -> Tensor:
        return self.norm(F.relu(self.conv(x, reach)))


class Res2NetBlock(nn.Module):
    """Channels in 8 groups: the first passes, each other one also hears the result of the one before it."""

    def __init__(self, channels: int, dilation: int):
        super().__init__()
        width = channels // GROUPS
        self.blocks = nn.ModuleList(TdnnBlock(width, width, 3, dilation) for _ in range(GROUPS - 1))

    def forward(self, x: Tensor, reach: Reach | None) -> Tensor:
        groups = x.chunk(GROUPS, dim=2)
        results = [groups[0]]
        for i, block in enumerate(self.blocks):
            results.append(block(groups[i + 1] if i == 0 else groups[i + 1] + results[-1], reach))
        return torch.cat(results, dim=2)


class SqueezeExcitation(nn.Module):
    """Weights each channel by what the whole utterance looks like."""

    def __init__(self, channels: int, squeezed: int = BOTTLENECK):
        super().__init__()
        self.conv1 = Conv1d(channels, squeezed)
        self.conv2 = Conv1d(squeezed, channels)

    def forward(self, x: Tensor, reach: Reach | None) -> Tensor:
        if reach is None:
            mean = x.mean(dim=1, keepdim=True)
        else:
            mean = (x * reach.inside).sum(dim=1, keepdim=True) / reach.lengths[:, None, None]
        return x * torch.sigmoid(self.conv2(F.relu(self.conv1(mean))))


class SeRes2NetBlock(nn.Module):
    def __init__(self, channels: int, dilation: int, squeezed: int = BOTTLENECK):
        super().__init__()
        self.tdnn1 = TdnnBlock(channels, channels)
        self.res2net_block = Res2NetBlock(channels, dilation)
        self.tdnn2 = TdnnBlock(channels, channels)
        self.se_block = SqueezeExcitation(channels, squeezed)

    def forward(self, x: Tensor, reach: Reach | None) -> Tensor:
        return self.se_block(self.tdnn2(self.res2net_block(self.tdnn1(x), reach)), reach) + x


class AttentivePooling(nn.Module):
    """Mean and standard deviation over time, weighted by attention per channel: [b, t, c] -> [b, 2c]."""

    def __init__(self, channels: int, attention: int = BOTTLENECK):
        super().__init__()
        self.tdnn = TdnnBlock(3 * channels, attention)
        self.conv = Conv1d(attention, channels)

    def forward(self, x: Tensor, reach: Reach | None) -> Tensor:
        mean, std = _statistics(x, self._even(x, reach))
        # The utterance's mean and deviation are the same in every frame, so their share of the first
        # layer is worked out once per utterance instead of joining them to each frame.
        weight = self.tdnn.conv.conv.weight[..., 0]
        own, common = torch.split(weight, [x.shape[2], 2 * x.shape[2]], dim=1)
        context = F.linear(torch.cat([mean, std], dim=1), common, self.tdnn.conv.conv.bias)
        hidden = self.tdnn.norm(F.relu(F.linear(x, own) + context[:, None]))
        attention = self.conv(torch.tanh(hidden))
        if reach is not None:
            attention = attention.masked_fill(~reach.inside, -torch.inf)
        return torch.cat(_statistics(x, attention.softmax(dim=1)), dim=1)

    @staticmethod
    def _even(x: Tensor, reach: Reach | None) -> Tensor:
        if reach is None:
            return x.new_full((1, 1, 1), 1 / x.shape[1])
        return reach.inside / reach.lengths[:, None, None]


def _statistics(x: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Weighted mean and population standard deviation over the frames, each [b, c]."""
    mean = (weights * x).sum(dim=1)
    variance = (weights * (x - mean[:, None]).square()).sum(dim=1)
    return mean, variance.clamp_min(VARIANCE_FLOOR).sqrt()


class EcapaTdnn(nn.Module):
    """Features to embedding.

    Args:
        channels: of the three SE-Res2Net blocks, a multiple of 8; 1024 for SpeechBrain's pretrained model.
        width: of the embedding.
        squeezed, attention: of the narrow layers of squeeze-excitation and of the attention.
    """

    def __init__(
        self,
        channels: int = 512,
        width: int = EMBEDDING,
        squeezed: int = BOTTLENECK,
        attention: int = BOTTLENECK,
    ):
        super().__init__()
        self.channels = channels
        self.blocks = nn.ModuleList([TdnnBlock(80, channels, kernel=5)])
        self.blocks.extend(SeRes2NetBlock(channels, dilation, squeezed) for dilation in (2, 3, 4))
        self.mfa = TdnnBlock(3 * channels, 3 * channels)
        self.asp = AttentivePooling(3 * channels, attention)
        self.asp_bn = BatchNorm1d(6 * channels)
        self.fc = Conv1d(6 * channels, width)

    def frames(self, features: Tensor, reach: Reach | None = None) -> Tensor:
        """Features [b, t, 80] -> what the three blocks together say of each frame [b, t, 3·channels]."""
        x = self.blocks[0](features, reach)
        outputs: list[Tensor] = []
        for block in list(self.blocks)[1:]:
            x = block(x, reach)
            outputs.append(x)
        return self.mfa(torch.cat(outputs, dim=2))

    def pool(self, frames: Tensor, reach: Reach | None = None) -> Tensor:
        """What frames() gave [b, t, 3·channels] -> embeddings [b, width], not normalised."""
        return self.fc(self.asp_bn(self.asp(frames, reach)))

    def forward(self, features: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Embeddings [b, width], not normalised, of features [b, t, 80].

        lengths: frames [b] of each utterance, at least MIN_FRAMES; None where all have t. An embedding
        does not depend on what shares its batch, nor on what follows its own frames.
        """
        reach = None if lengths is None else Reach(lengths, features.shape[1])
        return self.pool(self.frames(features, reach), reach)
