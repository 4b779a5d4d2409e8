"""Which turns of a recording surely are one voice's, so that it may be enrolled from all of them."""

from collections.abc import Sequence

import numpy as np

from speakerid.conversation.entry import Entry, is_stranger
from speakerid.conversation.pieces import HOP, PIECE, Pieces
from speakerid.conversation.strangers import LEAST_SECONDS, SURELY
from speakerid.identify.scoring import Scorer

_BEYOND = 0.15  # s by which a piece may reach out of a turn and still tell of its voice


def surely_of_pieces(turns: Sequence[Entry], of: int, pieces: Pieces, scorer: Scorer) -> list[bool]:
    """For each turn, whether it surely is of the unknown voice of turn `of`, and of no other beside it.

    The voices of both turns as a whole are compared, and each piece of the other turn has to be likelier that
    voice's than not. Turns of less than LEAST_SECONDS are too uncertain; those of enrolled people are theirs.
    """
    own = _inside(turns[of], pieces)
    sure = [number == of for number in range(len(turns))]
    if not len(own):
        return sure
    voice, seconds = _mean(pieces, own)
    for number, turn in enumerate(turns):
        there = _inside(turn, pieces)
        if number == of or not is_stranger(turn.speaker) or not len(there):
            continue
        mean, long = _mean(pieces, there)
        whole = scorer.same_voices(np.array([voice @ mean]), np.array([seconds]), np.array([long]))[0]
        cosine = pieces.embeddings[there] @ voice
        parts = scorer.same_voices(cosine, pieces.seconds[there], np.full(len(there), seconds))
        sure[number] = bool(whole >= SURELY and parts.min() >= 0)
    return sure


def _inside(turn: Entry, pieces: Pieces) -> np.ndarray:
    """Numbers of the pieces that lie in a turn; none where it is too short to compare."""
    half = PIECE / 2 - _BEYOND
    if turn.end - turn.start < LEAST_SECONDS:
        return np.zeros(0, int)
    first, last = np.searchsorted(pieces.at, (turn.start + half - 1e-6, turn.end - half + 1e-6)).tolist()
    return np.arange(int(first), int(last))


def _mean(pieces: Pieces, which: np.ndarray) -> tuple[np.ndarray, float]:
    """The mean voice of pieces [d], and how many seconds it was made from."""
    total = pieces.embeddings[which].sum(axis=0)
    return total / max(float(np.linalg.norm(total)), 1e-9), HOP * len(which) + PIECE - HOP
