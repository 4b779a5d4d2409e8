"""Who has the word, frame by frame, as the segmentation hears it: one local voice at a time.

Whoever speaks keeps the word until they pause, so that who throws in a word, or begins before the other has
ended, does not take it.
"""

from dataclasses import dataclass

import numpy as np

from speakerid.audio.format import RATE
from speakerid.model import segmentation
from speakerid.model.segmentation_windows import SPEAKS

FRAME = segmentation.FRAME / RATE
"""Seconds of a frame."""

_SHORTEST = 0.4  # s that somebody has the word; less is a cough, or a slip of the segmentation


@dataclass
class _Hold:
    first: int
    last: int  # the frame after
    voice: int


def changes(local: np.ndarray) -> list[float]:
    """When the word passes from one local voice to another one: s from the first frame, in order.

    Args:
        local: [t, 3] probabilities of the local voices (model/segmentation_windows.py).
    """
    holds = _lasting(_holds(local))
    return [hold.first * FRAME for hold in holds[1:]]


def one_at_a_time(local: np.ndarray) -> np.ndarray:
    """bool [t]: frames in which at most one local voice speaks."""
    return (local >= SPEAKS).sum(axis=1) < 2


def _holds(local: np.ndarray) -> list[_Hold]:
    """A pause between two voices is half the one's and half the other's: voices are noticed late."""
    speaks, loudest = local >= SPEAKS, local.argmax(axis=1)
    holds: list[_Hold] = []
    for frame in range(len(local)):
        if holds and speaks[frame, holds[-1].voice]:
            holds[-1].last = frame + 1
        elif speaks[frame].any():  # then the loudest does
            voice = int(loudest[frame])
            if holds:
                holds[-1].last = (holds[-1].last + frame) // 2
            holds.append(_Hold(holds[-1].last if holds else frame, frame + 1, voice))
    return holds


def _lasting(holds: list[_Hold]) -> list[_Hold]:
    """The same without the short ones, the shortest first: what lies between goes to the longer neighbour."""
    holds = list(holds)
    while len(holds) > 1:
        short = min(range(len(holds)), key=lambda k: holds[k].last - holds[k].first)
        if (holds[short].last - holds[short].first) * FRAME >= _SHORTEST:
            break
        gone = holds.pop(short)
        before, after = holds[short - 1] if short else None, holds[short] if short < len(holds) else None
        if before and after and before.voice == after.voice:
            before.last = holds.pop(short).last
        elif before and (not after or before.last - before.first >= after.last - after.first):
            before.last = gone.last
        elif after:
            after.first = gone.first
    return holds
