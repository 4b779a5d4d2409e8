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


def matroska_track_length(tag: str) -> float:
    """Seconds of a track's tag DURATION, such as 00:00:36.500000000; 0.0 if it is none."""
    try:
        hours, minutes, seconds = tag.split(":")
        return 3600 * int(hours) + 60 * int(minutes) + float(seconds)
    except ValueError:
        return 0.0


def avi_lacks_bytes(file: IO[bytes]) -> bool:
    """Whether the header of an AVI file promises more than is there."""
    told = int.from_bytes(_read(file, 4, 4), "little")
    return told < 0x7FFF0000 and told + 8 > size_of(file)


def wave_lacks_bytes(file: IO[bytes], begin: int) -> bool:
    """Whether the WAV file that begins here promises more bytes of sound than are there."""
    at, end = begin + 12, size_of(file)
    for _ in range(100):
        head = _read(file, at, 8)
        size = int.from_bytes(head[4:], "little")
        if len(head) < 8 or head[:4] == b"data":
            return len(head) == 8 and size < 0x7FFF0000 and at + 8 + size > end
        at += 8 + size + size % 2
    return False


def is_tag(data: bytes) -> bool:
    """Whether it begins as a tag does (ID3 of both kinds, APE), which is no sound; joined mp3 files have them
    in the middle."""
    return data.startswith((b"ID3", b"TAG", b"APETAGEX"))


def tag_at(file: IO[bytes], position: int) -> bool:
    """Whether a tag begins here."""
    return is_tag(_read(file, position, 8))


def _read(file: IO[bytes], start: int, count: int) -> bytes:
    here = file.tell()
    file.seek(start)
    data = file.read(count)
    file.seek(here)
    return data
