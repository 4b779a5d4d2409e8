"""Writing a file so that it is wholly there or wholly absent."""

import os
import re
import secrets
from contextlib import suppress
from pathlib import Path

TEMPORARY = ".tmp"
"""Ending of a file that is still being written."""

_BEGIN = 50  # characters of a file's name in that of its temporary, whose length systems limit


def replace_file(path: Path, content: bytes) -> None:
    """Put content at path, readable by its owner only, since it may hold biometric data.

    A crash at any moment leaves the old file or the new one; once this returns, power cuts cannot undo it.

    Raises:
        OSError: as the system gives it. The old file is there, or the new one, and whole; where it came from
            the last step, the new one is there and may not survive a power cut.
    """
    temporary = path.with_name(f".{path.name[:_BEGIN]}.{secrets.token_hex(8)}{TEMPORARY}")
    try:
        write_new(temporary, content)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def clear_leftovers(path: Path) -> None:
    """Delete what killed writers of this file left beside it, in a folder without a lock; it may be legible.

    Raises:
        OSError: as the system gives it.
    """
    if path.parent.is_dir():
        begin, end = f".{path.name[:_BEGIN]}.", TEMPORARY
        for name in os.listdir(path.parent):
            middle = name[len(begin) : -len(end)]
            if name.startswith(begin) and name.endswith(end) and re.fullmatch("[0-9a-f]{16}", middle):
                (path.parent / name).unlink(missing_ok=True)


def write_new(path: Path, content: bytes) -> None:
    """Make a file that is not there yet, readable by its owner only; its content survives a power cut.

    Raises:
        OSError: as the system gives it; part of the file may be there then.
    """
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make created, replaced and removed names in the folder survive a power cut."""
    if os.name != "posix":  # elsewhere a folder cannot be opened; the system keeps the order itself
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network and user-space file systems know no sync of a folder
            os.fsync(handle)
    finally:
        os.close(handle)
