"""The statements of a store, table by table, in the transaction of a connection.

What is stored is known by the name that it has in an exported file: `ID.safetensors` for a voiceprint,
`recordings.file_of` for a recording; parts of sessions by one of the same kind (`kept_session.file_of`).
"""

import json
from collections.abc import Iterator, Mapping

import sqlalchemy as sql

from speakerid.gallery import kept_recording as kept
from speakerid.gallery import kept_session
from speakerid.gallery.schema import (
    SESSIONS_SINCE,
    audit,
    recordings,
    removed,
    sessions,
    state,
    version_of,
    voiceprints,
)
from speakerid.gallery.snapshot import SUFFIX


def generation(connection: sql.Connection) -> int:
    """The one in which something was written last."""
    return connection.scalar(sql.select(state.c.generation)) or 0


def begin_generation(connection: sql.Connection) -> None:
    """Begin the next one, that of this transaction."""
    connection.execute(state.update().values(generation=state.c.generation + 1))


def content(connection: sql.Connection, file: str) -> bytes | None:
    """What is stored under a name, sealed or not; None where nothing is."""
    table, _, where = _row(file)
    return connection.scalar(sql.select(table.c.content).where(where))


def put(connection: sql.Connection, file: str, content: bytes) -> None:
    """Store it, in the place of what is there."""
    table, values, where = _row(file)
    connection.execute(table.delete().where(where))
    if table is voiceprints:
        values["generation"] = generation(connection)
    connection.execute(table.insert().values(**values, content=content))


def delete(connection: sql.Connection, file: str) -> None:
    """Delete it, and let readers know."""
    table, values, where = _row(file)
    connection.execute(table.delete().where(where))
    if table is voiceprints:
        connection.execute(removed.delete().where(removed.c.id == values["id"]))
        connection.execute(removed.insert().values(**values, generation=generation(connection)))


def removed_since(connection: sql.Connection, before: int) -> list[str]:
    """Ids of the voiceprints that were deleted after a generation."""
    return list(connection.scalars(sql.select(removed.c.id).where(removed.c.generation > before)))


def written_since(connection: sql.Connection, before: int) -> Iterator[tuple[str, bytes]]:
    """Ids and contents of the voiceprints that were stored after a generation."""
    columns = voiceprints.c
    query = sql.select(columns.id, columns.content).where(columns.generation > before)
    yield from connection.execute(query)


def heads(connection: sql.Connection) -> Iterator[bytes]:
    """The first bytes of every voiceprint, by which sealed ones are known."""
    for row in connection.execute(sql.select(sql.func.substr(voiceprints.c.content, 1, 64))):
        yield bytes(row[0])


def voiceprint_files(connection: sql.Connection) -> list[str]:
    """Names of all voiceprints, usable or not."""
    return [f"{one}{SUFFIX}" for one in sorted(connection.scalars(sql.select(voiceprints.c.id)))]


def recording_files(connection: sql.Connection, owner: str | None = None) -> dict[str, list[str]]:
    """Names of kept recordings by the id of their voiceprint: of everybody, or of one."""
    columns = recordings.c
    query = sql.select(columns.owner, columns.id).order_by(columns.owner, columns.id)
    found: dict[str, list[str]] = {}
    for one, recording in connection.execute(query if owner is None else query.where(columns.owner == owner)):
        found.setdefault(one, []).append(kept.file_of(one, recording))
    return found


def session_files(connection: sql.Connection, session: str | None = None) -> dict[str, list[str]]:
    """Names of what is kept of sessions by their ids: of all of them, or of one."""
    columns = sessions.c
    query = sql.select(columns.session, columns.part).order_by(columns.session, columns.part)
    found: dict[str, list[str]] = {}
    if version_of(connection) >= SESSIONS_SINCE:
        for one, part in connection.execute(
            query if session is None else query.where(columns.session == session)
        ):
            found.setdefault(one, []).append(kept_session.file_of(one, part))
    return found


def files(connection: sql.Connection) -> list[str]:
    """Names of all voiceprints, recordings and parts of sessions, usable or not."""
    others = *recording_files(connection).values(), *session_files(connection).values()
    return voiceprint_files(connection) + [file for own in others for file in own]


def longest_part(connection: sql.Connection) -> int:
    """Bytes of the largest kept recording or part of a session."""
    tables = [recordings, sessions] if version_of(connection) >= SESSIONS_SINCE else [recordings]
    longest = [sql.select(sql.func.max(sql.func.length(table.c.content))) for table in tables]
    return max(connection.scalar(query) or 0 for query in longest)


def audit_lines(connection: sql.Connection) -> list[dict]:
    """The audit log, oldest line first."""
    rows = connection.scalars(sql.select(audit.c.line).order_by(audit.c.number))
    return [json.loads(line) for line in rows]


def add_audit_line(connection: sql.Connection, line: Mapping[str, object]) -> None:
    """Add a line to the audit log."""
    connection.execute(audit.insert().values(line=json.dumps(line, ensure_ascii=False)))


def _row(file: str) -> tuple[sql.Table, dict[str, str | int], sql.ColumnElement[bool]]:
    """The table of what has this name, what its row has in its key, and the condition that finds it."""
    table: sql.Table
    values: dict[str, str | int]
    if ids := kept.ids_of(file):
        table, values = recordings, {"owner": ids[0], "id": ids[1]}
    elif part := kept_session.part_of(file):
        table, values = sessions, {"session": part[0], "part": part[1]}
    else:
        table, values = voiceprints, {"id": file.removesuffix(SUFFIX)}
    return table, values, sql.and_(*(table.c[column] == value for column, value in values.items()))
