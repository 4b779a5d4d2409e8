"""Whose voice it is, by how much it agrees with each person enrolled."""

import numpy as np
import pytest

from speakerid.gallery.enrollment import NEAR_MARGIN, NEAR_VOICE, OTHER_VOICE, _is_theirs


@pytest.mark.parametrize(
    ("scores", "theirs"),
    [
        ([OTHER_VOICE], True),
        ([OTHER_VOICE, OTHER_VOICE - 0.01], True),  # two people alike: still no new person
        ([NEAR_VOICE], True),
        ([NEAR_VOICE - 0.01], False),
        ([0.1, NEAR_VOICE, NEAR_VOICE - NEAR_MARGIN - 0.01], True),
        ([0.1, NEAR_VOICE, NEAR_VOICE - NEAR_MARGIN + 0.01], False),  # much like several: like anybody
    ],
)
def test_a_voice_is_somebodys_if_it_is_alike_or_stands_out(scores: list[float], theirs: bool):
    assert _is_theirs(np.array(scores)) == theirs
