"""AVI files that are damaged in their middle: chunks whose heads are lost get heads again.

An AVI's packets have no times; FFmpeg counts them. Where the head of a chunk is destroyed it looks for the
next one that it can read and counts on from there, so that all later sound comes too early. The index at the
end ("idx1") says where each chunk was; where there is none, chunks of the usual size fill the hole.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, cast

from speakerid.audio.endings import size_of
from speakerid.audio.mended import Mended, Span
from speakerid.audio.part import read

_HEAD = 8  # bytes of a chunk's name and size
_STREAM = re.compile(rb"[0-9]{2}(?:wb|dc|db|pc|tx|iv|sb)", re.DOTALL)
_OTHER = re.compile(rb"JUNK|ix[0-9]{2}|[0-9]{2}ix", re.DOTALL)
_INSIDE = 12  # bytes before the chunks of a list
_CHAIN = 3  # heads that have to follow each other to be believed behind a hole
_WINDOW = 1 << 20
_MOST_INDEX = 256_000_000  # bytes


@dataclass(frozen=True)
class _Chunk:
    name: bytes
    at: int
    size: int

    @property
    def after(self) -> int:
        return self.at + _HEAD + self.size + self.size % 2


def mended(file: IO[bytes]) -> IO[bytes]:
    """The file itself, or, for an AVI file damaged in its middle, one whose chunks follow each other."""
    head = read(file, 0, _INSIDE)
    if head[:4] != b"RIFF" or head[8:] != b"AVI ":
        return file
    end = size_of(file)
    patches: list[tuple[int, bytes]] = []
    lost: list[Span] = []
    for start, until, index in _movies(file, end):
        known, holes = _walk(file, start, until)
        for before, hole in holes:
            if before:  # whatever destroyed the next head reaches into it
                lost.append((before.at, before.after))
            for chunk in _filled(hole, index, known):
                patches.append((chunk.at, struct.pack("<4sI", chunk.name, chunk.size)))
                lost.append((chunk.at, chunk.after))
    return cast("IO[bytes]", Mended(file, patches, lost)) if patches else file


def _movies(file: IO[bytes], end: int) -> Iterator[tuple[int, int, list[_Chunk]]]:
    """(first chunk, end of the chunks, what the index says) of each part of a file; it may have several."""
    at, found = 0, None
    while at + _HEAD <= end:
        name, size, kind = struct.unpack("<4sI4s", read(file, at, _INSIDE).ljust(_INSIDE, b"\0"))
        after = at + _HEAD + size + size % 2
        if name == b"RIFF" and kind in (b"AVI ", b"AVIX"):
            at += _INSIDE
            continue
        if name == b"LIST" and kind == b"movi":
            if found:
                yield *found, []
            found = (at + _INSIDE, min(after, end) if size else end)
        elif name == b"idx1" and found:
            yield *found, _index(file, at + _HEAD, min(size, end - at - _HEAD), *found)
            found = None
        elif not name.strip(b"\0").isalnum():
            break
        at = after
    if found:
        yield *found, []


def _index(file: IO[bytes], at: int, size: int, start: int, until: int) -> list[_Chunk]:
    """The chunks that an index tells, as far as they follow each other."""
    entries = struct.iter_unpack("<4s4xII", read(file, at, min(size, _MOST_INDEX) // 16 * 16))
    told = [entry for entry in entries if _STREAM.fullmatch(entry[0])]
    best: list[_Chunk] = []
    hits = -1
    for base in (start - 4, 0):  # places are counted from the list, or from the file
        chunks = [_Chunk(name, base + place, length) for name, place, length in told]
        chunks = [chunk for chunk in chunks if start <= chunk.at and chunk.after <= until + 1]
        sample = chunks[:: max(1, len(chunks) // 200)]
        count = sum(read(file, chunk.at, 4) == chunk.name for chunk in sample)
        if count > hits:
            best, hits = chunks, count
    best.sort(key=lambda chunk: chunk.at)
    return best if hits > 0 else []


def _walk(file: IO[bytes], start: int, until: int) -> tuple[list[_Chunk], list[tuple[_Chunk | None, Span]]]:
    """(the chunks of streams that can be read, where none can be and what is right before it)."""
    good: list[_Chunk] = []
    holes: list[tuple[_Chunk | None, Span]] = []
    at = start
    while at + _HEAD <= until:
        chunk = _chunk(file, at, until)
        if chunk and (chunk.after >= until - 1 or _chunk(file, chunk.after, until)):
            good.append(chunk)
            at = chunk.after
            continue
        found = _next(file, at + 1, until)
        before = chunk if chunk and chunk.after <= found else None  # its head is whole, what follows is not
        if before:
            at = before.after
        elif found >= until:
            break  # whatever this is, no sound is behind it
        if at < found:
            holes.append((before, (at, found)))
        at = found
    return [chunk for chunk in good if _STREAM.fullmatch(chunk.name)], holes


def _chunk(file: IO[bytes], at: int, until: int) -> _Chunk | None:
    """What begins here; a list of chunks as its head alone."""
    head = read(file, at, _INSIDE)
    if len(head) < _HEAD:
        return None
    name, size = struct.unpack("<4sI", head[:_HEAD])
    if name == b"LIST" and head[8:] == b"rec ":
        return _Chunk(name, at, 4)
    chunk = _Chunk(name, at, size)
    is_one = _STREAM.fullmatch(name) or _OTHER.fullmatch(name)
    return chunk if is_one and chunk.after <= until + 1 else None


def _next(file: IO[bytes], at: int, until: int) -> int:
    """Where the next chunk begins that others follow; the end where none does."""
    while at < until:
        window = read(file, at, min(_WINDOW + _HEAD, until - at))
        for found in _STREAM.finditer(window):
            if _follow(file, at + found.start(), until):
                return at + found.start()
        at += _WINDOW
    return until


def _follow(file: IO[bytes], at: int, until: int) -> bool:
    for _ in range(_CHAIN):
        chunk = _chunk(file, at, until)
        if chunk is None:
            return False
        at = chunk.after
        if at >= until - 1:
            return True
    return True


def _filled(hole: Span, index: list[_Chunk], known: list[_Chunk]) -> list[_Chunk]:
    """Chunks from edge to edge of a hole: those of the index, else as many as there are elsewhere."""
    begin, end = hole
    inside = [chunk for chunk in index if begin <= chunk.at and chunk.after <= end]
    told = [
        chunk for number, chunk in enumerate(inside) if not number or inside[number - 1].after <= chunk.at
    ]
    wanted = told or _usual(end - begin, known)
    filled: list[_Chunk] = []
    at = begin
    for chunk in wanted:
        place = chunk.at if told else at
        if place - at >= _HEAD:
            filled.append(_Chunk(b"JUNK", at, place - at - _HEAD))
        filled.append(_Chunk(chunk.name, place, chunk.size))
        at = filled[-1].after
    if end - at >= _HEAD:
        filled.append(_Chunk(b"JUNK", at, end - at - _HEAD))
    return filled


def _usual(size: int, known: list[_Chunk]) -> list[_Chunk]:
    """What so many bytes held, if they were as the rest of the file is; places are not told."""
    whole = sum(chunk.after - chunk.at for chunk in known)
    wanted: list[_Chunk] = []
    for name in sorted({chunk.name for chunk in known if chunk.name.endswith(b"wb")}):
        same = [chunk for chunk in known if chunk.name == name]
        bytes_of_it = sum(chunk.after - chunk.at for chunk in same)
        mean = bytes_of_it / len(same)
        count = round(size * bytes_of_it / whole / mean)
        room = int(mean) // 2 * 2 - _HEAD
        wanted += [_Chunk(name, 0, room)] * count if room > 0 else []
    while wanted and sum(chunk.after - chunk.at for chunk in wanted) > size:
        wanted.pop()
    return wanted
