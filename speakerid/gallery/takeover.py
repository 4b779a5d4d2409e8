"""A folder of single files, as versions before SQLite kept them, is taken into the database.

All of it goes in one transaction, as it was, encrypted or not; the old files are moved to `before-sqlite`
afterwards. The transaction notes which they are, so that a process killed in between leaves nothing in doubt.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import sqlalchemy as sql

from speakerid.errors import GalleryError
from speakerid.gallery import kept_recording as kept
from speakerid.gallery import schema
from speakerid.gallery.sealing import Seal, WrongSeal, is_sealed
from speakerid.gallery.snapshot import SUFFIX
from speakerid.gallery.voiceprint import MAX_FILE_BYTES, from_bytes

FOLDER = "before-sqlite"
AUDIT, JOURNAL = "audit.jsonl", ".journal"
_ASIDE = "damaged"


def wants_taking_over(folder: Path) -> bool:
    """Whether there are files of a version before SQLite in it, or left from taking them over.

    Raises:
        GalleryError: if the folder cannot be read.
    """
    try:
        return bool(_old_files(folder))
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise GalleryError(f'"{folder}" cannot be read ({error.strerror}): check its permissions.') from error


def take_over(connection: sql.Connection, folder: Path, seal: Seal | None) -> None:
    """Take the old files in, in the transaction that is open; what is damaged for certain stays a file.

    Raises:
        GalleryError: a file cannot be read at this moment; nothing is taken over then.
    """
    if json.loads(connection.scalar(sql.select(schema.state.c.moving)) or "[]"):
        return  # killed after the last one: only moving is left
    place, gone = _pending(folder)
    generation = (connection.scalar(sql.select(schema.state.c.generation)) or 0) + 1
    files = _old_files(folder)
    for file in sorted({*files, *place} - gone):
        ids = kept.ids_of(file)
        if not (ids or file.endswith(SUFFIX)) or file.startswith("."):
            continue
        content = _read(folder / place.get(file, file), kept.MAX_FILE_BYTES if ids else MAX_FILE_BYTES)
        if content is None or not _usable(content, file, seal):
            continue
        table = schema.recordings if ids else schema.voiceprints
        key = {"owner": ids[0], "id": ids[1]} if ids else {"id": file.removesuffix(SUFFIX)}
        where = sql.and_(*(table.c[name] == value for name, value in key.items()))
        if connection.scalar(sql.select(sql.func.count()).select_from(table).where(where)):
            continue  # what is in the database is newer
        more = {} if ids else {"generation": generation}
        connection.execute(table.insert().values(**key, **more, content=content))
        if connection.scalar(sql.select(table.c.content).where(where)) != content:
            raise GalleryError(f'"{file}" could not be taken over: the database gave back something else.')
    for line in _audit_lines(folder):
        connection.execute(schema.audit.insert().values(line=line))
    connection.execute(schema.state.update().values(generation=generation, moving=json.dumps(sorted(files))))


def move_away(connection: sql.Connection, folder: Path) -> None:
    """Move what was taken over into `before-sqlite`, in a transaction of its own.

    What another program holds at this moment stays for the next opening: everybody is in the database."""
    aside, held = folder / FOLDER, []
    aside.mkdir(mode=0o700, exist_ok=True)
    for file in json.loads(connection.scalar(sql.select(schema.state.c.moving)) or "[]"):
        try:
            os.replace(folder / file, aside / file)
        except FileNotFoundError:  # moved before a process was killed
            continue
        except OSError:
            held.append(file)
    connection.execute(schema.state.update().values(moving=json.dumps(held)))


def old_files(folder: Path) -> list[Path]:
    """The files that were taken over and can be deleted."""
    aside = folder / FOLDER
    return sorted(path for path in aside.rglob("*") if path.is_file()) if aside.is_dir() else []


def forget(folder: Path, files: Iterable[str]) -> None:
    """Delete from the old files what is deleted from the database; call it before that is committed.

    Raises:
        OSError: one cannot be deleted.
    """
    for file in files:
        if "/" not in file and "\\" not in file:
            for old in (folder / FOLDER / file, folder / file):
                old.unlink(missing_ok=True)


def _old_files(folder: Path) -> list[str]:
    named = (AUDIT, JOURNAL, _ASIDE, ".lock")
    return [
        name
        for name in os.listdir(folder)
        if name.endswith((SUFFIX, kept.SUFFIX))
        or name in named
        or (name.startswith(".") and name.endswith(".tmp"))
    ]


def _usable(content: bytes, file: str, seal: Seal | None) -> bool:
    """Whether a file can be used; of what is encrypted only the passphrase can tell."""
    try:
        if is_sealed(content):
            if seal is None:
                return True
            content = seal.open(content)
        if kept.ids_of(file):
            kept.check(content)
        else:
            from_bytes(content, "")
    except WrongSeal:
        return True
    except GalleryError:
        return False
    return True


def _read(path: Path, limit: int) -> bytes | None:
    try:
        return path.read_bytes() if path.is_file() and path.stat().st_size <= limit else None
    except OSError as error:
        raise GalleryError(
            f'"{path}" cannot be read ({error.strerror}): check its permissions, or stop the program that '
            "holds it, then try again; until then nothing is taken over from this folder."
        ) from error


def _pending(folder: Path) -> tuple[dict[str, str], set[str]]:
    """A change that a killed writer of an older version had made but for moving files: temporaries by file
    that are still to be moved, and files that are gone."""
    try:
        body = json.loads((folder / JOURNAL).read_bytes())
        digest = body.pop("sha256")
        if digest != hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest():
            return {}, set()
        names: Sequence[str] = [*body["replace"], *body["replace"].values(), *body["gone"]]
        if not all(isinstance(name, str) for name in names):
            return {}, set()
        there = {f: t for f, t in body["replace"].items() if "/" not in f + t and (folder / t).is_file()}
        lost = [f for f in body["replace"] if f not in there and not (folder / f).exists()]
        return there, set() if lost else set(body["gone"])
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}, set()


def _audit_lines(folder: Path) -> list[str]:
    """The lines of an old audit log that are whole."""
    try:
        content = (folder / AUDIT).read_bytes()
    except FileNotFoundError:
        return []
    lines: list[str] = []
    for text in content.splitlines():
        with suppress(ValueError, RecursionError):
            line = json.loads(text)
            if isinstance(line, dict):
                lines.append(json.dumps(line, ensure_ascii=False))
    return lines
