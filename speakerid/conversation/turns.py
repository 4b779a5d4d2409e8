"""From the voice of each piece to turns: their edges, their names, their confidence."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from speakerid.conversation.at_once import beside
from speakerid.conversation.entry import Entry
from speakerid.conversation.pieces import HOP, Pieces
from speakerid.conversation.word import FRAME
from speakerid.gallery import UNKNOWN

JOIN_SECONDS = 0.6
"""Pauses up to this long belong to a turn when the same voice goes on."""

_SHORTEST = 0.1  # s of a turn


@dataclass
class _Turn:
    start: float
    end: float
    voice: int
    sure: float
    beside: bool = False


def turns_of(
    pieces: Pieces, path: np.ndarray, share: np.ndarray, names: Sequence[str], needed: float
) -> tuple[Entry, ...]:
    """The turns, in the order of their beginnings; they overlap where people speak at once.

    Args:
        path: [n] the voice of each piece: a person of `names`, then strangers; the last is "somebody else".
        share: [n, k] probability of each voice at each piece.
        names: of the people.
        needed: mean probability that a turn needs to carry a name; otherwise it is "unknown".
    """
    else_ = share.shape[1] - 1
    found: list[_Turn] = []
    for start, end, first, last in _stretches(pieces, path):
        voice = int(path[first])
        sure = share[first:last, voice].mean()
        if voice < len(names) and sure < needed:
            voice = else_
        if voice >= len(names):
            sure = share[first:last, len(names) :].sum(axis=1).mean()
        found.append(_Turn(start, end, voice, float(sure)))
    found = _with_others(found, pieces.local)
    strangers = list(dict.fromkeys(turn.voice for turn in found if len(names) <= turn.voice < else_))
    called = dict(enumerate(names)) | dict.fromkeys(range(len(names), else_ + 1), UNKNOWN)
    if len(strangers) > 1:
        called |= {voice: f"{UNKNOWN} {number}" for number, voice in enumerate(strangers, 1)}
    return tuple(
        Entry(
            turn.start,
            turn.end,
            called[turn.voice],
            turn.sure,
            called[turn.voice] if turn.voice < len(names) else UNKNOWN,
            turn.beside,
        )
        for turn in found
    )


def _stretches(pieces: Pieces, path: np.ndarray) -> list[tuple[float, float, int, int]]:
    """(start, end, first piece, piece after the last) of each stretch of one voice."""
    found: list[tuple[float, float, int, int]] = []
    for start, end in pieces.spans:
        first, last = np.searchsorted(pieces.at, (start, end + HOP - 1e-6))
        at = start
        for k in range(first, last):
            until = end if k == last - 1 else min(end, (pieces.at[k] + pieces.at[k + 1]) / 2)
            same = bool(found) and path[found[-1][2]] == path[k]
            if same and at - found[-1][1] <= JOIN_SECONDS:
                found[-1] = (found[-1][0], until, found[-1][2], k + 1)
            elif until - at >= _SHORTEST:
                found.append((at, until, k, k + 1))
            at = until
    return found


def _with_others(turns: list[_Turn], local: np.ndarray) -> list[_Turn]:
    """The turns, with what others said beside them; what leads into a turn of the same voice or out of it
    belongs to that."""
    labels = np.full(round(turns[-1].end / FRAME) + 1 if turns else 0, -1)
    for turn in turns:
        labels[round(turn.start / FRAME) : round(turn.end / FRAME)] = turn.voice
    more = [_Turn(start, end, voice, sure, True) for start, end, voice, sure in beside(labels, local)]
    latest: dict[int, _Turn] = {}
    joined: list[_Turn] = []
    for turn in sorted(turns + more, key=lambda one: one.start):
        before = latest.get(turn.voice)
        if before and turn.start - before.end <= JOIN_SECONDS and (before.beside or turn.beside):
            if before.beside and not turn.beside:
                before.sure, before.beside = turn.sure, False
            before.end = max(before.end, turn.end)
        else:
            joined.append(turn)
            latest[turn.voice] = turn
    return joined
