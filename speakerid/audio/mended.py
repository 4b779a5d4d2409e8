"""A damaged file as FFmpeg gets it: some bytes of it are others, and what stands for lost sound is known."""

import io
from bisect import bisect_left, bisect_right
from typing import IO

Span = tuple[int, int]
"""Where bytes begin and end."""


class Mended(io.RawIOBase):
    """A file of which some bytes are put right; closing it closes the file.

    Attributes:
        lost: the spans of it that stand for sound that is lost, in order: nothing in them is to be heard.
    """

    def __init__(self, file: IO[bytes], patches: list[tuple[int, bytes]], lost: list[Span]):
        """patches: (where, which bytes), in order, none over another."""
        super().__init__()
        self.lost = lost
        self._file = file
        self._starts = [at for at, _ in patches]
        self._patches = patches
        self._longest = max((len(data) for _, data in patches), default=0)

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As of any file."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """As of any file."""
        return self._file.tell()

    def readinto(self, buffer) -> int:
        """As of any file."""
        begin = self._file.tell()
        data = bytearray(self._file.read(len(buffer)))
        end = begin + len(data)
        first = bisect_right(self._starts, begin - self._longest)
        for at, patch in self._patches[first : bisect_left(self._starts, end)]:
            low, high = max(at, begin), min(at + len(patch), end)
            if low < high:
                data[low - begin : high - begin] = patch[low - at : high - at]
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the file, too."""
        if not self.closed:
            self._file.close()
        super().close()


def is_lost(file: IO[bytes] | Mended, position: int | None) -> bool:
    """Whether what FFmpeg read at this place of a file stands for sound that is lost."""
    if not isinstance(file, Mended) or position is None or position < 0:
        return False
    number = bisect_right(file.lost, (position, 1 << 62)) - 1
    return number >= 0 and position < file.lost[number][1]
