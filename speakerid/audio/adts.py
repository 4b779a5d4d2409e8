"""AAC without a container (ADTS), damaged: what FFmpeg takes for a header in it swallows real frames.

A header (ISO/IEC 13818-7, 6.2) is 12 bits of ones, what stays the same in a stream, and the frame's length.
Here a frame counts where the next one begins at its end. What lies between two such frames becomes frames of
as many bytes that cannot be decoded: so the damage is told, and the time goes on.
"""

import io
from typing import IO

from speakerid.audio.endings import size_of

_HEAD = 7  # bytes
_MOST_BYTES = 1_000_000_000  # of a damaged file, which is put right in memory
_WINDOW = 1 << 16
_FRAME = 512  # bytes of a frame that stands for what is lost


def whole(file: IO[bytes]) -> IO[bytes]:
    """The file itself, or, for an ADTS file damaged in its middle, its frames and what stands for those that
    are lost; the file is closed then."""
    end = size_of(file)
    same = _stream(file, 0)
    if not same or end > _MOST_BYTES:
        return file
    pieces: list[tuple[int, int]] = []  # where frames that follow each other begin and end
    at = 0
    while at < end:
        until = _follow(file, at, end, same)
        if until > at:
            pieces.append((at, until))
        at = _next(file, until, end, same)
    if len(pieces) < 2:  # whole, or cut off, or with a tag at its end
        return file
    joined = _joined(file, pieces, same)
    file.close()
    return io.BytesIO(joined)


def _joined(file: IO[bytes], pieces: list[tuple[int, int]], same: bytes) -> bytes:
    out, before = bytearray(), 0
    for at, until in pieces:
        out += _lost(same, at - before)
        file.seek(at)
        out += file.read(until - at)
        before = until
    return bytes(out)


def _lost(same: bytes, size: int) -> bytes:
    """Frames of so many bytes in all that nothing can be decoded of."""
    out = bytearray()
    while (left := size - len(out)) >= _HEAD:
        length = left if left <= _FRAME + _HEAD else _FRAME
        head = bytearray([*same, length >> 3 & 0xFF, (length & 7) << 5 | 0x1F, 0xFC])
        head[3] |= length >> 11
        out += head + bytes(length - _HEAD)  # the decoder refuses zeros
    return bytes(out) + bytes(size - len(out))


def _stream(file: IO[bytes], at: int) -> bytes:
    """What the headers of a stream share, of the one that begins here; nothing where none does."""
    file.seek(at)
    same, length = _header(file.read(_HEAD))
    file.seek(at + length)
    return same if same and _header(file.read(_HEAD))[0] == same else b""


def _header(head: bytes) -> tuple[bytes, int]:
    """(what the headers of a stream share, the frame's length); (b"", 0) if it is no header."""
    if len(head) < _HEAD or head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or head[2] >> 2 & 15 > 12:
        return b"", 0
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return (bytes([head[0], head[1], head[2], head[3] & 0xC0]), length) if length > _HEAD else (b"", 0)


def _follow(file: IO[bytes], at: int, end: int, same: bytes) -> int:
    """Where the frames end that follow each other from here on."""
    while True:
        file.seek(at)
        found, length = _header(file.read(_HEAD))
        after = at + length
        if found != same or after > end:
            return at
        file.seek(after)
        if after < end and _header(file.read(_HEAD))[0] != same:
            return at
        at = after


def _next(file: IO[bytes], at: int, end: int, same: bytes) -> int:
    """Where the next frame begins that another one follows; the end where none does."""
    while at < end:
        file.seek(at)
        window = file.read(_WINDOW + _HEAD)
        place = window.find(same[:3])
        while 0 <= place < _WINDOW:
            if _follow(file, at + place, end, same) > at + place:
                return at + place
            place = window.find(same[:3], place + 1)
        at += _WINDOW
    return end
