"""WAV files of all sizes: RIFF, RF64 and BW64 (EBU Tech 3306), and Sony's Wave64; see `part.py`.

Programs write wrong byte rates, too, and forget the padding after chunks of odd size.
"""

import struct
from typing import IO

from speakerid.audio.part import MOST_CHUNKS, Part, extent, read

_PCM = {1, 3, 6, 7, 0xFFFE}  # PCM, float, A-law, µ-law, extensible: a sample's size follows from its bits
_W64_RIFF = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"
_W64_TAIL = b"\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"  # of the other chunks' names
_W64_HEAD = 24  # bytes of a chunk's name and size


def is_wave(head: bytes) -> bool:
    """Whether a file begins so."""
    return head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE"


def is_wave64(head: bytes) -> bool:
    """Whether a file begins so."""
    return head[:16] == _W64_RIFF and head[24:40] == b"wave" + _W64_TAIL


def wave_part(file: IO[bytes], begin: int, end: int) -> Part | None:
    """The WAV file that begins here; None if FFmpeg has to see for itself."""
    at, header, long = begin + 12, b"", 0
    for _ in range(MOST_CHUNKS):
        if at + 8 > end:
            return None
        name, size = struct.unpack("<4sI", read(file, at, 8))
        if name == b"fmt " and 16 <= size <= 1000:
            header = _corrected(read(file, at + 8, size).ljust(16, b"\0"))
        if name == b"ds64" and size >= 16:  # lengths of more than 4 GB, the data's second
            long = struct.unpack("<Q", read(file, at + 16, 8).ljust(8, b"\0"))[0]
        if name == b"data":
            claimed = long if size == 0xFFFFFFFF and long else size
            return _with_sound(file, header, at + 8, claimed, end) if header else None
        at += 8 + size
        if size % 2 and not (_is_chunk(file, at, end) and not _is_chunk(file, at + 1, end)):
            at += 1  # which some programs forget
    return None


def wave64_part(file: IO[bytes], begin: int, end: int) -> Part | None:
    """The Wave64 file that begins here; None if FFmpeg has to see for itself."""
    at, header = begin + 40, b""
    for _ in range(MOST_CHUNKS):
        if at + _W64_HEAD > end:
            return None
        name, size = struct.unpack("<4s12xQ", read(file, at, _W64_HEAD))
        if name == b"fmt " and 16 <= size - _W64_HEAD <= 1000:
            header = _corrected(read(file, at + _W64_HEAD, size - _W64_HEAD))
        if name == b"data":
            return (
                _with_sound(file, header, at + _W64_HEAD, size - _W64_HEAD, end, wave64=True)
                if header
                else None
            )
        if size < _W64_HEAD:
            return None
        at += size + -size % 8
    return None


def _with_sound(
    file: IO[bytes], header: bytes, start: int, claimed: int, end: int, *, wave64: bool = False
) -> Part:
    """As far as the length says, or on, if no other chunk follows it.

    header: the body of the chunk fmt.
    """
    channels, rate, block = struct.unpack("<HI4xH", header[2:14])
    follows = _is_chunk64 if wave64 else _is_chunk
    size, told = extent(start, claimed, end, rate * block, lambda at: follows(file, at, end))
    # FFmpeg takes the highest length as "to the end of the file".
    fmt = struct.pack("<4sI", b"fmt ", len(header)) + header + b"\0" * (len(header) % 2)
    head = b"RIFF\xff\xff\xff\xffWAVE" + fmt + b"data\xff\xff\xff\xff"
    return Part(head, start, size, told, size / (rate * block) if rate * block else 0.0, rate, channels)


def _corrected(header: bytes) -> bytes:
    """The body of a fmt chunk with the block's size and the byte rate that follow from the rest of it."""
    kind, channels, rate, _, block, bits = struct.unpack("<HHIIHH", header[:16])
    if kind not in _PCM or not channels or not bits:
        return b""
    least = channels * ((bits + 7) // 8)
    block = block if block % channels == 0 and least <= block <= 4 * least and kind == 0xFFFE else least
    return (
        struct.pack(
            "<HHIIHH", kind, channels, rate, min(rate * block, (1 << 32) - 1), min(block, 0xFFFF), bits
        )
        + header[16:]
    )


def _is_chunk(file: IO[bytes], at: int, end: int) -> bool:
    """Whether a chunk, or another file, begins here: four letters and a length that fits.

    A few bytes at the end are no sound either.
    """
    if end - at < 8:
        return True
    head = read(file, at, 12)
    name, size = struct.unpack("<4sI", head[:8])
    return is_wave(head) or (all(32 <= byte < 127 for byte in name) and at + 8 + size <= end + 1)


def _is_chunk64(file: IO[bytes], at: int, end: int) -> bool:
    """The same in Wave64, where chunks begin at multiples of eight bytes."""
    if end - at < _W64_HEAD:
        return True
    heads = [read(file, place, 40) for place in (at, at + -at % 8)]
    return any(head[4:16] == _W64_TAIL or is_wave64(head) for head in heads)
