"""A gallery in a database: one set of statements for SQLite and PostgreSQL."""

import json
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sql

from speakerid import settings
from speakerid.errors import GalleryError
from speakerid.gallery import kept_session, schema
from speakerid.gallery import recordings as kept
from speakerid.gallery.contents import (
    SUFFIX,
    Contents,
    Damaged,
    FromNewer,
    Sealed,
    named,
    shows_name,
    sort,
)
from speakerid.gallery.database import Database
from speakerid.gallery.sealing import HEAD, Locked, Seal, WrongSeal, is_sealed
from speakerid.gallery.takeover import BEFORE, forget, take_over, wants_taking_over
from speakerid.gallery.voiceprint import Newer, Voiceprint, check_numbers, from_bytes, to_bytes

LOCK_SECONDS = 15.0
_CHANGED = "it was changed since it was encrypted"


class _Seen:
    """What was read up to a generation: by id, what a row holds and whether it is encrypted."""

    def __init__(self, generation: int = 0):
        self.generation = generation
        self.rows: dict[str, tuple[Voiceprint | Damaged, bool]] = {}
        self.contents: Contents | None = None


class SqlStore:
    """People, kept recordings and the audit log in a database; see `store.Store`.

    A seal encrypts what is written and opens what is encrypted; other rows are read as well.
    """

    def __init__(self, database: Database, seal: Seal | None = None, folder: Path | None = None):
        self._database, self._seal, self.folder = database, seal, folder
        self._guard = threading.RLock()
        self._seen = _Seen()
        self._written = threading.local()  # .connection of the transaction of this thread, .dirty
        self._checked = folder is None  # whether an older folder was looked for
        self._revision: tuple[Hashable, int] | None = None
        self._largest = -1

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        return self._database.place

    @property
    def database(self) -> Database:
        """Where the rows are, for what is kept beside the people (keys.py); older folders are taken over."""
        self._ready()
        return self._database

    @property
    def seal(self) -> Seal | None:
        """What rows are encrypted with; None for nothing."""
        return self._seal

    def close(self) -> None:
        """Give the connections back."""
        self._database.close()

    def revision(self) -> Hashable:
        """Changes whenever anything is written; cheap enough to ask for every second.

        Raises:
            GalleryError: if the database cannot be read.
        """
        if not self._ready():
            return 0
        changed = self._database.changed()  # before the look: what comes in between is looked at again
        if changed is None or self._revision is None or self._revision[0] != changed:
            with self._database.reading() as connection:
                generation = connection.scalar(sql.select(schema.state.c.generation)) or 0
            self._revision = (changed, generation)
        return self._revision[1]

    def read(self) -> Contents:
        """Everybody at one moment; only what changed since the last look is read.

        Raises:
            Locked: it is encrypted and the passphrase does not open it.
            GalleryError: it cannot be read.
        """
        connection = getattr(self._written, "connection", None)
        if connection is not None and self._written.dirty:
            return self._contents(self._brought_up(connection, self._seen))  # it may still be rolled back
        if connection is None and self._guard.acquire(blocking=False):
            try:
                if self._seen.contents and self._seen.generation == self.revision():
                    return self._seen.contents
            finally:
                self._guard.release()
        if connection is None and not self._ready():
            return Contents({}, ())
        with self._guard:
            if connection is not None:
                self._seen = self._brought_up(connection, self._seen)
            else:
                with self._database.reading() as reading:
                    self._seen = self._brought_up(reading, self._seen)
            return self._contents(self._seen)

    def in_clear(self) -> list[str]:
        """The voiceprints that are not encrypted though there is a passphrase, of those read last."""
        if self._seal is None:
            return []
        return [
            f"{one}{SUFFIX}"
            for one, (content, sealed) in self._seen.rows.items()
            if isinstance(content, Voiceprint) and not sealed
        ]

    def is_sealed(self) -> bool:
        """Whether any voiceprint is encrypted.

        Raises:
            GalleryError: if it cannot be read.
        """
        if not self._ready():
            return False
        head = sql.func.substr(schema.voiceprints.c.content, 1, 64)
        with self._database.reading() as connection:
            return any(is_sealed(bytes(row[0])) for row in connection.execute(sql.select(head)))

    def recordings(self, owner: str | None = None) -> dict[str, list[str]]:
        """Names of kept recordings by the id of their voiceprint: of everybody, or of one."""
        columns = schema.recordings.c
        query = sql.select(columns.owner, columns.id).order_by(columns.owner, columns.id)
        found: dict[str, list[str]] = {}
        with self._connection() as connection:
            if connection is not None:
                for one, recording in connection.execute(
                    query if owner is None else query.where(columns.owner == owner)
                ):
                    found.setdefault(one, []).append(kept.file_of(one, recording))
        return found

    def sessions(self, session: str | None = None) -> dict[str, list[str]]:
        """Names of what is kept of sessions by their ids: of all of them, or of one."""
        columns = schema.sessions.c
        query = sql.select(columns.session, columns.part).order_by(columns.session, columns.part)
        found: dict[str, list[str]] = {}
        with self._connection() as connection:
            if connection is not None and schema.version_of(connection) >= schema.SESSIONS_SINCE:
                for one, part in connection.execute(
                    query if session is None else query.where(columns.session == session)
                ):
                    found.setdefault(one, []).append(kept_session.file_of(one, part))
        return found

    def recording_bytes(self, file: str) -> bytes:
        """The content of a recording or of a part of a session, opened if it is sealed.

        Raises:
            WrongSeal: if it is encrypted and the passphrase is missing or another one.
            GalleryError: saying what is wrong with it, if it cannot be had.
        """
        with self._connection() as connection:
            content = _content(connection, file) if connection is not None else None
        if content is None:
            raise GalleryError("it was deleted meanwhile")
        return self._opened_bytes(content)

    def raw(self, file: str) -> bytes:
        """The row of a voiceprint or recording as it is stored, sealed or not."""
        with self._connection() as connection:
            return (_content(connection, file) if connection is not None else None) or b""

    def rows(self) -> list[str]:
        """The names of all voiceprints, recordings and parts of sessions that are stored, usable or not."""
        with self._connection() as connection:
            if connection is None:
                return []
            ids = connection.scalars(sql.select(schema.voiceprints.c.id)).all()
        files = [f"{one}{SUFFIX}" for one in sorted(ids)]
        others = (*self.recordings().values(), *self.sessions().values())
        return files + [file for own in others for file in own]

    def audit(self) -> list[dict]:
        """The lines of the audit log, oldest first."""
        with self._connection() as connection:
            if connection is None:
                return []
            rows = connection.execute(sql.select(schema.audit.c.line).order_by(schema.audit.c.number))
            return [json.loads(row[0]) for row in rows]

    @contextmanager
    def locked(self, timeout: float = LOCK_SECONDS) -> Iterator[None]:
        """Be the only writer: one transaction, undone as a whole where the block fails.

        Raises:
            GalleryError: if it cannot be written, or another writer does not end in time.
        """
        self._ready()
        gone: list[str] = []
        with self._database.writing(timeout) as connection:
            self._written.connection, self._written.dirty, self._written.gone = connection, False, gone
            try:
                yield
            finally:
                dirty = self._written.dirty
                self._written.connection, self._written.dirty = None, False
        if dirty:
            self._revision = None
            self._database.cleared()
            if self.folder and gone:
                forget(self.folder, gone)
            self._keep_reserve()

    def make_room(self) -> bool:
        """Give up what is kept for deleting on a full disk; whether there was any."""
        return self._database.make_room()

    def require_open(self) -> None:
        """Make sure that the passphrase opens every voiceprint; call it before changing anything.

        Raises:
            GalleryError: if not, naming them: to write on would leave a gallery that no one passphrase opens.
        """
        closed = [damaged.file for damaged in self.read().damaged if isinstance(damaged, Sealed)]
        if closed:
            raise GalleryError(
                f'Nothing can be changed in "{self.place}", since the passphrase does not open '
                f"{named(closed)}: set {settings.PASSPHRASE} to the one that opens everything, or let "
                '"speakerid doctor --repair" move away what it does not open.'
            )

    def put(self, voiceprint: Voiceprint) -> None:
        """Store one person, in the transaction of this thread or in one of its own."""
        if getattr(self._written, "connection", None) is not None:
            self.write([voiceprint])
        else:
            with self.locked():
                self.write([voiceprint])

    def write(
        self,
        voiceprints: Sequence[Voiceprint] = (),
        recordings: Mapping[str, bytes] | None = None,
        gone: Sequence[str] = (),
        line: Mapping[str, object] | None = None,
    ) -> None:
        """Store people and recordings and delete others; call it while holding the lock.

        Every row is read back through the validation that reads it ever after, before the transaction ends.

        Args:
            voiceprints: people as they are from now on.
            recordings: contents of recordings by their names (`recordings.file_of`).
            gone: names of what to delete.
            line: for the audit log.

        Raises:
            GalleryError: if consent is missing, numbers are unusable, or something does not open with the
                passphrase; nothing is changed then.
        """
        self.require_open()
        for voiceprint in voiceprints:
            check_numbers(voiceprint)
        contents = {f"{voiceprint.id}{SUFFIX}": to_bytes(voiceprint) for voiceprint in voiceprints}
        for file in contents:
            from_bytes(contents[file], "")
        for file, content in (recordings or {}).items():
            kept.check(content)
            contents[file] = content
        sealed = {file: self._seal.close(c) if self._seal else c for file, c in contents.items()}
        self.write_raw(sealed, gone, line)
        for file, content in contents.items():
            if self._opened_bytes(self.raw(file)) != content:
                raise GalleryError(
                    "The database gave back something else than was stored: nothing is changed."
                )

    def write_raw(
        self,
        contents: Mapping[str, bytes],
        gone: Sequence[str] = (),
        line: Mapping[str, object] | None = None,
    ) -> None:
        """Store rows as they are to be, sealed or not; call it while holding the lock."""
        connection = self._written.connection
        if not self._written.dirty:
            connection.execute(schema.state.update().values(generation=schema.state.c.generation + 1))
            self._written.dirty = True
        generation = connection.scalar(sql.select(schema.state.c.generation))
        for file in gone:
            table, _, where = _row(file)
            connection.execute(table.delete().where(where))
            if table is schema.voiceprints:
                one = file.removesuffix(SUFFIX)
                connection.execute(schema.removed.delete().where(schema.removed.c.id == one))
                connection.execute(schema.removed.insert().values(id=one, generation=generation))
        self._written.gone += gone
        for file, content in contents.items():
            table, values, where = _row(file)
            connection.execute(table.delete().where(where))
            if table is schema.voiceprints:
                values["generation"] = generation
            else:
                self._largest = max(self._largest, len(content))
            connection.execute(table.insert().values(**values, content=content))
        if line is not None:
            connection.execute(schema.audit.insert().values(line=json.dumps(line, ensure_ascii=False)))

    def files_of(self, person: Voiceprint) -> list[str]:
        """Names of every row that holds something of a person: voiceprints, hidden doubles of them,
        recordings, and damaged rows in which the name can still be read; call it while holding the lock."""
        files = [f"{person.id}{SUFFIX}"]
        for damaged in self.read().damaged:
            try:
                content = self._opened_bytes(self.raw(damaged.file))
            except GalleryError:
                continue
            if shows_name(content, person.name):
                files.append(damaged.file)
        for file in tuple(files):
            owner = file.removesuffix(SUFFIX)
            files += self.recordings(owner).get(owner, ())
        return files

    def unlock(self, seal: Seal) -> None:
        """Open what is encrypted with this seal from now on.

        Raises:
            Locked: it does not open it; nothing is changed then.
            GalleryError: it cannot be read.
        """
        trial = SqlStore(self._database, seal, self.folder)
        trial.read()
        # Where nothing is encrypted any more, nobody can tell whether the passphrase was typed right.
        proven = any(sealed and isinstance(one, Voiceprint) for one, sealed in trial._seen.rows.values())
        with self._guard:
            self._seal = seal if proven else None
            self._seen = trial._seen

    def reseal(
        self,
        seal: Seal | None,
        line: Mapping[str, object],
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Encrypt every row with another seal, or with none, all at once; call it while holding the lock.

        Args:
            progress: called with how many rows are done, and how many there are.

        Raises:
            GalleryError: naming the rows that open with neither seal; nothing is changed then.
        """
        files = self.rows()
        closed: list[str] = []
        for done, file in enumerate(files):
            if progress:
                progress(done, len(files))
            content = self.raw(file)
            if is_sealed(content):
                opened = _open(content, self._seal) or _open(content, seal)
                if opened is None:
                    closed.append(file)
                    continue
                content = opened
            if not closed:
                self.write_raw({file: seal.close(content) if seal else content})
        if closed:
            raise GalleryError(
                f"The passphrase stays as it was, since neither passphrase opens {named(closed)}: move away "
                'what is of no use ("speakerid doctor --repair" does where it can), then try again.'
            )
        self.write_raw({}, line=line)

    def use_seal(self, seal: Seal | None) -> None:
        """Take the seal that `reseal` used, once its transaction has ended."""
        with self._guard:
            self._seal, self._seen = seal, _Seen()

    def _ready(self) -> bool:
        """Whether there is anything to read; takes an older folder over at the first look."""
        if not self._checked and self.folder is not None:
            with self._guard:
                if not self._checked and wants_taking_over(self.folder):
                    with self._database.writing(LOCK_SECONDS) as connection:
                        take_over(connection, self.folder, self._seal)
                    with self._database.writing(LOCK_SECONDS) as connection:
                        BEFORE.move(connection, self.folder)
                self._checked = True
        return self._database.exists()

    @contextmanager
    def _connection(self) -> Iterator[sql.Connection | None]:
        """The transaction of this thread, or a moment; None where there is nothing to read yet."""
        connection = getattr(self._written, "connection", None)
        if connection is not None:
            yield connection
        elif not self._ready():
            yield None
        else:
            with self._database.reading() as connection:
                yield connection

    def _brought_up(self, connection: sql.Connection, before: _Seen) -> _Seen:
        """What was read, with what changed since."""
        generation = connection.scalar(sql.select(schema.state.c.generation)) or 0
        if generation == before.generation:
            return before
        if generation < before.generation:  # another database is in its place, such as a backup
            before = _Seen()
        now = _Seen(generation)
        now.rows = dict(before.rows)
        removed, table = schema.removed.c, schema.voiceprints.c
        if before.generation:
            for one in connection.scalars(
                sql.select(removed.id).where(removed.generation > before.generation)
            ):
                now.rows.pop(one, None)
        changed = sql.select(table.id, table.content).where(table.generation > before.generation)
        for one, content in connection.execute(changed):
            now.rows[one] = self._opened(one, bytes(content))
        return now

    def _contents(self, seen: _Seen) -> Contents:
        if seen.contents is None:
            rows = [(self._judged(content), sealed) for content, sealed in seen.rows.values()]
            encrypted = [content for content, sealed in rows if sealed]
            if encrypted and all(isinstance(content, Sealed) for content in encrypted):
                raise Locked(
                    f'The passphrase does not open the voiceprints in "{self.place}": '
                    f"check {settings.PASSPHRASE}."
                )
            seen.contents = sort([content for content, _ in rows])
        return seen.contents

    def _judged(self, content: Voiceprint | Damaged) -> Voiceprint | Damaged:
        """What does not open although it was sealed with this passphrase is damaged, for certain."""
        if isinstance(content, Sealed) and self._seal and self._seal.made(content.head):
            return Damaged(content.file, _CHANGED)
        return content

    def _opened(self, one: str, content: bytes) -> tuple[Voiceprint | Damaged, bool]:
        file, sealed = f"{one}{SUFFIX}", is_sealed(content)
        if sealed and self._seal is None:
            raise Locked(
                f'The voiceprints in "{self.place}" are encrypted: '
                f"set {settings.PASSPHRASE} to their passphrase."
            )
        try:
            return from_bytes(self._seal.open(content) if self._seal and sealed else content, one), sealed
        except WrongSeal as error:
            return Sealed(file, str(error), content[:HEAD]), sealed
        except Newer as error:
            return FromNewer(file, str(error)), sealed
        except GalleryError as error:
            return Damaged(file, str(error)), sealed

    def _opened_bytes(self, content: bytes) -> bytes:
        if not is_sealed(content):
            return content
        if self._seal is None:
            raise WrongSeal(f"it is encrypted: set {settings.PASSPHRASE} to its passphrase")
        try:
            return self._seal.open(content)
        except WrongSeal as error:
            if self._seal.made(content):
                raise GalleryError(_CHANGED) from error
            raise

    def _keep_reserve(self) -> None:
        if self._largest < 0:
            with self._database.reading() as connection:
                longest = sql.select(sql.func.max(sql.func.length(schema.recordings.c.content)))
                self._largest = connection.scalar(longest) or 0
        self._database.reserve(self._largest)


def _row(file: str) -> tuple[sql.Table, dict[str, str | int], sql.ColumnElement[bool]]:
    """The table of what has this name, what its row has in its key, and the condition that finds it."""
    table: sql.Table
    values: dict[str, str | int]
    if ids := kept.ids_of(file):
        table, values = schema.recordings, {"owner": ids[0], "id": ids[1]}
    elif part := kept_session.part_of(file):
        table, values = schema.sessions, {"session": part[0], "part": part[1]}
    else:
        table, values = schema.voiceprints, {"id": file.removesuffix(SUFFIX)}
    return table, values, sql.and_(*(table.c[column] == value for column, value in values.items()))


def _content(connection: sql.Connection, file: str) -> bytes | None:
    table, _, where = _row(file)
    content = connection.scalar(sql.select(table.c.content).where(where))
    return None if content is None else bytes(content)


def _open(content: bytes, seal: Seal | None) -> bytes | None:
    try:
        return seal.open(content) if seal else None
    except WrongSeal:
        return None
