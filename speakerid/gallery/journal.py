"""Changes to several files of a folder at once: all of them are made, or none, whenever the writer dies.

The new contents are first written beside the old ones, as hidden temporary files. Then one file, `.journal`,
appears, which says which temporary takes the place of which file and which files go: from that moment on the
change is made, and readers look at it that way (`pending`). Then the files are moved and deleted, and the
journal goes last. If the writer dies before the journal appears, the temporaries have no owner and the next
writer clears them; if it dies afterwards, the next writer finishes (`finish`).

    .journal    JSON {"version": 1, "replace": {file: temporary}, "gone": [file, …], "sha256": of the two}

It holds random names only. All functions that write are called while holding the folder's lock.
"""

import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
    """A change that is made but for moving its files: temporary by file, and files that are gone."""

    replace: dict[str, str]
    gone: frozenset[str]


NOTHING = Pending({}, frozenset())


def commit(folder: Path, contents: Iterable[tuple[str, bytes]], gone: Sequence[str] = ()) -> None:
    """Write files and delete others, all at once. When it returns, a crash no longer undoes it.

    Raises:
        OSError: as the system gives it; nothing was changed then.
    """
    replaced: dict[str, str] = {}
    try:
        for file, content in contents:
            temporary = f".{secrets.token_hex(8)}{TEMPORARY}"
            replaced[file] = temporary
            write_new(folder / temporary, content)
        if len(replaced) + len(gone) > 1:
            sync_folder(folder)
            replace_file(folder / JOURNAL, _to_bytes(Pending(replaced, frozenset(gone))))
    except BaseException:
        for temporary in replaced.values():
            (folder / temporary).unlink(missing_ok=True)
        raise
    _apply(folder, Pending(replaced, frozenset(gone)))


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


def clear_temporaries(folder: Path) -> int:
    """Delete what killed writers left; how many files. Writers hold the lock while a temporary exists, so one
    that is here now has no owner, unless the journal names it: call `finish` first."""
    with os.scandir(folder) as entries:
        left = [e.name for e in entries if e.name.startswith(".") and e.name.endswith(TEMPORARY)]
    for name in left:
        (folder / name).unlink(missing_ok=True)
    return len(left)


def _apply(folder: Path, change: Pending) -> None:
    for file, temporary in change.replace.items():
        try:
            os.replace(folder / temporary, folder / file)
        except FileNotFoundError:  # moved before the writer died
            if not (folder / file).exists():
                raise
    for file in change.gone:
        (folder / file).unlink(missing_ok=True)
    sync_folder(folder)
    try:
        (folder / JOURNAL).unlink()
    except FileNotFoundError:
        return
    sync_folder(folder)


def _to_bytes(change: Pending) -> bytes:
    body = {"version": _VERSION, "replace": change.replace, "gone": sorted(change.gone)}
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
        return Pending(body["replace"], frozenset(body["gone"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedJournal(
            f'The file "{folder / JOURNAL}" is damaged, so a change that was under way cannot be finished: '
            'run "speakerid doctor --repair", which moves it away.'
        ) from error


def _digest(body: dict) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
