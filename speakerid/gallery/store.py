"""Where voiceprints are kept, as the rest of the gallery sees it: one store over SQLite and PostgreSQL."""

import threading
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import sqlalchemy as sql

from speakerid.errors import GalleryError
from speakerid.gallery import attempts, rows
from speakerid.gallery.database import LOCK_SECONDS, Database
from speakerid.gallery.reading import People, Revision, opened
from speakerid.gallery.sealing import Seal
from speakerid.gallery.snapshot import Snapshot
from speakerid.gallery.takeover import forget, move_away, take_over, wants_taking_over
from speakerid.gallery.transaction import Transaction, as_stored, require_open
from speakerid.gallery.voiceprint import Voiceprint

P = ParamSpec("P")
R = TypeVar("R")


class Store:
    """People, kept recordings, kept sessions and the audit log in one place. Used by several threads and
    processes at once.

    A seal encrypts what is written and opens what is encrypted; other rows are read as well.
    """

    def __init__(self, database: Database, seal: Seal | None = None, folder: Path | None = None):
        self._database, self.folder = database, folder
        self.place = database.place  # for messages
        self._guard = threading.RLock()
        self._people = People(self.place, seal)
        self._mine = Transaction()
        self._checked = folder is None  # whether an older folder was looked for
        self._revision: Revision | None = None
        self._attempt = attempts.Attempt(self.place, seal is not None)
        self._largest = -1

    @property
    def database(self) -> Database:
        """Where the rows are, for what is kept beside the people (keys.py); older folders are taken over."""
        self._ready()
        return self._database

    @property
    def seal(self) -> Seal | None:
        """What rows are encrypted with; None for nothing."""
        return self._people.seal

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
                self._revision = (changed, rows.generation(connection))
        return self._revision[1]

    def read(self) -> Snapshot:
        """Everybody at one moment; only what changed since the last look is read.

        Raises:
            Locked: it is encrypted and the passphrase does not open it, or too many wrong ones were tried.
            GalleryError: it cannot be read.
        """
        connection = self._mine.connection
        if connection is not None and self._mine.wrote:
            return self._people.up_to_date(connection).snapshot  # it may still be rolled back
        if connection is None:
            if not self._ready():
                return Snapshot({}, ())
            people = self._people
            if people.known and people.generation == self.revision():
                return people.snapshot
        with self._guard:
            return self._brought_up_to_date()

    def _brought_up_to_date(self) -> Snapshot:
        with self._attempt.counted(), self._connection() as connection:
            if connection is not None:
                self._people = self._people.up_to_date(connection)
            snapshot = self._people.snapshot
        if self._people.proven:
            self._attempt.was(right=True)
        return snapshot

    @property
    def proven(self) -> bool:
        """Whether the passphrase has opened anything that was read."""
        return self._people.proven

    def in_clear(self) -> list[str]:
        """The voiceprints that are not encrypted though there is a passphrase."""
        self.read()
        return self._people.in_clear()

    def recordings(self) -> dict[str, list[str]]:
        """Names of everybody's kept recordings, by the id of their voiceprint."""
        return self._ask(rows.recording_files) or {}

    def recordings_of(self, owner: str) -> list[str]:
        """Names of the kept recordings of one voiceprint."""
        return (self._ask(rows.recording_files, owner) or {}).get(owner, [])

    def sessions(self) -> dict[str, list[str]]:
        """Names of what is kept of all sessions, by their ids."""
        return self._ask(rows.session_files) or {}

    def parts_of(self, session: str) -> list[str]:
        """Names of what is kept of one session."""
        return (self._ask(rows.session_files, session) or {}).get(session, [])

    def recording_bytes(self, file: str) -> bytes:
        """The content of a recording or of a part of a session, opened if it is sealed.

        Raises:
            WrongSeal: if it is encrypted and the passphrase is missing or another one.
            GalleryError: saying what is wrong with it, if it cannot be had.
        """
        content = self.raw(file)
        if not content:
            raise GalleryError("it was deleted meanwhile")
        return opened(content, self.seal)

    def raw(self, file: str) -> bytes:
        """The row of a voiceprint or recording as it is stored, sealed or not; empty where there is none."""
        return self._ask(rows.content, file) or b""

    def rows(self) -> list[str]:
        """The names of all voiceprints, recordings and parts of sessions that are stored, usable or not."""
        return self._ask(rows.files) or []

    def audit(self) -> list[dict]:
        """The lines of the audit log, oldest first."""
        return self._ask(rows.audit_lines) or []

    @contextmanager
    def locked(self, timeout: float = LOCK_SECONDS) -> Iterator[None]:
        """Be the only writer: one transaction, undone as a whole where the block fails.

        Raises:
            GalleryError: if it cannot be written, or another writer does not end in time.
        """
        self._ready()
        with self._database.writing(timeout) as connection:
            with self._mine.over(connection) as mine:
                yield
            if self.folder:
                forget(self.folder, mine.gone)
        if mine.wrote:
            self._revision = None
            self._database.cleared()
            self._database.reserve(self._largest_part())

    def make_room(self) -> bool:
        """Give up what is kept for deleting on a full disk; whether there was any."""
        return self._database.make_room()

    def put(self, voiceprint: Voiceprint) -> None:
        """Store one person, in the transaction of this thread or in one of its own."""
        if self._mine.connection is not None:
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
        """Store people, recordings and parts of sessions and delete others; call it while holding the lock.

        Every row is read back through the validation that reads it ever after, before the transaction ends.

        Args:
            voiceprints: people as they are from now on.
            recordings: contents of recordings and of parts of sessions, by their names.
            gone: names of what to delete.
            line: for the audit log.

        Raises:
            GalleryError: if consent is missing, numbers are unusable, or something does not open with the
                passphrase; nothing is changed then.
        """
        if not self._mine.opened:
            require_open(self.read(), self.place)
            self._mine.opened = True
        seal, whole = self.seal, as_stored(voiceprints, recordings or {})
        self.write_raw({file: seal.close(c) if seal else c for file, c in whole.items()}, gone, line)
        for file, content in whole.items():
            if opened(self.raw(file), seal) != content:
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
        self._mine.write(contents, gone, line)
        if self._largest >= 0:
            self._largest = max([self._largest, *map(len, contents.values())])

    def use_seal(self, seal: Seal | None) -> None:
        """Encrypt and open with another seal from now on; everything is read anew."""
        with self._guard:
            self._people = People(self.place, seal)
            self._attempt = attempts.Attempt(self.place, seal is not None)

    def _ready(self) -> bool:
        """Whether there is anything to read; takes an older folder over at the first look."""
        if not self._checked and self.folder is not None:
            with self._guard:
                if not self._checked and wants_taking_over(self.folder):
                    with self._database.writing(LOCK_SECONDS) as connection:
                        take_over(connection, self.folder, self.seal)
                    with self._database.writing(LOCK_SECONDS) as connection:
                        move_away(connection, self.folder)
                self._checked = True
        return self._database.exists()

    @contextmanager
    def _connection(self) -> Iterator[sql.Connection | None]:
        """The transaction of this thread, or a moment; None where there is nothing to read yet."""
        if self._mine.connection is not None:
            yield self._mine.connection
        elif not self._ready():
            yield None
        else:
            with self._database.reading() as connection:
                yield connection

    def _ask(
        self, question: Callable[Concatenate[sql.Connection, P], R], *args: P.args, **more: P.kwargs
    ) -> R | None:
        """The answer of the database; None where there is nothing to read yet."""
        with self._connection() as connection:
            return question(connection, *args, **more) if connection is not None else None

    def _largest_part(self) -> int:
        if self._largest < 0:
            with self._database.reading() as connection:
                self._largest = rows.longest_part(connection)
        return self._largest
