"""Recordings that can be heard whole: each under a token that cannot be guessed, as a WAV file in ranges."""

import secrets
import struct
from collections.abc import Iterator
from typing import Protocol
from weakref import WeakValueDictionary

import numpy as np

from speakerid.audio.format import RATE

HEADER = 44  # bytes of a WAV file before its samples
_PIECE = 128 * RATE // 16  # samples that are read at once


class Whole(Protocol):
    """A sound that can be heard from its begin to its end."""

    @property
    def seconds(self) -> float: ...
    def cut(self, start: float, end: float) -> np.ndarray | None: ...


_sounds: "WeakValueDictionary[str, Whole]" = WeakValueDictionary()


def offer(sound: Whole) -> str:
    """Let who knows the token that this returns hear a sound, as long as it is kept."""
    token = secrets.token_urlsafe(24)
    _sounds[token] = sound
    return token


def find(token: str) -> Whole | None:
    """The sound of a token; None where it is kept no more."""
    sound = _sounds.get(token)
    return sound if sound is not None and sound.seconds else None


def size(sound: Whole) -> int:
    """Bytes of the WAV file."""
    return HEADER + 2 * round(sound.seconds * RATE)


def wav(sound: Whole, first: int, last: int) -> Iterator[bytes]:
    """The bytes `first` to `last`, both included, of a sound as a WAV file: 16 bit, mono, 16 kHz.

    What is not kept any more is silent: the length was promised.
    """
    total = size(sound)
    if first < HEADER:
        yield _header(total)[first : last + 1]
    at = max(first, HEADER)
    while at <= last:
        sample = (at - HEADER) // 2
        end = min(sample + _PIECE, (last - HEADER) // 2 + 1)
        found = sound.cut(sample / RATE, end / RATE)
        held = b"" if found is None else found.astype("<i2").tobytes()
        piece = held.ljust(2 * (end - sample), b"\0")[(at - HEADER) % 2 :][: last + 1 - at]
        yield piece
        at += len(piece)


def _header(total: int) -> bytes:
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16)
    data = struct.pack("<4sI", b"data", total - HEADER)
    return struct.pack("<4sI4s", b"RIFF", total - 8, b"WAVE") + form + data
