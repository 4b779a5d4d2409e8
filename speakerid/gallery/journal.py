"""Changes to several files of a folder at once: all of them are made, or none, whenever the writer dies.

The new contents are first written beside the old ones, as hidden temporary files. Then one file, `.journal`,
appears, which says which temporary takes the place of which file and which files go: from that moment on the
change is made, and readers look at it that way (`pending`). Then the files are moved and deleted, and the
journal goes last. If the writer dies before the journal appears, the temporaries have no owner and the next
writer clears them; if it dies afterwards, the next writer finishes (`finish`).

    .journal    JSON {"version": 1, "replace": {file: temporary}, "gone": [file, …],
                "contents": {file: sha256 of the new content}, "sha256": of all that}

It holds random names only. All functions that write are called while holding the folder's lock.

Should somebody else delete a temporary that the journal names, then `contents` tells whether it had been
moved into place before. Where it had not, the rest is put into place, and nothing is deleted.
"""

import errno
import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from speakerid.errors import GalleryError
from speakerid.gallery.files import TEMPORARY, replace_file, sync_folder, write_new

JOURNAL = ".journal"
_VERSION = 1
SET_ASIDE = "damaged"  # the only sub-folder: what `doctor` moved away
_NAME = re.compile(rf"({SET_ASIDE}/)?(?!\.\.?$)[^/\\\x00]{{1,255}}")


class DamagedJournal(GalleryError):
    """The journal was changed by something else than this program."""


@dataclass(frozen=True)
class Pending:
    """A change that is made but for moving its files: temporary by file, files that are gone, and sha256 of
    the new content by file."""

    replace: dict[str, str]
    gone: frozenset[str]
    contents: dict[str, str] = field(default_factory=dict)


NOTHING = Pending({}, frozenset())


def commit(folder: Path, contents: Iterable[tuple[str, bytes]], gone: Sequence[str] = ()) -> None:
    """Write files and delete others, all at once. When it returns, a crash no longer undoes it.

    Raises:
        OSError: as the system gives it. Either nothing was changed, or the journal had appeared: then the
            change is made, readers see it, and the next writer finishes it.
    """
    change = Pending({}, frozenset(gone), {})
    try:
        for file, content in contents:
            temporary = f".{secrets.token_hex(8)}{TEMPORARY}"
            change.replace[file] = temporary
            change.contents[file] = hashlib.sha256(content).hexdigest()
            write_new(folder / temporary, content)
        if len(change.replace) + len(gone) > 1:
            sync_folder(folder)
            replace_file(folder / JOURNAL, _to_bytes(change))
    except BaseException:
        # Whoever holds the lock has finished what was there before, so a journal is this one: the temporaries
        # are the change from now on. It may appear and the sync after it fail, or be interrupted.
        if not os.path.lexists(folder / JOURNAL):
            for temporary in change.replace.values():
                (folder / temporary).unlink(missing_ok=True)
        raise
    if _apply(folder, change):
        raise OSError(errno.ENOENT, "another program deletes files in it while they are written")


def pending(folder: Path) -> Pending:
    """The change that a writer has made and not finished, or is finishing at this moment.

    Raises:
        DamagedJournal: if the journal cannot be understood.
        OSError: if it cannot be read.
    """
    try:
        content = (folder / JOURNAL).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return NOTHING
    return _from_bytes(content, folder)


def finish(folder: Path) -> bool:
    """Finish what a killed writer had made; whether there was anything.

    Raises:
        DamagedJournal: if the journal cannot be understood.
        OSError: as the system gives it.
    """
    left = pending(folder)
    if left is NOTHING:
        return False
    _apply(folder, left)
    return True


def lost(folder: Path, change: Pending) -> list[str]:
    """The files whose new content is gone before it came into place, because somebody deleted a temporary.

    Raises:
        OSError: if a file cannot be read.
    """
    return [
        file
        for file, temporary in change.replace.items()
        if not (folder / temporary).exists() and not _is_in_place(folder / file, change.contents.get(file))
    ]


def clear_temporaries(folder: Path) -> int:
    """Delete what killed writers left; how many files. Writers hold the lock while a temporary exists, so one
    that is here now has no owner, unless the journal names it: call `finish` first."""
    with os.scandir(folder) as entries:
        left = [e.name for e in entries if e.name.startswith(".") and e.name.endswith(TEMPORARY)]
    for name in left:
        (folder / name).unlink(missing_ok=True)
    return len(left)


def _apply(folder: Path, change: Pending) -> list[str]:
    """Move and delete the files; those whose new content is lost."""
    missing = lost(folder, change)
    for file, temporary in change.replace.items():
        with suppress(FileNotFoundError):  # moved before the writer died, or lost
            os.replace(folder / temporary, folder / file)
    # What takes the place of those that go is not there in full, so they stay.
    for file in () if missing else change.gone:
        (folder / file).unlink(missing_ok=True)
    sync_folder(folder)
    try:
        (folder / JOURNAL).unlink()
        sync_folder(folder)
    except FileNotFoundError:  # one file alone needs no journal
        pass
    return missing


def _is_in_place(path: Path, digest: str | None) -> bool:
    """Whether a file has its new content, as far as that can be told: older journals hold no digests."""
    try:
        return path.exists() if digest is None else hashlib.sha256(path.read_bytes()).hexdigest() == digest
    except FileNotFoundError:
        return False


def _to_bytes(change: Pending) -> bytes:
    body = {
        "version": _VERSION,
        "replace": change.replace,
        "gone": sorted(change.gone),
        "contents": change.contents,
    }
    return json.dumps({**body, "sha256": _digest(body)}).encode()


def _from_bytes(content: bytes, folder: Path) -> Pending:
    try:
        body = json.loads(content)
        digest = body.pop("sha256")
        if digest != _digest(body) or body["version"] != _VERSION:
            raise ValueError
        files = [*body["replace"], *body["replace"].values(), *body["gone"]]
        if not all(_NAME.fullmatch(file) for file in files):
            raise ValueError
        digests = body.get("contents", {})
        if not all(isinstance(digest, str) for digest in digests.values()):
            raise ValueError
        return Pending(body["replace"], frozenset(body["gone"]), digests)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedJournal(
            f'The file "{folder / JOURNAL}" is damaged, so a change that was under way cannot be finished: '
            'run "speakerid doctor --repair", which moves it away.'
        ) from error


def _digest(body: dict) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
