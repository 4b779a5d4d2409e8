"""WAV files as they are in the wild: what their headers say wrongly is put right before FFmpeg reads them.

Recorders write a placeholder for the length and never come back, a length wraps at 4 GB or is of the moment
when it was last written, programs write wrong byte rates, and files are joined end to end. So the chunks are
read here, and FFmpeg gets each part as a plain WAV file of a right header and of all the sound that is there.
"""

import io
import struct
from dataclasses import dataclass
from typing import IO

from speakerid.audio.endings import size_of

_PCM = {1, 3, 6, 7, 0xFFFE}  # PCM, float, A-law, µ-law, extensible: a sample's size follows from its bits
_NEAR = 1 << 16  # a length this close below or above 2 GB, or below 4 GB, is a placeholder
_MOST_CHUNKS = 10_000  # a hostile file may hold millions of empty ones


@dataclass(frozen=True)
class Part:
    """One WAV file within a file.

    Attributes:
        start, size: where its samples are, in bytes, as far as they are there.
        told: seconds of sound that its header promises; 0.0 if it does not say.
    """

    format: bytes
    start: int
    size: int
    told: float

    @property
    def channels(self) -> int:
        """As the header says."""
        return struct.unpack("<H", self.format[2:4])[0]

    @property
    def rate(self) -> int:
        """Samples a second, as the header says."""
        return struct.unpack("<I", self.format[4:8])[0]


def parts(file: IO[bytes]) -> list[Part]:
    """The WAV files that are joined in a file, mostly one; none if it is not RIFF/WAVE with plain samples."""
    found: list[Part] = []
    at, end = 0, size_of(file)
    while _is_wave(_read(file, at, 12)):
        part = _part(file, at, end)
        if part is None:
            break
        found.append(part)
        at = part.start + part.size
        at = next((place for place in (at, at + 1) if _is_wave(_read(file, place, 12))), end)
    return found


def _part(file: IO[bytes], begin: int, end: int) -> Part | None:
    """The WAV file that begins here; None if FFmpeg has to see for itself."""
    at, header, long = begin + 12, b"", 0
    for _ in range(_MOST_CHUNKS):
        if at + 8 > end:
            return None
        name, size = struct.unpack("<4sI", _read(file, at, 8))
        if name == b"fmt " and 16 <= size <= 1000:
            header = _corrected(_read(file, at + 8, size).ljust(16, b"\0"))
        if name == b"ds64" and size >= 16:  # EBU Tech 3306: lengths of more than 4 GB, the data's second
            long = struct.unpack("<Q", _read(file, at + 16, 8).ljust(8, b"\0"))[0]
        if name == b"data":
            claimed = long if size == 0xFFFFFFFF and long else size
            return _with_sound(file, header, at + 8, claimed, end) if header else None
        at += 8 + size
        if size % 2 and not (_is_chunk(file, at, end) and not _is_chunk(file, at + 1, end)):
            at += 1  # which some programs forget
    return None


def _with_sound(file: IO[bytes], header: bytes, start: int, claimed: int, end: int) -> Part:
    """What is there of the samples: as far as the length says, or on, if no other chunk follows it."""
    rate, block = struct.unpack("<I4xH", header[4:14])
    placeholder = not claimed or abs(claimed - (1 << 31)) <= _NEAR or claimed >= (1 << 32) - _NEAR
    after = start + claimed + claimed % 2
    goes_on = after < end and not any(_is_chunk(file, place, end) for place in (after, start + claimed))
    if placeholder and after <= end and not goes_on and claimed:
        placeholder = False  # a file that truly is so long
    if placeholder and (start == end or _is_chunk(file, start, end)):
        return Part(header, start, 0, 0.0)  # no sample was written
    size = end - start if placeholder or goes_on else min(claimed, end - start)
    told = 0.0 if placeholder or goes_on or not rate * block else claimed / (rate * block)
    return Part(header, start, size, told)


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


def _is_wave(head: bytes) -> bool:
    return head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE"


def _is_chunk(file: IO[bytes], at: int, end: int) -> bool:
    """Whether a chunk, or another file, begins here: four letters and a length that fits.

    A few bytes at the end are no sound either.
    """
    if end - at < 8:
        return True
    head = _read(file, at, 12)
    name, size = struct.unpack("<4sI", head[:8])
    return _is_wave(head) or (all(32 <= byte < 127 for byte in name) and at + 8 + size <= end + 1)


class PartFile(io.RawIOBase):
    """A part as a file of its own, for FFmpeg: a right header, and the samples where they are."""

    def __init__(self, file: IO[bytes], part: Part):
        super().__init__()
        body = struct.pack("<4sI", b"fmt ", len(part.format)) + part.format + b"\0" * (len(part.format) % 2)
        # FFmpeg takes the highest length as "to the end of the file".
        self._head = b"RIFF\xff\xff\xff\xffWAVE" + body + b"data\xff\xff\xff\xff"
        self._file, self._part, self._at = file, part, 0
        self._size = len(self._head) + part.size

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As of any file."""
        base = (0, self._at, self._size)[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        """As of any file."""
        return self._at

    def readinto(self, buffer) -> int:
        """As of any file."""
        wanted = len(buffer)
        data = self._head[self._at : self._at + wanted]
        if len(data) < wanted:
            into = self._at + len(data) - len(self._head)  # the part's sound
            self._file.seek(self._part.start + into)
            data += self._file.read(max(0, min(wanted - len(data), self._part.size - into)))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _read(file: IO[bytes], start: int, count: int) -> bytes:
    file.seek(start)
    return file.read(count)
