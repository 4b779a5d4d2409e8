"""The tables of a gallery, one set for SQLite and PostgreSQL, and how older ones are brought up to date.

What is known of a person is one packed document (`voiceprint.py`), not columns: a passphrase has to hide the
name, the consent and the numbers alike, so nothing of them can be a column. Columns hold random ids only, and
the generation that tells readers what has changed since they last looked.

Versions are numbered steps (`STEPS`), each applied in a transaction with the number that it leads to. A tool
for migrations would bring a folder of scripts and a table of its own for what are a few statements here.
"""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sql
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, String, Table, Text

from speakerid.gallery.database import Unavailable

tables = MetaData()


class Content(LargeBinary):
    """Bytes. SQLite lets any program lay other things into the column: they come as bytes that nothing can
    read, so that they are one damaged row and stop nobody from reading the others.
    """

    def result_processor(self, dialect: Any, coltype: object) -> Callable[[Any], bytes | None]:
        return _bytes_of


def _bytes_of(value: Any) -> bytes | None:
    if value is None or isinstance(value, bytes):
        return value
    return bytes(value) if isinstance(value, memoryview) else str(value).encode(errors="replace")


state = Table(
    "speakerid_state",
    tables,
    Column("id", Integer, primary_key=True),  # one row, 1
    Column("version", Integer, nullable=False),  # of the schema
    Column("generation", BigInteger, nullable=False),  # grows by one with each transaction that writes
    Column("moving", Text, nullable=False),  # JSON: old files that are taken over and still to be moved away
)
voiceprints = Table(
    "speakerid_voiceprints",
    tables,
    Column("id", String(64), primary_key=True),
    Column("generation", BigInteger, nullable=False, index=True),  # in which it was written
    Column("content", Content, nullable=False),
)
removed = Table(
    "speakerid_removed",
    tables,
    Column("id", String(64), primary_key=True),
    Column("generation", BigInteger, nullable=False, index=True),
)
recordings = Table(
    "speakerid_recordings",
    tables,
    Column("owner", String(64), primary_key=True),  # id of the voiceprint
    Column("id", String(64), primary_key=True),
    Column("content", Content, nullable=False),
)
sessions = Table(
    "speakerid_sessions",
    tables,
    Column("session", String(64), primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False),  # 0 tells about it, others are its sound
    Column("content", Content, nullable=False),
)
audit = Table(
    "speakerid_audit",
    tables,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("line", Text, nullable=False),
)
keys = Table(
    "speakerid_keys",
    tables,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("hash", String(64), nullable=False),  # SHA-256 of the key (keys.py)
    Column("created", String(32), nullable=False),
)


def _kept_sessions(connection: sql.Connection) -> None:
    sessions.create(connection, checkfirst=True)


STEPS: list[Callable[[sql.Connection], None]] = [tables.create_all, _kept_sessions]
"""Step n brings version n to version n + 1; later ones are added at the end, and none is ever changed."""

SESSIONS_SINCE = 2
"""The version that has a table of kept sessions."""


def version_of(connection: sql.Connection) -> int:
    """The version of the tables in a database; 0 where there are none."""
    if not sql.inspect(connection).has_table(state.name):
        return 0
    return connection.scalar(sql.select(state.c.version)) or 0


def has_tables(connection: sql.Connection) -> bool:
    """Whether there are tables, and of a version that this program knows.

    Raises:
        Unavailable: if a newer version of this program made them.
    """
    version = version_of(connection)
    if version > len(STEPS):
        raise Unavailable(
            f"The voiceprints were written by a newer version of this program (tables {version}, and "
            f"this one knows {len(STEPS)}): update this program."
        )
    return version > 0


def bring_up(connection: sql.Connection) -> None:
    """Make the tables, or bring older ones up to date, in the transaction that is open.

    Raises:
        Unavailable: if a newer version of this program made them.
    """
    version = version_of(connection) if has_tables(connection) else 0
    for step in STEPS[version:]:
        step(connection)
    if version == 0:
        connection.execute(state.insert().values(id=1, version=len(STEPS), generation=0, moving="[]"))
    elif version < len(STEPS):
        connection.execute(state.update().values(version=len(STEPS)))
