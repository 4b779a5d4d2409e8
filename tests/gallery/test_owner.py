"""Whose voice it is, by how much it agrees with each person enrolled."""

import numpy as np
import pytest

from speakerid.gallery.owner import _is_theirs
from speakerid.model.limits import Limits

L = Limits(other_voice=0.7, near_voice=0.6, near_margin=0.15)


@pytest.mark.parametrize(
    ("scores", "theirs"),
    [
        ([L.other_voice], True),
        ([L.other_voice, L.other_voice - 0.01], True),  # two people alike: still no new person
        ([L.near_voice], True),
        ([L.near_voice - 0.01], False),
        ([0.1, L.near_voice, L.near_voice - L.near_margin - 0.01], True),
        ([0.1, L.near_voice, L.near_voice - L.near_margin + 0.01], False),  # much like several: like anybody
    ],
)
def test_a_voice_is_somebodys_if_it_is_alike_or_stands_out(scores: list[float], theirs: bool):
    assert _is_theirs(np.array(scores), L) == theirs
