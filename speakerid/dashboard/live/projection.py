"""A fixed 3-D view of the embedding space that pulls the enrolled people apart.

Linear discriminant analysis with strong shrinkage: a voiceprint has a handful of exemplars in 192 dimensions,
so the scatter within people is mostly assumed round. Axes that the people do not determine (fewer than four
of them) are filled with the main directions of their exemplars, then with fixed directions, so that there is
always a view, and always the same one for the same people.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_SHRINKAGE = 0.7  # share of the within-person scatter that is replaced by a round one
_AXES = 3


@dataclass(frozen=True)
class Projection:
    """Maps embeddings [n, d] to points [n, 3]; the people's exemplars fill about −1..1."""

    center: np.ndarray  # [d]
    axes: np.ndarray  # [d, 3]

    def __call__(self, embeddings: np.ndarray) -> np.ndarray:
        """Points [n, 3] of embeddings [n, d] (or [3] of one [d])."""
        return (np.asarray(embeddings, dtype=np.float64) - self.center) @ self.axes


def fit(people: Sequence[np.ndarray]) -> Projection:
    """The view for these people, each an array [k, d] of exemplars (unit rows); at least one person."""
    rows = np.concatenate(people).astype(np.float64)
    size = rows.shape[1]
    means = np.stack([person.astype(np.float64).mean(axis=0) for person in people])
    center = means.mean(axis=0)
    residuals = rows - np.repeat(means, [len(person) for person in people], axis=0)
    round_part = max(float((residuals**2).mean()), 1e-4)
    within = residuals.T @ residuals / len(rows) * (1 - _SHRINKAGE) + np.eye(size) * round_part * _SHRINKAGE

    # Whiten the scatter within people, then take the main directions of their means (Fisher's criterion).
    values, vectors = np.linalg.eigh(within)
    whiten = vectors / np.sqrt(np.maximum(values, 1e-12)) @ vectors.T
    between = whiten @ _main_directions((means - center) @ whiten)
    spread = _main_directions(residuals)
    fixed = np.random.default_rng(0).standard_normal((size, _AXES))
    axes = _orthonormal(np.concatenate([between, spread, fixed], axis=1))

    points = (rows - center) @ axes
    reach = np.maximum(np.abs(points).max(axis=0), 0.25)  # an axis nobody is spread along stays calm
    return Projection(center, axes / reach)


def _main_directions(centered: np.ndarray) -> np.ndarray:
    """Up to three main directions [d, m] of rows [n, d], those that carry anything, signs fixed."""
    _, strengths, directions = np.linalg.svd(centered, full_matrices=False)
    kept = directions[:_AXES][strengths[:_AXES] > 1e-6 * max(1.0, float(strengths[0]))].T
    signs = np.sign(kept[np.abs(kept).argmax(axis=0), np.arange(kept.shape[1])])
    return kept * signs


def _orthonormal(columns: np.ndarray) -> np.ndarray:
    """The first three independent columns of [d, m], made orthonormal in order (Gram-Schmidt)."""
    found: list[np.ndarray] = []
    for column in columns.T:
        rest = column - sum((axis * (axis @ column) for axis in found), np.zeros_like(column))
        length = float(np.linalg.norm(rest))
        if length > 1e-6 * max(float(np.linalg.norm(column)), 1e-12):
            found.append(rest / length)
        if len(found) == _AXES:
            break
    return np.stack(found, axis=1)
