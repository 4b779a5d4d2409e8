"""What one transaction of a store writes: checked before, and known until it ends."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import sqlalchemy as sql

from speakerid import settings
from speakerid.errors import GalleryError
from speakerid.gallery import kept_recording, kept_session, rows
from speakerid.gallery.snapshot import SUFFIX, Sealed, Snapshot, named
from speakerid.gallery.voiceprint import Voiceprint, check_numbers, from_bytes, to_bytes


class Transaction(threading.local):
    """The one that a thread is in, if any.

    Attributes:
        connection: None outside of a transaction.
        wrote: whether anything was written in it.
        opened: whether the passphrase is known to open everything.
        gone: names of what was deleted.
    """

    connection: sql.Connection | None = None
    wrote = False
    opened = False
    gone: tuple[str, ...] = ()

    @contextmanager
    def over(self, connection: sql.Connection) -> Iterator["Transaction"]:
        """Be in it during the block."""
        self.connection, self.wrote, self.opened, self.gone = connection, False, False, ()
        try:
            yield self
        finally:
            self.connection = None

    def write(
        self, contents: Mapping[str, bytes], gone: Sequence[str], line: Mapping[str, object] | None
    ) -> None:
        """Store rows as they are to be, and delete others."""
        assert self.connection is not None, "write while holding the lock"
        if not self.wrote:
            rows.begin_generation(self.connection)
            self.wrote = True
        for file in gone:
            rows.delete(self.connection, file)
        self.gone += tuple(gone)
        for file, content in contents.items():
            rows.put(self.connection, file, content)
        if line is not None:
            rows.add_audit_line(self.connection, line)


def as_stored(voiceprints: Sequence[Voiceprint], parts: Mapping[str, bytes]) -> dict[str, bytes]:
    """All contents by their names, each read as it will be ever after, so that nothing unreadable is stored.

    Args:
        parts: contents of recordings and of parts of sessions.

    Raises:
        GalleryError: saying what cannot be stored, and why.
    """
    contents: dict[str, bytes] = {}
    for voiceprint in voiceprints:
        check_numbers(voiceprint)
        content = contents[f"{voiceprint.id}{SUFFIX}"] = to_bytes(voiceprint)
        from_bytes(content, "")
    for file, content in parts.items():
        check_part(file, content)
        contents[file] = content
    return contents


def check_part(file: str, content: bytes) -> None:
    """Make sure that a recording or a part of a session of this name can be read.

    Raises:
        GalleryError: saying what is wrong with it, if anything is.
    """
    part = kept_session.part_of(file)
    if part is None:
        kept_recording.check(content)
    elif part[1]:
        kept_session.check_sound(content)
    else:
        kept_session.from_bytes(content, part[0])


def require_open(snapshot: Snapshot, place: str) -> None:
    """Make sure that the passphrase opens every voiceprint, before anything is changed.

    Raises:
        GalleryError: if not, naming them: to write on would leave a gallery that no one passphrase opens.
    """
    closed = [damaged.file for damaged in snapshot.damaged if isinstance(damaged, Sealed)]
    if closed:
        raise GalleryError(
            f'Nothing can be changed in "{place}", since the passphrase does not open '
            f"{named(closed)}: set {settings.PASSPHRASE} to the one that opens everything, or let "
            '"speakerid doctor --repair" move away what it does not open.'
        )
