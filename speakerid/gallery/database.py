"""What a store needs of a database, and what a database's errors mean for a person."""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from sqlalchemy.exc import DBAPIError

from speakerid.errors import GalleryError

LOCK_SECONDS = 15.0
"""How long a writer waits for another one."""


class Unavailable(GalleryError):
    """The database cannot be used now: it does not answer, is busy or damaged, or its disk is full."""


class Database(Protocol):
    """What a store needs of a database."""

    place: str  # for messages, without a password

    def exists(self) -> bool:
        """Whether there is anything to read yet."""
        ...

    def reading(self) -> Any:
        """A context manager: a connection that sees one moment."""
        ...

    def writing(self, timeout: float) -> Any:
        """A context manager: a transaction of the only writer; tables are made where there are none."""
        ...

    def changed(self) -> Hashable | None:
        """What is the same as long as certainly nothing changed; None where one has to look."""
        ...

    def cleared(self) -> None:
        """Called after a commit that replaced or deleted something: leave nothing of it behind."""
        ...

    def make_room(self) -> bool:
        """Called when the disk is full and something is to be deleted; whether it may be tried again."""
        ...

    def reserve(self, size: int) -> None:
        """Called after a commit whose largest content has this many bytes."""
        ...

    def close(self) -> None: ...


def explain(error: OSError, verb: str, place: str) -> str:
    """What to tell of a folder that cannot be read or written."""
    if isinstance(error, NotADirectoryError | FileExistsError):
        return f'"{place}" is not a folder: choose a folder for the voiceprints.'
    why = error.strerror or str(error)
    return f'The voiceprints in "{place}" cannot be {verb} ({why}): check its permissions and the disk.'


def unreachable(place: str, verb: str, why: str) -> Unavailable:
    """What to tell of a server that does not answer."""
    return Unavailable(
        f"The database {place} cannot be {verb} ({why.splitlines()[0]}): check that it runs and can "
        "be reached, and its address, user and password; it is tried again by itself."
    )


class DiskFull(Unavailable):
    """There was no room for a change."""


@contextmanager
def explained(verb: str, place: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(explain(error, verb, place)) from error
    except DBAPIError as error:
        raise meaning(error, verb, place) from error


def meaning(error: DBAPIError, verb: str, place: str) -> Unavailable:
    name = getattr(error.orig, "sqlite_errorname", "") or type(error.orig).__name__
    why = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else name
    if name in ("SQLITE_BUSY", "LockNotAvailable") or name.startswith("SQLITE_BUSY"):
        return Unavailable(
            f'Another program has been writing to "{place}" for too long: wait for it or stop it, then try '
            "again."
        )
    if name.startswith("SQLITE_READONLY"):
        return Unavailable(
            f'The voiceprints in "{place}" cannot be {verb}, since the folder or the database in it is '
            "read-only for this user: check its permissions."
        )
    if name in ("SQLITE_FULL", "DiskFull", "SQLITE_CANTOPEN") or name.startswith("SQLITE_IOERR"):
        return DiskFull(
            f'The voiceprints in "{place}" cannot be {verb} ({why}): check its permissions and the disk.'
        )
    if name in ("SQLITE_NOTADB", "SQLITE_CORRUPT") or name.startswith("SQLITE_CORRUPT"):
        return Unavailable(
            f'The file "voiceprints.sqlite" in "{place}" is damaged ({why}): move it away and put a '
            "backup in its place."
        )
    if name == "InsufficientPrivilege":
        return Unavailable(
            f"The database {place} does not let this user do that ({why}): grant them to read and write all "
            "tables of its schema, and to make tables in it."
        )
    if place.startswith("postgresql"):
        return unreachable(place, verb, why)
    return Unavailable(
        f'The voiceprints in "{place}" cannot be {verb} ({why}): check its permissions and the disk.'
    )
