"""Local voices as slots: the truth that the segmentation network is taught, and its loss.

Voices keep their slots while they are heard; a new one takes the slot that has been silent longest. Which
slot is whose has no meaning, so in each window of 8 s the loss is that of the best renaming of the slots
(permutation-invariant training, Yu et al., arXiv:1607.00325), over sets of voices rather than voices one by
one (Plaquet and Bredin, arXiv:2310.13025). Windows overlap by half, which ties their renamings together. How
many speak is asked for by itself too, since it is learned long before who does.
"""

from itertools import permutations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from speakerid.model.segmentation import SETS, VOICES

WINDOW, STRIDE = 500, 250  # frames

_NUMBER: dict[tuple[int, ...], int] = {members: number for number, members in enumerate(SETS)}
_SIZES = torch.tensor([len(members) for members in SETS])
_RENAMED = torch.tensor(
    [
        [_NUMBER[tuple(sorted(renaming[voice] for voice in members))] for members in SETS]
        for renaming in permutations(range(VOICES))
    ]
)


def slots_of(speaking: np.ndarray) -> np.ndarray:
    """Who speaks, bool [people, t] -> the set of slots that speak, int64 [t], an index into SETS.

    At most two at once: whoever began later is left out, as is whoever finds no slot free.
    """
    frames = speaking.shape[1]
    taken = np.zeros((VOICES, frames), bool)
    owner, heard_until = [-1] * VOICES, [-1] * VOICES
    for start, end, person in _runs(speaking):
        slot = owner.index(person) if person in owner else -1
        if slot < 0:
            free = [k for k in range(VOICES) if heard_until[k] <= start]
            if not free:
                continue
            slot = min(free, key=lambda k: heard_until[k])
            owner[slot] = person
        room = taken[:, start:end].sum(axis=0) < 2
        taken[slot, start:end] = room
        heard_until[slot] = max(heard_until[slot], end)
    sets = np.zeros(frames, np.int64)
    for number, members in enumerate(SETS):
        chosen = np.isin(np.arange(VOICES), members)
        sets[(taken == chosen[:, None]).all(axis=0)] = number
    return sets


def _runs(speaking: np.ndarray) -> list[tuple[int, int, int]]:
    """Stretches of speech: first frame, end, person; in order."""
    edges = np.diff(np.pad(speaking.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    runs = []
    for person, row in enumerate(edges):
        starts, ends = np.flatnonzero(row > 0), np.flatnonzero(row < 0)
        runs += [(int(a), int(b), person) for a, b in zip(starts, ends, strict=True)]
    return sorted(runs)


def loss_of(logits: Tensor, sets: Tensor) -> tuple[Tensor, Tensor]:
    """Logits [b, t, 7] against the truth [b, t] -> mean loss, and the renamed truth of each frame's window
    [b, t] (of the last window that holds it)."""
    frames = sets.shape[1]
    renamed = _RENAMED[:, sets]  # [6, b, t]
    costs = -F.log_softmax(logits, dim=2)[None].expand(len(renamed), -1, -1, -1)
    costs = costs.gather(3, renamed[..., None])[..., 0]
    starts = [*range(0, max(frames - WINDOW, 0) + 1, STRIDE)]
    losses, best_of = [], sets.clone()
    for start in starts:
        end = start + WINDOW if start != starts[-1] else frames
        means = costs[:, :, start:end].mean(dim=2)
        best, choice = means.min(dim=0)
        losses.append(best)
        best_of[:, start:end] = renamed[choice, torch.arange(len(sets)), start:end]
    return torch.stack(losses).mean(), best_of


def count_loss_of(logits: Tensor, sets: Tensor) -> Tensor:
    """Mean cross-entropy of how many speak: logits [b, t, 7] against the truth [b, t]."""
    log = F.log_softmax(logits, dim=2)
    counts = torch.stack([log[..., size == _SIZES].logsumexp(dim=2) for size in range(3)], dim=2)
    return F.nll_loss(counts.flatten(0, 1), _SIZES[sets].flatten())
