"""Which sound files a file holds: mostly one, and several where they were joined."""

import re
from typing import IO

from speakerid.audio import big_endian, riff
from speakerid.audio.endings import size_of
from speakerid.audio.part import Part, read

_KINDS = (
    (riff.is_wave, riff.wave_part),
    (riff.is_wave64, riff.wave64_part),
    (big_endian.is_aiff, big_endian.aiff_part),
    (big_endian.is_au, big_endian.au_part),
    (big_endian.is_caf, big_endian.caf_part),
)
_HEAD = 40  # bytes that tell the kind
_BEGINNINGS = (b"RIFF", b"RF64", b"BW64", b"riff", b"FORM", b".snd", b"caff")
_SEARCHED = 1 << 20  # bytes behind the samples, in which other chunks may stand before the next file

_SEARCHED_CODED = 1 << 24  # the index of an mp4 of some hours may stand there
_CODED = {  # FFmpeg's names of formats of which it reads the first file alone: how one begins
    "wav": rb"RIFF....WAVE",
    "mov": rb"\0\0..ftyp",
    "flv": rb"FLV\x01[\x01\x04\x05]\0\0\0\x09",
    "caf": rb"caff\0\x01",
    "aiff": rb"FORM....AIF[FC]",
    "tta": rb"TTA1[\x01\x02]\0",
    "wv": rb"wvpk.{12}\0{4}",
    "voc": rb"Creative Voice File\x1a",
    "asf": rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
    "nistsphere": rb"NIST_1A\n",
}


def follower(file: IO[bytes], formats: set[str], at: int) -> int:
    """Where behind this place another file of coded sound begins, of the same format; 0 where none does."""
    kind = next((pattern for name, pattern in _CODED.items() if name in formats), None)
    if kind is None:
        return 0
    found = re.search(kind, read(file, at, _SEARCHED_CODED), re.DOTALL)
    return at + found.start() if found else 0


def parts(file: IO[bytes]) -> list[Part]:
    """The files that are joined in a file, of plain samples each; none if the first is of another kind (see
    `follower`)."""
    found: list[Part] = []
    at, end = 0, size_of(file)
    while at < end:
        part = _part(file, at, end)
        if part is None:
            break
        found.append(part)
        at = _next(file, part.start + part.size, end)
    return found


def _part(file: IO[bytes], at: int, end: int) -> Part | None:
    head = read(file, at, _HEAD)
    return next((make(file, at, end) for is_it, make in _KINDS if is_it(head)), None)


def _begins(head: bytes) -> bool:
    return any(is_it(head) for is_it, _ in _KINDS)


def _next(file: IO[bytes], at: int, end: int) -> int:
    """Where the next file begins; the end where none does."""
    for place in (at, at + 1):
        if _begins(read(file, place, _HEAD)):
            return place
    window = read(file, at, min(_SEARCHED, end - at))
    places = sorted(
        place
        for beginning in _BEGINNINGS
        for place in _places(window, beginning)
        if _begins(window[place : place + _HEAD])
    )
    return at + places[0] if places else end


def _places(window: bytes, beginning: bytes) -> list[int]:
    found, place = [], window.find(beginning)
    while place >= 0:
        found.append(place)
        place = window.find(beginning, place + 1)
    return found
