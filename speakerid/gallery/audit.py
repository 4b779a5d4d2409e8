"""Who did what with voiceprints: one JSON line a change in the file `audit.jsonl` beside them.

    {"at": ISO 8601 in UTC, "who": actor, "what": action, "whom": [voiceprint ids], …}

`what` is enroll, rename, remove, merge, move-exemplar, remove-exemplar, remove-recordings, export, import,
passphrase, reembed or repair. A line is written just before its change, so that no change is without a line;
where the change then fails, another line with "failed": true follows. Where the writer was killed, the line
may stand for a change that was not made.

No line holds a name of an enrolled person, a passphrase, sound or an embedding, so the file is not encrypted,
and it outlives the people in it. Lines are only ever added. A line that a crash has cut off is left as it is,
and whoever reads the file passes over it.
"""

import getpass
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

from speakerid.gallery.consent import utc_now
from speakerid.gallery.files import sync_folder
from speakerid.gallery.packed import clean_label

FILE = "audit.jsonl"
_actor: ContextVar[str | None] = ContextVar("speakerid_actor", default=None)


@contextmanager
def acting_as(actor: str) -> Iterator[None]:
    """Whatever changes in this block is recorded as done by this actor, such as the login of an operator."""
    token = _actor.set(clean_label(actor))
    try:
        yield
    finally:
        _actor.reset(token)


def actor() -> str:
    """Who acts: whom `acting_as` names, else "local:" and the user of this computer, else "local"."""
    named = _actor.get()
    if named:
        return named
    try:
        return clean_label(f"local:{getpass.getuser()}")
    except (OSError, KeyError, ImportError):
        return "local"


@contextmanager
def recorded(folder: Path, what: str, whom: Sequence[str], **more: object) -> Iterator[None]:
    """Record the change that is made in this block; call it while holding the folder's lock.

    Args:
        folder: of the voiceprints.
        what: the action.
        whom: ids of the voiceprints, never names.
        more: counts and the like, nothing personal.

    Raises:
        OSError: if the line cannot be written; nothing is to be changed then.
    """
    line = {"at": utc_now(), "who": actor(), "what": what, "whom": list(whom), **more}
    _append(folder, line)
    try:
        yield
    except BaseException:
        with suppress(OSError):
            _append(folder, {**line, "at": utc_now(), "failed": True})
        raise


def lines(folder: Path) -> tuple[list[dict], int]:
    """What is recorded, oldest first, and how many lines cannot be read.

    Raises:
        OSError: if the file cannot be read.
    """
    try:
        content = (folder / FILE).read_bytes()
    except FileNotFoundError:
        return [], 0
    read: list[dict] = []
    torn = 0
    for text in content.splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            line = None
        if isinstance(line, dict):
            read.append(line)
        elif text.strip():
            torn += 1
    return read, torn


def _append(folder: Path, line: dict) -> None:
    path = folder / FILE
    is_new = not path.exists()
    handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o600)
    try:
        end = os.lseek(handle, 0, os.SEEK_END)
        whole = True
        if end:  # the last writer may have been killed in the middle of its line
            os.lseek(handle, end - 1, os.SEEK_SET)
            whole = os.read(handle, 1) == b"\n"
        text = json.dumps(line, ensure_ascii=False) + "\n"
        content = (text if whole else "\n" + text).encode(errors="replace")
        if os.write(handle, content) < len(content):
            raise OSError("the disk is full")
        os.fsync(handle)
    finally:
        os.close(handle)
    if is_new:
        sync_folder(folder)
