"""A wider ECAPA-TDNN that computes what a narrower one does (Net2WiderNet: Chen et al., arXiv:1511.05641).

Each channel is copied, and what listens to the copies splits its weight among them at random, so that the
copies drift apart as soon as training goes on. It saves the hour that the wider network would need to get
as far from nothing.
"""

import torch
from torch import Tensor

from speakerid.model.ecapa import GROUPS, EcapaTdnn

SMALLEST_SHARE = 0.2  # of a split weight; an even split would keep the copies alike for ever


def widen(state: dict[str, Tensor], channels: int, seed: int = 0) -> dict[str, Tensor]:
    """State of an EcapaTdnn of `channels`, a multiple of the narrower one's.

    Args:
        state: the narrower network's, float32.
    """
    narrow = state["blocks.0.conv.conv.weight"].shape[0]
    generator = torch.Generator().manual_seed(seed)
    # Copies stay within their Res2Net group, so that the groups' boundaries fall where they fell.
    within = torch.arange(channels // GROUPS) % (narrow // GROUPS)
    block = (torch.arange(GROUPS)[:, None] * (narrow // GROUPS) + within).reshape(-1)
    three = torch.cat([block + k * narrow for k in range(3)])
    sources = {
        channels: block,
        channels // GROUPS: within,
        3 * channels: three,
        6 * channels: torch.cat([three, three + 3 * narrow]),
        9 * channels: torch.cat([three + 3 * k * narrow for k in range(3)]),
    }
    wide = {}
    for name, target in EcapaTdnn(channels).state_dict().items():
        if name.endswith("num_batches_tracked"):
            wide[name] = target
            continue
        value = state[name]
        if target.shape[0] != value.shape[0]:
            value = value[sources[target.shape[0]]]
        if value.dim() == 3 and target.shape[1] != value.shape[1]:
            value = _split(value, sources[target.shape[1]], generator)
        wide[name] = value.clone()
    return wide


def _split(weight: Tensor, source: Tensor, generator: torch.Generator) -> Tensor:
    """Weights [out, in, k] for inputs that are copies: what each copy gets adds up to the original."""
    shares = SMALLEST_SHARE + torch.rand(weight.shape[0], len(source), generator=generator)
    total = torch.zeros(weight.shape[0], weight.shape[1]).index_add_(1, source, shares)
    return weight[:, source] * (shares / total[:, source])[..., None]
