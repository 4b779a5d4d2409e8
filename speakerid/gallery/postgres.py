"""PostgreSQL: a database on a server, for several computers."""

import threading
import weakref
from collections.abc import Hashable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import sqlalchemy as sql
from sqlalchemy.exc import SQLAlchemyError

from speakerid.errors import GalleryError
from speakerid.gallery import schema
from speakerid.gallery.database import explained, unreachable

_LOCK = 0x5BEA4E21D  # of PostgreSQL's advisory locks, the one for writers of a gallery


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
                self._has_tables = schema.has_tables(connection)
        return self._has_tables

    @contextmanager
    def reading(self) -> Iterator[sql.Connection]:
        if why := self._listener.away:  # it tries again all the time, so nobody else has to wait for that
            raise unreachable(self.place, "read", why)
        with explained("read", self.place), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, timeout: float) -> Iterator[sql.Connection]:
        with (
            explained("written", self.place),
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
        self.away = ""  # why the server cannot be reached, since it was last tried
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

        patience: dict[str, Any] = {"connect_timeout": 5, "tcp_user_timeout": 5000, "keepalives_idle": 5}
        while not self._stop.is_set():
            try:
                connection = psycopg.connect(self._address, autocommit=True, **patience)
                self.away = ""
            except psycopg.Error as error:
                self.away = str(error).strip() or "it does not answer"
            else:
                with suppress(psycopg.Error), connection:
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
