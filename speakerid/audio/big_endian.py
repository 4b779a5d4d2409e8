"""AIFF (Apple), AU (Sun) and CAF (Apple) files of plain samples; see `part.py`.

CAF's lengths of compressed packets stand behind its sound, so such files are left to FFmpeg alone.
"""

import struct
from typing import IO

from speakerid.audio.part import MOST_CHUNKS, Part, extent, read

_PLAIN = (b"NONE", b"sowt", b"twos", b"raw ", b"fl32", b"FL32", b"fl64", b"FL64", b"in24", b"in32")
_AU_BYTES = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}  # of a sample, by its encoding
_MOST_HEAD = 1 << 16  # bytes before the samples
_MOST = 0xFFFFFFF0  # bytes that a length of 32 bits may tell


def is_aiff(head: bytes) -> bool:
    """Whether a file begins so."""
    return head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC")


def is_au(head: bytes) -> bool:
    """Whether a file begins so."""
    return head[:4] == b".snd"


def is_caf(head: bytes) -> bool:
    """Whether a file begins so."""
    return head[:6] == b"caff\0\1"


def aiff_part(file: IO[bytes], begin: int, end: int) -> Part | None:
    """The AIFF file that begins here; None if FFmpeg has to see for itself."""
    at, common, frames_at = begin + 12, b"", 0
    for _ in range(MOST_CHUNKS):
        if at + 16 > end or at - begin > _MOST_HEAD:
            return None
        name, size = struct.unpack(">4sI", read(file, at, 8))
        if name == b"COMM" and 18 <= size <= 1000:
            common, frames_at = read(file, at + 8, size).ljust(22, b"\0"), at + 10 - begin - 12
        if name == b"SSND":
            break
        at += 8 + size + size % 2
    else:
        return None
    form = read(file, begin + 8, 4)
    if not common or (form == b"AIFC" and common[18:22] not in _PLAIN):
        return None
    channels, bits = struct.unpack(">H4xH", common[:8])
    rate = _extended(common[8:18])
    block = channels * ((bits + 7) // 8)
    byte_rate = rate * block
    there, told = extent(at + 16, size - 8, end, byte_rate, lambda place: _is_chunk(file, place, end))
    sizes = [min(number, _MOST) for number in (at + 16 + there - begin - 8, there + 8)]
    chunks = bytearray(read(file, begin + 12, at - begin - 12))
    chunks[frames_at : frames_at + 4] = struct.pack(">I", min(there // block, 0x7FFFFFFF) if block else 0)
    head = struct.pack(">4sI4s", b"FORM", sizes[0], form) + chunks
    head += struct.pack(">4sIII", b"SSND", sizes[1], 0, 0)
    return Part(head, at + 16, there, told, there / byte_rate if byte_rate else 0.0, rate, channels)


def au_part(file: IO[bytes], begin: int, end: int) -> Part | None:
    """The AU file that begins here; None if FFmpeg has to see for itself."""
    head = read(file, begin, 24)
    if len(head) < 24:
        return None
    before, claimed, encoding, rate, channels = struct.unpack(">4xIIIII", head)
    byte_rate = rate * channels * _AU_BYTES.get(encoding, 0)
    if not 24 <= before <= min(_MOST_HEAD, end - begin) or not byte_rate:
        return None
    start = begin + before
    size, told = extent(start, claimed, end, byte_rate, lambda at: at >= end or is_au(read(file, at, 4)))
    whole = head[:8] + struct.pack(">I", min(size, _MOST)) + head[12:] + read(file, begin + 24, before - 24)
    return Part(whole, start, size, told, size / byte_rate, rate, channels)


def caf_part(file: IO[bytes], begin: int, end: int) -> Part | None:
    """The CAF file that begins here; None if FFmpeg has to see for itself."""
    at, rate, channels, block = begin + 8, 0, 0, 0
    for _ in range(MOST_CHUNKS):
        if at + 16 > end or at - begin > _MOST_HEAD:
            return None
        name, size = struct.unpack(">4sq", read(file, at, 12))
        if name == b"desc" and size >= 32:
            number, block, frames, channels = struct.unpack(">d8xIII", read(file, at + 12, 28))
            rate = int(number) if 0 <= number < 1 << 32 else 0
            block = block if frames == 1 else 0
        if name == b"data":
            break
        if size < 0:
            return None
        at += 12 + size
    else:
        return None
    if not block:
        return None
    start, byte_rate = at + 16, rate * block
    there, told = extent(
        start, size - 4, end, byte_rate, lambda place: _is_chunk(file, place, end, long=True)
    )
    head = read(file, begin, at - begin) + struct.pack(">4sqI", b"data", there + 4, 0)
    return Part(head, start, there, told, there / byte_rate if byte_rate else 0.0, rate, channels)


def _is_chunk(file: IO[bytes], at: int, end: int, *, long: bool = False) -> bool:
    """Whether a chunk, or another file, begins here: four letters and a length that fits."""
    if end - at < (12 if long else 8):
        return True
    head = read(file, at, 12)
    name, size = struct.unpack(">4sq", head) if long else struct.unpack(">4sI", head[:8])
    fits = 0 <= size <= end + 1 - at - 8
    return is_aiff(head) or is_caf(head) or (all(32 <= byte < 127 for byte in name) and fits)


def _extended(number: bytes) -> int:
    """An 80-bit float of IEEE 754 as a whole number; 0 where it is none that a rate could be."""
    exponent, mantissa = struct.unpack(">HQ", number)
    shift = 16383 + 63 - exponent
    return mantissa >> shift if 0 <= shift < 64 else mantissa if shift == -1 else 0
