"""Sound files of plain samples whose header FFmpeg gets put right; several may be joined end to end.

A recorder writes a placeholder for the length and never comes back, a pipe cannot be rewound to write it, a
length wraps at 4 GB or is of the moment when it was last written. So each kind's chunks are read here
(`riff.py`, `big_endian.py`), and FFmpeg gets a file of a right header and of all the sound that is there.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from speakerid.audio.kinds import MAX_SECONDS

MOST_CHUNKS = 10_000
"""In one file; a hostile one may hold millions of empty ones."""

_NEAR = 1 << 16  # a length this close below or above 2 GB, or below 4 GB, is a placeholder


@dataclass(frozen=True)
class Part:
    """One sound file within a file.

    Attributes:
        head: the bytes that stand before its samples, put right.
        start, size: where its samples are, in bytes, as far as they are there.
        told: seconds of sound that its header promises; 0.0 if it does not say.
        seconds: of sound that is there.
        rate, channels: as the header says.
    """

    head: bytes
    start: int
    size: int
    told: float
    seconds: float
    rate: int
    channels: int


def extent(
    start: int, claimed: int, end: int, byte_rate: int, follows: Callable[[int], bool]
) -> tuple[int, float]:
    """How many bytes of samples are there, and how many seconds the header promises (0.0: it does not say).

    Args:
        start: of the samples.
        claimed: bytes of them, as the header says.
        end: of the file.
        byte_rate: bytes a second; 0 if that cannot be told.
        follows: whether at this place something else than samples begins.
    """
    placeholder = (
        claimed <= 0
        or abs(claimed - (1 << 31)) <= _NEAR
        or (1 << 32) - _NEAR <= claimed < 1 << 32
        or (start + claimed > end and claimed > MAX_SECONDS * byte_rate)
    )
    after = start + claimed + claimed % 2
    goes_on = claimed >= 0 and after < end and not any(follows(place) for place in (after, start + claimed))
    if placeholder and after <= end and not goes_on and claimed > 0:
        placeholder = False  # a file that truly is so long
    if placeholder and (start >= end or follows(start)):
        return 0, 0.0  # no sample was written
    size = end - start if placeholder or goes_on else min(claimed, end - start)
    told = 0.0 if placeholder or goes_on or not byte_rate else claimed / byte_rate
    return size, told


def read(file: IO[bytes], start: int, count: int) -> bytes:
    """So many bytes from a place of a file, fewer at its end."""
    file.seek(start)
    return file.read(count)


class PartFile(io.RawIOBase):
    """A file of `head` and of `size` bytes of another one, for FFmpeg; a seek to anywhere is no error."""

    def __init__(self, file: IO[bytes], head: bytes, start: int, size: int):
        super().__init__()
        self._file, self._head, self._start, self._of_file = file, head, start, size
        self._at, self._size = 0, len(head) + size

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As of any file; what a broken header leads to before the beginning is the beginning."""
        base = (0, self._at, self._size)[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        """As of any file."""
        return self._at

    def readinto(self, buffer) -> int:
        """As of any file."""
        wanted = min(len(buffer), max(0, self._size - self._at))
        data = self._head[self._at : self._at + wanted]
        if len(data) < wanted:
            into = self._at + len(data) - len(self._head)
            data += read(self._file, self._start + into, wanted - len(data))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
