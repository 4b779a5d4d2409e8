"""Which sound files of plain samples a file holds: mostly one, and several where they were joined."""

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


def parts(file: IO[bytes]) -> list[Part]:
    """The files that are joined in a file, of plain samples each; none if the first is of another kind."""
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
