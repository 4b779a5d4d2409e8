"""The two databases: how each is opened, locked for one writer, and what its errors mean for a person."""

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Hashable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sql
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from speakerid.errors import GalleryError
from speakerid.gallery import schema
from speakerid.places import network_file_system

FILE = "voiceprints.sqlite"
RESERVE = "reserve"
_LOCK = 0x5BEA4E21D  # of PostgreSQL's advisory locks, the one for writers of a gallery
_LEAST_RESERVE = 512 * 1024
_MODE_TRIES, _MODE_PAUSE = 300, 0.05  # fifteen seconds in all
_NO_TEXT = bytes(code | 0x80 for code in range(256))  # so that nobody ever reads a name into it


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


class SqliteDatabase:
    """One file in a folder. It is made at the first change; until then the folder need not be there."""

    def __init__(self, folder: Path):
        self.folder, self.path = folder, folder / FILE
        self.place = str(folder)
        self._network = network_file_system(folder)
        self._engine = sql.create_engine(
            sql.URL.create("sqlite", database=str(self.path)), connect_args={"check_same_thread": False}
        )
        self._inode: tuple[int, int] | None = None
        self._has_tables = False
        event.listen(self._engine, "connect", self._connected)
        event.listen(self._engine, "begin", _begin)

    def exists(self) -> bool:
        try:
            info = os.stat(self.path)
        except (FileNotFoundError, NotADirectoryError) as error:
            if self._inode:
                raise GalleryError(
                    f'The voiceprints in "{self.folder}" are gone: put the folder back where it was.'
                ) from error
            if self.folder.exists() and not self.folder.is_dir():
                raise GalleryError(
                    f'"{self.folder}" is not a folder: choose a folder for the voiceprints.'
                ) from None
            return False
        except OSError as error:
            raise GalleryError(explain(error, "read", self.place)) from error
        if self._inode != (info.st_dev, info.st_ino):  # another file took its place, such as a backup
            self._engine.dispose()
            self._inode, self._has_tables = (info.st_dev, info.st_ino), False
        if info.st_size and not self._has_tables:  # a first change that failed leaves none
            with self.reading() as connection:
                self._has_tables = schema.version_of(connection) > 0
        return self._has_tables

    @contextmanager
    def reading(self) -> Iterator[sql.Connection]:
        with _explained("read", self.place), self._begun(self._engine) as connection:
            yield connection

    @contextmanager
    def writing(self, timeout: float) -> Iterator[sql.Connection]:
        with _explained("written", self.place):
            self._make_folder()
            self.exists()
            engine = self._engine.execution_options(lock_seconds=timeout)
            with self._begun(engine) as connection:
                schema.bring_up(connection)
                yield connection
                connection.commit()

    def _begun(self, engine: sql.Engine) -> sql.Connection:
        """A connection with a transaction. On a full disk even reading needs some room, which it makes."""
        for again in (False, True):
            connection = engine.connect()
            try:
                connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
                return connection
            except DBAPIError as error:
                connection.close()
                full = isinstance(_meaning(error, "read", self.place), DiskFull)
                if again or not full or not self.make_room():
                    raise
        raise AssertionError

    def changed(self) -> Hashable | None:
        return None

    def cleared(self) -> None:
        with suppress(SQLAlchemyError), self._engine.connect() as connection:
            # Where a reader is in the way, the next change does it.
            driver: Any = connection.connection.dbapi_connection
            driver.execute("PRAGMA busy_timeout = 2000")
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def make_room(self) -> bool:
        try:
            (self.folder / RESERVE).unlink()
        except OSError:
            return False
        return True

    def reserve(self, size: int) -> None:
        """Keep as much of the disk as deleting the largest content takes, so that deleting always works.

        Deleting overwrites, by way of a log beside the file, as much as there was. Random bytes, since some
        file systems store zeros in no place at all."""
        path, wanted = self.folder / RESERVE, _LEAST_RESERVE + size + size // 4
        with suppress(OSError):  # no room for it is no reason to refuse what was stored
            there = path.stat().st_size if path.exists() else 0
            if there < wanted:
                with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600), "ab") as file:
                    file.write(os.urandom(wanted - there).translate(_NO_TEXT))

    def close(self) -> None:
        self._engine.dispose()

    def _make_folder(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self.path.exists():
            if self._inode:
                self.exists()  # says that it is gone; nothing is begun anew in its place
            if os.name == "posix" and os.stat(self.folder).st_uid == os.getuid():
                self.folder.chmod(0o700)
            with suppress(FileExistsError):
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL, 0o600))

    def _connected(self, driver: Any, _record: object) -> None:
        driver.isolation_level = None  # `_begin` begins transactions
        driver.execute("PRAGMA busy_timeout = 15000")
        # The shared memory of WAL works on one machine only.
        _keep_log_in(driver, "TRUNCATE" if self._network else "WAL")
        driver.execute("PRAGMA synchronous = FULL")
        driver.execute("PRAGMA secure_delete = ON")


def _keep_log_in(driver: Any, mode: str) -> None:
    """Set the journal's mode, which stays in the file.

    Changing it needs the file for itself, and SQLite then answers "locked" at once, whatever the time-out, to
    one of two programs that want it (sqlite.org/wal.html, "Sometimes Queries Return SQLITE_BUSY")."""
    for patience in range(_MODE_TRIES, -1, -1):
        try:
            driver.execute(f"PRAGMA journal_mode = {mode}")
            return
        except sqlite3.OperationalError as error:
            if not patience or not error.sqlite_errorname.startswith("SQLITE_BUSY"):
                raise
            time.sleep(_MODE_PAUSE)


def _begin(connection: sql.Connection) -> None:
    timeout = connection.get_execution_options().get("lock_seconds")
    if timeout is None:
        connection.exec_driver_sql("BEGIN")
    else:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(timeout * 1000)}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")


class PostgresDatabase:
    """A database on a server, for several machines. A thread of its own hears of the changes of others."""

    def __init__(self, url: str):
        try:
            parsed = sql.make_url(url).set(drivername="postgresql+psycopg")
            self._engine = sql.create_engine(
                parsed,
                pool_pre_ping=True,
                isolation_level="REPEATABLE READ",
                connect_args={"connect_timeout": 5, "tcp_user_timeout": 5000, "keepalives_idle": 5},
            )
        except ImportError as error:
            raise GalleryError(
                "PostgreSQL needs a package: run pip install 'speakerid[postgres]'."
            ) from error
        except SQLAlchemyError as error:
            raise GalleryError(
                "The address of the database cannot be read: write postgresql://USER:PASSWORD@HOST/NAME."
            ) from error
        self.place = parsed.set(drivername="postgresql").render_as_string(hide_password=True)
        self._has_tables = False
        self._listener = _Listener(parsed)
        weakref.finalize(self, self._listener.stop)

    def exists(self) -> bool:
        if not self._has_tables:
            with self.reading() as connection:
                self._has_tables = schema.version_of(connection) > 0
        return self._has_tables

    @contextmanager
    def reading(self) -> Iterator[sql.Connection]:
        with _explained("read", self.place), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, timeout: float) -> Iterator[sql.Connection]:
        with (
            _explained("written", self.place),
            # What others committed before the lock was given has to be seen after it.
            self._engine.execution_options(isolation_level="READ COMMITTED").begin() as connection,
        ):
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(timeout * 1000)}")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            schema.bring_up(connection)
            yield connection
            connection.exec_driver_sql("SELECT pg_notify('speakerid', '')")

    def changed(self) -> Hashable | None:
        return self._listener.changed()

    def cleared(self) -> None:
        """PostgreSQL's own VACUUM does it."""

    def make_room(self) -> bool:
        return False

    def reserve(self, size: int) -> None:
        """The server's disk is not ours."""

    def close(self) -> None:
        self._listener.stop()
        self._engine.dispose()


class _Listener:
    """A thread that hears of the changes of others, and connects again whenever the connection is lost."""

    def __init__(self, url: sql.URL):
        self._address = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._count, self._listening = 0, False
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._guard = threading.Lock()

    def changed(self) -> Hashable | None:
        """What stays the same until something is heard; None while nothing can be heard."""
        with self._guard:
            if self._thread is None:
                self._thread = threading.Thread(target=self._listen, name="gallery-changes", daemon=True)
                self._thread.start()
            return self._count if self._listening else None

    def stop(self) -> None:
        """End the thread within a second."""
        self._stop.set()

    def _listen(self) -> None:
        import psycopg

        while not self._stop.is_set():
            with (
                suppress(psycopg.Error),
                psycopg.connect(
                    self._address,
                    autocommit=True,
                    connect_timeout=5,
                    tcp_user_timeout=5000,
                    keepalives_idle=5,
                ) as connection,
            ):
                connection.execute("LISTEN speakerid")
                self._heard(True)
                while not self._stop.is_set():
                    for _ in connection.notifies(timeout=1.0, stop_after=1):
                        self._heard(True)
            self._heard(False)
            self._stop.wait(0.5)

    def _heard(self, listening: bool) -> None:
        with self._guard:
            self._count += 1
            self._listening = listening


def explain(error: OSError, verb: str, place: str) -> str:
    """What to tell of a folder that cannot be read or written."""
    if isinstance(error, NotADirectoryError | FileExistsError):
        return f'"{place}" is not a folder: choose a folder for the voiceprints.'
    why = error.strerror or str(error)
    return f'The voiceprints in "{place}" cannot be {verb} ({why}): check its permissions and the disk.'


class DiskFull(GalleryError):
    """There was no room for a change."""


@contextmanager
def _explained(verb: str, place: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise GalleryError(explain(error, verb, place)) from error
    except DBAPIError as error:
        raise _meaning(error, verb, place) from error


def _meaning(error: DBAPIError, verb: str, place: str) -> GalleryError:
    name = getattr(error.orig, "sqlite_errorname", "") or type(error.orig).__name__
    why = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else name
    if name in ("SQLITE_BUSY", "LockNotAvailable") or name.startswith("SQLITE_BUSY"):
        return GalleryError(
            f'Another program has been writing to "{place}" for too long: wait for it or stop it, then try '
            "again."
        )
    if name in ("SQLITE_FULL", "DiskFull", "SQLITE_CANTOPEN") or name.startswith("SQLITE_IOERR"):
        return DiskFull(
            f'The voiceprints in "{place}" cannot be {verb} ({why}): check its permissions and the disk.'
        )
    if name in ("SQLITE_NOTADB", "SQLITE_CORRUPT") or name.startswith("SQLITE_CORRUPT"):
        return GalleryError(
            f'The file "{FILE}" in "{place}" is damaged ({why}): move it away and put a backup in its place.'
        )
    if place.startswith("postgresql"):
        return GalleryError(
            f"The database {place} cannot be {verb} ({why}): check that it runs and can be "
            "reached; it is tried again by itself."
        )
    return GalleryError(
        f'The voiceprints in "{place}" cannot be {verb} ({why}): check its permissions and the disk.'
    )
