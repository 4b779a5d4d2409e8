"""A kept session without some of the people in it: their turns are silent, and nameless."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from speakerid.audio.format import RATE, Block
from speakerid.gallery.kept_session import REMOVED, KeptSession, SessionPiece, SessionVoice

_AROUND_S = 0.2  # what is silenced before and after a turn, whose ends are not known to the sample


def without(session: KeptSession, people: Collection[str]) -> tuple[KeptSession, list[tuple[float, float]]]:
    """The session without the names of these people (ids), and the stretches (s) that are to be silent."""
    gone = {at for at, voice in enumerate(session.voices) if voice.person and voice.person in people}
    voices = [SessionVoice(label=REMOVED) if at in gone else voice for at, voice in enumerate(session.voices)]
    silent = [(t.start - _AROUND_S, t.end + _AROUND_S) for t in session.turns if t.voice in gone]
    return replace(session, voices=tuple(voices)), silent


def silenced(samples: Block, at: SessionPiece, silent: Sequence[tuple[float, float]]) -> Block:
    """Sound [n] of the piece `at`, with zeros in these stretches (s of the session)."""
    samples = np.array(samples, np.float32)
    for start, end in silent:
        first, last = (max(0, round((second - at.start) * RATE)) for second in (start, end))
        samples[first:last] = 0.0
    return samples
