"""SQLite: one file in a folder, for one computer."""

import os
import sqlite3
import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from speakerid.errors import GalleryError
from speakerid.gallery import schema
from speakerid.gallery.database import DiskFull, explain, explained, meaning
from speakerid.places import network_file_system

FILE = "voiceprints.sqlite"
RESERVE = "reserve"
_LEAST_RESERVE = 512 * 1024
_MODE_TRIES, _MODE_PAUSE = 300, 0.05  # fifteen seconds in all
_NO_TEXT = bytes(code | 0x80 for code in range(256))  # so that nobody ever reads a name into it


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
                self._has_tables = schema.has_tables(connection)
        return self._has_tables

    @contextmanager
    def reading(self) -> Iterator[sql.Connection]:
        with explained("read", self.place), self._begun(self._engine) as connection:
            yield connection

    @contextmanager
    def writing(self, timeout: float) -> Iterator[sql.Connection]:
        with explained("written", self.place):
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
                full = isinstance(meaning(error, "read", self.place), DiskFull)
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
