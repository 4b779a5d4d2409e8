"""What the segmentation hears in the recordings of one enrollment: whether two speak at once, and what each
of two local voices says alone.

It follows speech frame by frame, so it needs no pauses between people, and no voice model: what it says holds
for all of them. Whether two local voices are two people is asked of the embeddings of what each says.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from speakerid.audio.format import RATE
from speakerid.gallery.voiceprint import unit
from speakerid.model.embedder import Embedder
from speakerid.model.segmentation import FRAME
from speakerid.model.segmentation_windows import SPEAKS, WindowSegmenter

MOST_AT_ONCE = 0.22
"""Share of the speech in which two may speak. Of 172 enrollments of people held out of training 1.7 % have
more, and 98 % of as many in which two speak at once."""
LEAST_ALONE = 0.8  # s that a local voice says alone; less is no voice of its own
MOST_ALONE = 8.0  # s of it that are embedded


@dataclass(frozen=True)
class Segmented:
    """What was heard in some recordings.

    Attributes:
        at_once: share 0..1 of the speech in which two speak.
        pairs: of each recording with two local voices: what each of them says alone, float32 [n] at 16 kHz.
    """

    at_once: float
    pairs: list[tuple[np.ndarray, np.ndarray]]


def segmented(recordings: Sequence[np.ndarray]) -> Segmented:
    """Hear recordings, each float32 [n] at 16 kHz."""
    segmenter = WindowSegmenter.load()
    spoken = both = 0
    pairs: list[tuple[np.ndarray, np.ndarray]] = []
    for samples in recordings:
        active = segmenter.whole(samples) >= SPEAKS
        count = active.sum(axis=1)
        spoken += int((count > 0).sum())
        both += int((count > 1).sum())
        said = sorted((_said(samples, voice & (count == 1)) for voice in active.T), key=len)
        if len(said[-2]) >= LEAST_ALONE * RATE:
            pairs.append((said[-1], said[-2]))
    return Segmented(both / max(spoken, 1), pairs)


def agreement_of_pairs(pairs: Sequence[tuple[np.ndarray, np.ndarray]], encoder: Embedder) -> float:
    """The lowest cosine between the two voices of a pair; 1.0 without pairs."""
    if not pairs:
        return 1.0
    rows = unit(encoder.embed([said for pair in pairs for said in pair]))
    return float(np.einsum("ij,ij->i", rows[::2], rows[1::2]).min())


def _said(samples: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """The samples of some frames, bool [t]."""
    chosen = np.repeat(frames, FRAME)[: len(samples)]
    return samples[: len(chosen)][chosen][: round(MOST_ALONE * RATE)]
