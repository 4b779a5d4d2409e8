"""The view of the embedding space."""

import numpy as np
import pytest

from speakerid.dashboard.live.projection import fit


def voices(people: int, each: int, spread: float = 0.5, seed: int = 0) -> list[np.ndarray]:
    """`people` arrays [each, 192] of unit rows around random directions."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(people):
        rows = rng.standard_normal(192) + spread * rng.standard_normal((each, 192))
        found.append((rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32))
    return found


@pytest.mark.parametrize(("people", "each"), [(1, 1), (1, 6), (2, 1), (2, 5), (3, 4), (12, 10)])
def test_there_is_a_finite_view_for_any_number_of_people(people, each):
    groups = voices(people, each)
    view = fit(groups)
    points = np.concatenate([view(group) for group in groups])
    assert points.shape == (people * each, 3)
    assert np.isfinite(points).all()
    assert np.abs(points).max() <= 1 + 1e-9
    assert np.linalg.matrix_rank(view.axes) == 3


def test_people_lie_apart_in_the_plane_that_is_shown():
    groups = voices(4, 6)
    view = fit(groups)
    flat = [view(group)[:, :2] for group in groups]
    means = np.stack([group.mean(axis=0) for group in flat])
    scatter = max(float(np.linalg.norm(group - group.mean(axis=0), axis=1).max()) for group in flat)
    nearest = min(np.linalg.norm(a - b) for k, a in enumerate(means) for b in means[:k])
    assert nearest > 2 * scatter


def test_a_new_recording_of_somebody_falls_near_their_own_cluster():
    groups = voices(3, 8, seed=1)
    view = fit([group[:6] for group in groups])
    means = [view(group[:6]).mean(axis=0)[:2] for group in groups]
    for k, group in enumerate(groups):
        for point in view(group[6:])[:, :2]:
            assert int(np.argmin([np.linalg.norm(point - mean) for mean in means])) == k


def test_the_same_people_give_the_same_view():
    first, second = fit(voices(3, 4)), fit(voices(3, 4))
    assert np.array_equal(first.axes, second.axes)


def test_identical_exemplars_are_no_trouble():
    one = np.zeros((4, 192), np.float32)
    one[:, 0] = 1
    assert np.isfinite(fit([one, one])(one)).all()
