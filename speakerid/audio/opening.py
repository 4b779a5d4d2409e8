"""A recording's bytes, wherever they are: a path, bytes in memory, a pipe, standard input ("-")."""

import ctypes
import io
import stat
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from speakerid.audio import adts, amr, avi, endings
from speakerid.audio.kinds import FORMATS, KINDS
from speakerid.errors import AudioError

if TYPE_CHECKING:
    from av.container import InputContainer

Source = Path | bytes

MAX_BYTES = 1_000_000_000
"""The largest recording that is taken into memory: by `decode`, and from a pipe."""

_MOST_AT_ONCE = 256_000_000  # bytes that FFmpeg may allocate in one piece; a day of sound needs some tens
_BEGINNINGS = (b"RIFF", b"fLaC", b"OggS", b"ID3", b"FORM", b"caff", b"\x1aE\xdf\xa3", b"NIST_1A", b"#!AMR")


def source_of(source: str | Path | bytes, name: str) -> Source:
    """What to read again and again: a pipe and standard input ("-") are read to their end into memory.

    Raises:
        AudioError: more comes than `MAX_BYTES`.
    """
    if isinstance(source, bytes):
        return source
    path = Path(source)
    if str(path) == "-":
        return _all_of(sys.stdin.buffer, name)
    try:
        mode = path.stat().st_mode
    except OSError:
        return path  # opening it says what is wrong
    if not (stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISSOCK(mode)):
        return path
    try:
        with path.open("rb") as pipe:
            return _all_of(pipe, name)
    except OSError as error:
        raise AudioError(f"{path} cannot be read ({error.strerror}): check that you may read it.") from error


def _all_of(pipe: IO[bytes], name: str) -> bytes:
    data = pipe.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise AudioError(
            f"{name} is larger than {MAX_BYTES // 1_000_000_000} GB, the most that is taken from a pipe: "
            "write it to a file, and name the file."
        )
    return data


def open_file(source: Source, name: str) -> IO[bytes]:
    """Raises AudioError: it is not there, a folder, locked or empty."""
    if isinstance(source, Path):
        try:
            file = source.open("rb")
        except FileNotFoundError as error:
            raise AudioError(f"There is no file {source}: check the name and the folder.") from error
        except IsADirectoryError as error:
            raise AudioError(f"{source} is a folder: name the recordings in it.") from error
        except OSError as error:
            raise AudioError(
                f"{source} cannot be opened ({error.strerror}): check that you may read it."
            ) from error
    else:
        file = io.BytesIO(source)
    if not endings.size_of(file):
        file.close()
        raise AudioError(f"{name} is empty (0 bytes): record or copy it again.")
    return amr.mended(avi.mended(adts.whole(file)))


def open_container(inner: Any, name: str, file: IO[bytes]) -> "InputContainer":
    """Let FFmpeg read `inner`, which is (a part of) `file`.

    Raises:
        AudioError: it is no sound, or damaged from its beginning.
    """
    import av
    from av.error import FFmpegError

    _bound_allocations()
    file.seek(0)
    beginning = file.read(12)
    inner.seek(0)
    try:
        return cast("InputContainer", av.open(inner, "r", options={"format_whitelist": FORMATS}))
    except (FFmpegError, ValueError) as error:
        if beginning.startswith(_BEGINNINGS) or beginning[4:8] == b"ftyp":
            raise AudioError(
                f"{name} is damaged or cut off, and nothing of it can be read: "
                "copy, export or record it again."
            ) from error
        raise AudioError(f"{name} is not a sound file: choose {KINDS}.") from error


@cache
def _bound_allocations() -> None:
    """FFmpeg takes a header at its word: a compressed index of 1 MB that claims 2 GB is unpacked to 2 GB.

    Where its library cannot be reached (Windows), its own bound of 2 GB a piece stays.
    """
    from av import _core

    with suppress(AttributeError, OSError, TypeError):
        limit = ctypes.CDLL(_core.__file__).av_max_alloc  # found in what the module is linked with
        limit.argtypes, limit.restype = [ctypes.c_size_t], None
        limit(_MOST_AT_ONCE)
