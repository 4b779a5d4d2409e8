"""The speaker classification head: a layer on the embedding, for rooms in which everybody is enrolled.

It has a prototype a person, started from the voiceprint and fine-tuned on the exemplars of everybody by a
large-margin softmax (Wang et al., "Additive margin softmax", arXiv:1801.05599), so that people who sound
alike are told apart by what differs between them. It cannot say "unknown": the open-set decision stays on
calibrated scores.
"""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from speakerid import threads
from speakerid.errors import ModelError

SCALE, MARGIN = 20.0, 0.15
STEPS, LEARNING_RATE = 150, 0.02
STAY = 4.0  # pull back to the voiceprint: a handful of exemplars must not carry a prototype away
FEWEST_EXEMPLARS = 3  # a person; with fewer there is nothing to tune on


def prototypes(people: Sequence[np.ndarray], tune: bool = True) -> np.ndarray:
    """Unit prototypes [p, d]: the voiceprints' centers, fine-tuned where there is enough to learn from.

    Args:
        people: the exemplars [n, d] of each person.
        tune: False gives the centers.

    Raises:
        ModelError: PyTorch is not installed, and there is something to tune.
    """
    centers = _unit(np.stack([np.asarray(own, np.float64).mean(axis=0) for own in people]))
    if not tune or len(people) < 2 or min(map(len, people)) < FEWEST_EXEMPLARS:
        return centers.astype(np.float32)
    return _tuned(centers, people).astype(np.float32)


def _tuned(centers: np.ndarray, people: Sequence[np.ndarray]) -> np.ndarray:
    try:
        import torch
        from torch.nn import functional as F
    except ImportError as problem:
        raise ModelError(
            'To tune the classification head takes PyTorch: pip install "speakerid[app]", or compare with '
            "the voiceprints."
        ) from problem
    threads.hold()
    start = torch.as_tensor(centers)
    rows = torch.as_tensor(_unit(np.concatenate([np.asarray(own, np.float64) for own in people])))
    counts = torch.tensor([len(own) for own in people])
    owner = torch.repeat_interleave(torch.arange(len(people)), counts)
    share = 1 / (counts[owner] * len(people))  # people weigh alike, however much they enrolled
    margin = MARGIN * F.one_hot(owner, len(people))
    with torch.inference_mode(False), torch.enable_grad():
        weight = torch.nn.Parameter(start.clone())
        optimizer: Any = cast(Any, torch.optim.Adam)([weight], lr=LEARNING_RATE, betas=(0.9, 0.99))
        for _ in range(STEPS):
            unit = F.normalize(weight, dim=1)
            losses = F.cross_entropy(SCALE * (rows @ unit.T - margin), owner, reduction="none")
            stay = STAY / (2 * len(people)) * (unit - start).square().sum()
            optimizer.zero_grad()
            torch.autograd.backward((share * losses).sum() + stay)
            optimizer.step()
        return F.normalize(weight, dim=1).detach().numpy()


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
