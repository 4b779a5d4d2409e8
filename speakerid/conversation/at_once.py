"""Who speaks beside whoever has the word: local voices of the segmentation, by the names that pieces have.

The segmentation (model/segmentation_windows.py) hears frame by frame that two voices speak, but not whose
they are; the pieces tell whose they are, but only one at a time. A run is a stretch in which a local voice
speaks without a break. It is whoever the pieces have where it speaks alone, there or nearby.
"""

from collections.abc import Iterator

import numpy as np

from speakerid.conversation.word import FRAME
from speakerid.model.segmentation_windows import SPEAKS

_ALONE = 0.3  # s alone from which a run tells by itself whose it is; otherwise the slot's other runs do …
_NEARBY = 5.0  # … so many s to both sides: so long the segmentation keeps a voice in its slot
_SHORTEST = 0.1  # s


def beside(labels: np.ndarray, local: np.ndarray) -> Iterator[tuple[float, float, int, float]]:
    """(start s, end s, voice, probability) of each stretch in which a second voice speaks.

    Args:
        labels: [t] int, the voice that has the word in each frame; −1 for nobody.
        local: [t, 3] probabilities of the local voices; it may be shorter or longer by some frames.
    """
    frames = min(len(labels), len(local))
    labels, local = labels[:frames], local[:frames]
    on = local >= SPEAKS
    several = (on.sum(axis=1) > 1) & (labels >= 0)
    if not several.any():
        return
    alone = on & (on.sum(axis=1) == 1)[:, None] & (labels >= 0)[:, None]
    for slot in range(on.shape[1]):
        for first, last in _runs(on[:, slot]):
            voice = _owner(labels, alone[:, slot], first, last)
            second = several[first:last] & (labels[first:last] != voice)
            for begin, end in _runs(second) if voice >= 0 else ():
                if (end - begin) * FRAME >= _SHORTEST:
                    sure = float(local[first + begin : first + end, slot].mean(dtype=float))
                    yield (first + begin) * FRAME, (first + end) * FRAME, voice, sure


def _owner(labels: np.ndarray, alone: np.ndarray, first: int, last: int) -> int:
    """Whose the run of frames first..last of a local voice is; −1 where nothing tells."""
    own = labels[first:last][alone[first:last]]
    if len(own) * FRAME < _ALONE:
        near = round(_NEARBY / FRAME)
        around = slice(max(0, first - near), last + near)
        own = labels[around][alone[around]]
    return int(np.bincount(own).argmax()) if len(own) else -1


def _runs(on: np.ndarray) -> list[tuple[int, int]]:
    """(first, one after the last) of each stretch of True in bool [t]."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], on.astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
