"""Looking at the folder without changing it, while others may be writing."""

import os
import stat
from collections.abc import Hashable
from pathlib import Path

from speakerid.errors import GalleryError
from speakerid.gallery import journal
from speakerid.gallery.contents import Damaged


def listing(folder: Path, suffix: str) -> dict[str, tuple[Hashable, str]]:
    """The files: what changes when they do, and where to read them, which is not under their own names
    while a change is under way.

    Raises:
        GalleryError: if the folder cannot be read.
    """
    listing: dict[str, tuple[Hashable, str]] = {}
    try:
        change = journal.pending(folder)
        for file, place in change.replace.items():
            if file.endswith(suffix) and "/" not in file and (signature := _signature(folder / place)):
                listing[file] = (signature, place)
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if name.endswith(suffix) and not name.startswith(".") and name not in change.gone:
                    signature = None if name in listing else _signature(entry)
                    if signature:
                        listing[name] = (signature, name)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise GalleryError(explain(error, "read", folder)) from error
    return listing


def read_file(folder: Path, file: str, place: str, limit: int) -> bytes | Damaged | None:
    """The content of a file of at most limit bytes; or what is wrong with it; None if it is gone."""
    path = os.path.join(folder, place)
    try:
        info = os.stat(path)
        if not stat.S_ISREG(info.st_mode):
            return Damaged(file, "it is not a plain file")
        if info.st_size > limit:
            return Damaged(file, "it is too large for what it should be")
        with open(path, "rb", buffering=0) as content:
            return content.readall()
    except FileNotFoundError:
        if place != file:  # moved to its own name since we looked
            return read_file(folder, file, file, limit)
        return Damaged(file, "it is a link to nothing") if os.path.islink(path) else None
    except OSError as error:
        return Damaged(file, f"it cannot be read ({error.strerror or error})")


def explain(error: OSError, verb: str, folder: Path) -> str:
    """What to tell of a folder that cannot be read or written."""
    if isinstance(error, NotADirectoryError | FileExistsError):
        return f'"{folder}" is not a folder: choose a folder for the voiceprints.'
    why = error.strerror or str(error)
    return f'The voiceprints in "{folder}" cannot be {verb} ({why}): check its permissions and the disk.'


def _signature(entry: "os.DirEntry[str] | Path") -> Hashable:
    """What changes whenever a file is written; None if it is gone."""
    try:
        info = entry.stat()
    except FileNotFoundError:
        try:
            info = entry.stat(follow_symlinks=False)  # a link to nothing
        except FileNotFoundError:
            return None
    # Each write makes a new inode, so two writes within one tick of the clock differ too.
    return (info.st_mtime_ns, info.st_size, info.st_ino)
