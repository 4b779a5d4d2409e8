"""What the second look needs of a recording, gathered while it is heard: where speech is, voices by pieces.

Speech is cut where the word passes from one to another, as the segmentation hears it, so that a piece is of
one voice, and sound in which two speak at once is left out of it.

Of the sound nothing is kept but the last 40 s. An hour of speech leaves 7200 embeddings and 225,000
frames: 7 MB.
"""

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from speakerid.audio.format import RATE, Block
from speakerid.audio.vad import FRAME, VoiceActivity, segments
from speakerid.conversation import word
from speakerid.model import segmentation
from speakerid.model.segmentation import VOICES
from speakerid.model.segmentation_windows import WindowSegmenter

if TYPE_CHECKING:
    from speakerid.model.embedder import Embedder

PIECE, HOP = 1.5, 0.5
"""Seconds of a piece, and from one to the next: shorter ones say too little of a voice, fewer miss a turn."""

_CHUNK = 24  # s of sound after which it is looked at, in the longest silence of its last third
_STEP = RATE  # samples heard at once, so that the size of the blocks changes nothing
_ALONE = 0.7  # s of a piece in which nobody else speaks, from which the rest of it is left out
_SHORTEST = 0.4  # s of a piece; at the edge of a short word it reaches beyond the word
_SILENT = 1e-4  # standard deviation of what is no sound at all; the encoder refuses it
# Where speech is: generous, for the ends of words that fade into the room belong to it (in made-up meetings
# of people held out of training a probability of 0.5 and no margin lost an eighth of what was said).
_SPEECH = {"threshold": 0.2, "release": 0.1, "min_speech": 0.06, "min_silence": 0.25, "pad": 0.1}


@dataclass(frozen=True, eq=False)
class Pieces:
    """A recording as the second look sees it.

    Attributes:
        spans: where somebody speaks, and nobody else takes the word, (start, end) in s, in order, not
            overlapping.
        at: [n] s, the middle of each piece's own share of time, in order; a piece reaches PIECE / 2 to both
            sides, at most to the ends of its span.
        seconds: [n] of sound in each piece.
        embeddings: [n, d] float32, unit rows.
        local: float16 [t, 3] of local voices, for frames of 16 ms (model/segmentation_windows.py).
    """

    spans: list[tuple[float, float]]
    at: np.ndarray
    seconds: np.ndarray
    embeddings: np.ndarray
    local: np.ndarray = field(default_factory=lambda: np.zeros((0, VOICES), np.float16))


class Gathering:
    """Hears a recording, block by block, and cuts it into pieces.

    Args:
        encoder: embeds them, some tens at once.
    """

    def __init__(self, encoder: "Embedder"):
        self._encoder = encoder
        self._activity = VoiceActivity()
        self._segments = WindowSegmenter.load().stream()
        self._waiting: list[Block] = []  # sound that was not looked at yet …
        self._held = 0  # … samples of it …
        self._speech: list[np.ndarray] = []  # … the speech probabilities of its frames …
        self._settled = np.zeros((0, VOICES), np.float32)  # … and its local voices, as far as they are known
        self._before = 0  # samples that were
        self._spans: list[tuple[float, float]] = []
        self._found: list[tuple[float, float, np.ndarray]] = []  # at, seconds, embedding
        self._local: list[np.ndarray] = []

    def push(self, block: Block) -> None:
        """Hear a block: float32 [n], 16 kHz."""
        at = 0
        while at < len(block):
            part = block[at : at + _STEP - (self._before + self._held) % _STEP]
            at += len(part)
            self._waiting.append(part)
            self._held += len(part)
            self._speech.append(self._activity.push(part))
            self._settle(self._segments.push(part))
            while len(self._settled) * segmentation.FRAME >= _CHUNK * RATE:
                self._look(self._calm())

    def end(self) -> Pieces:
        """The recording has ended: all pieces."""
        self._settle(self._segments.flush())
        while self._held > _CHUNK * RATE:
            self._look(self._calm())
        if self._held:
            self._look(self._held)
        at, seconds, rows = zip(*self._found, strict=True) if self._found else ((), (), ())
        embeddings = np.stack(rows) if rows else np.zeros((0, 0), np.float32)
        local = np.concatenate(self._local) if self._local else np.zeros((0, VOICES), np.float16)
        return Pieces(self._spans, np.array(at), np.array(seconds), embeddings, local)

    def _settle(self, local: np.ndarray) -> None:
        if len(local):
            self._settled = np.concatenate([self._settled, local])

    def _calm(self) -> int:
        """Samples up to a frame of the least speech, late in what waits: hardly a word is cut there."""
        speech = np.concatenate(self._speech)[: _CHUNK * RATE // FRAME]
        late = 2 * len(speech) // 3
        # Over nine frames: the middle of a long pause before a short one.
        around = np.convolve(speech[late:], np.ones(9), "same")
        return (late + int(around.argmin()) + 1) * FRAME

    def _look(self, count: int) -> None:
        """Cut the first `count` samples of what waits into pieces, and let go of them."""
        sound, speech = np.concatenate(self._waiting), np.concatenate(self._speech)
        frames, local_frames = -(-count // FRAME), -(-count // segmentation.FRAME)
        local = self._settled[:local_frames]
        begin, end = self._before / RATE, count / RATE
        spans = _parted(segments(speech[:frames], end, **_SPEECH), word.changes(local))
        cut = [piece for span in spans for piece in _cut(*span, end)]
        blocks = [_sound(sound, local, start, end) for _, start, end in cut]
        usable = [k for k, block in enumerate(blocks) if float(np.std(block)) >= _SILENT]
        rows = self._encoder.embed([blocks[k] for k in usable]) if usable else ()
        for k, row in zip(usable, rows, strict=True):
            self._found.append((begin + cut[k][0], len(blocks[k]) / RATE, row))
        self._spans += [(begin + start, begin + end) for start, end in spans]
        self._local.append(local.astype(np.float16))
        self._waiting, self._speech = [sound[count:]], [speech[frames:]]
        self._settled = self._settled[local_frames:]
        self._before += count
        self._held -= count


def _parted(spans: list[tuple[float, float]], changes: list[float]) -> list[tuple[float, float]]:
    """The spans, cut at the changes within them."""
    parted: list[tuple[float, float]] = []
    for start, end in spans:
        edges = [start, *(at for at in changes if start < at < end), end]
        parted += itertools.pairwise(edges)
    return parted


def _sound(sound: Block, local: np.ndarray, start: float, end: float) -> Block:
    """The sound from start to end s, without that in which two speak at once if enough is left."""
    block = sound[round(start * RATE) : round(end * RATE)]
    frames = (np.arange(len(block)) + round(start * RATE)) // segmentation.FRAME
    alone = word.one_at_a_time(local)[np.minimum(frames, len(local) - 1)]
    return block[alone] if alone.sum() >= _ALONE * RATE else block


def _cut(start: float, end: float, whole: float) -> list[tuple[float, float, float]]:
    """(at, start, end) of the pieces of a span; none reaches beyond what there is (`whole`, s)."""
    cut: list[tuple[float, float, float]] = []
    for at in np.arange(start, end, HOP) + HOP / 2:
        first, last = max(start, at - PIECE / 2), min(end, at + PIECE / 2)
        if last - first < _SHORTEST:
            first = max(0.0, min((first + last - _SHORTEST) / 2, whole - _SHORTEST))
            last = min(whole, first + _SHORTEST)
        if last - first >= _SHORTEST - 1e-3:
            cut.append((float(at), float(first), float(last)))
    return cut
