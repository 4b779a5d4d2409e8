"""AMR files (RFC 4867, 5) that are damaged in their middle: their frames are found again.

A frame's first byte tells how long it is, and nothing else marks where one begins. In what is damaged FFmpeg
sees frames of other lengths, and of more or less time. Here frames count where several follow each other;
what lies between two such runs becomes as many frames without data as there was room for.
"""

import io
from typing import IO, cast

from speakerid.audio.endings import size_of
from speakerid.audio.mended import Mended, Span

_KINDS = {  # how a file begins: bytes of a frame of each type
    b"#!AMR\n": (13, 14, 16, 18, 20, 21, 27, 32, 6, 0, 0, 0, 0, 0, 0, 1),
    b"#!AMR-WB\n": (18, 24, 33, 37, 41, 47, 51, 59, 61, 6, 0, 0, 0, 0, 1, 1),
}
_MOST_BYTES = 1_000_000_000
_CHAIN = 10  # frames that have to follow each other to be believed behind a hole
_NO_DATA = bytes([15 << 3 | 4])


def mended(file: IO[bytes]) -> IO[bytes]:
    """The file itself, or, for an AMR file damaged in its middle, its frames and what stands for those that
    are lost."""
    file.seek(0)
    beginning = file.read(9)
    magic = next((magic for magic in _KINDS if beginning.startswith(magic)), b"")
    if not magic or size_of(file) > _MOST_BYTES:
        return file
    file.seek(0)
    data = file.read()
    runs = _runs(data, len(magic), _KINDS[magic])
    if len(runs) < 2:  # whole, or cut off
        return file
    out, lost = bytearray(magic), list[Span]()
    mean = sum(end - begin for begin, end, _ in runs) / sum(count for _, _, count in runs)
    before = len(magic)
    for begin, end, _ in runs:
        if begin > before and data[before:begin] != magic:  # as where files are joined
            frames = max(1, round((begin - before) / mean))
            lost.append((len(out), len(out) + frames))
            out += _NO_DATA * frames
        out += data[begin:end]
        before = end
    file.close()
    return cast("IO[bytes]", Mended(io.BytesIO(bytes(out)), [], lost))


def _runs(data: bytes, at: int, sizes: tuple[int, ...]) -> list[tuple[int, int, int]]:
    """(begin, end, number of frames) of the frames that follow each other."""
    runs: list[tuple[int, int, int]] = []
    while at < len(data):
        end, count = _follow(data, at, sizes, len(data))
        if count:
            runs.append((at, end, count))
        at = end
        while (
            at < len(data) and _follow(data, at, sizes, _CHAIN)[1] < _CHAIN and not _to_end(data, at, sizes)
        ):
            at += 1
    return runs


def _to_end(data: bytes, at: int, sizes: tuple[int, ...]) -> bool:
    """Whether fewer frames than are believed lead to the very end."""
    return len(data) - at <= _CHAIN * max(sizes) and _follow(data, at, sizes, _CHAIN)[0] == len(data)


def _follow(data: bytes, at: int, sizes: tuple[int, ...], most: int) -> tuple[int, int]:
    """(where the frames end that follow each other from here on, how many they are), at most so many."""
    count = 0
    while count < most and at < len(data):
        # Two bits are zero in any; a first byte of zeros alone would be a bad frame of the lowest rate.
        size = 0 if data[at] & 0x83 or not data[at] else sizes[data[at] >> 3 & 15]
        if not size or at + size > len(data):
            break
        at += size
        count += 1
    return at, count
