"""Does a sound file end where its sound ends? What FFmpeg does not tell is read from the file itself.

Each function leaves the file where it was.
"""

import io
from typing import IO

_OGG_PAGE = 65_307  # the longest page of an Ogg file
_WEBM_SOUND = (b"\xa3", b"\xa0", b"\x1fC\xb6u")  # SimpleBlock, BlockGroup, Cluster: more sound begins
_WEBM_HEAD = 4  # bytes of a block before its packet: track, time, flags


def size_of(file: IO[bytes]) -> int:
    """Bytes."""
    here = file.tell()
    size = file.seek(0, io.SEEK_END)
    file.seek(here)
    return size


def ogg_is_whole(file: IO[bytes]) -> bool:
    """Whether the last page is complete and marked as the last one (RFC 3533: header type bit 4)."""
    tail = _read(file, max(0, size_of(file) - _OGG_PAGE), _OGG_PAGE)
    at = tail.rfind(b"OggS")
    if at < 0 or len(tail) < at + 27:
        return False
    segments = tail[at + 26]
    sizes = tail[at + 27 : at + 27 + segments]
    complete = len(sizes) == segments and len(tail) >= at + 27 + segments + sum(sizes)
    return complete and bool(tail[at + 5] & 4)


def webm_is_whole(file: IO[bytes], position: int, size: int) -> bool:
    """Whether nothing that FFmpeg left out, being incomplete, follows the last packet of one track alone.

    position and size: of this packet, as FFmpeg gives them (the position is that of the block around it).
    """
    return not _read(file, position + size + _WEBM_HEAD, 4).startswith(_WEBM_SOUND)


def mp3_tells_length(file: IO[bytes]) -> bool:
    """Whether the first frame carries the number of frames (a Xing, Info or VBRI header)."""
    head = _read(file, 0, 10)
    start = 0
    if head[:3] == b"ID3":  # its size: four bytes of seven bits
        start = 10 + sum(byte << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
    frame = _read(file, start, 256)
    return any(mark in frame for mark in (b"Xing", b"Info", b"VBRI"))


def _read(file: IO[bytes], start: int, count: int) -> bytes:
    here = file.tell()
    file.seek(start)
    data = file.read(count)
    file.seek(here)
    return data
