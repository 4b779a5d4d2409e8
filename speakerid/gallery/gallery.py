"""The people that can be named. What can be done with them is in functions over a gallery, a module each."""

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path

from speakerid.errors import GalleryError
from speakerid.gallery import (
    audit,
    correcting,
    editing,
    enrolling,
    exporting,
    importing,
    passphrases,
    recordings,
    reembedding,
    rows,
)
from speakerid.gallery.opening import open_store
from speakerid.gallery.sealing import is_sealed, seal_of
from speakerid.gallery.snapshot import Damaged, Snapshot, require
from speakerid.gallery.store import Store
from speakerid.gallery.takeover import FOLDER, old_files
from speakerid.gallery.voiceprint import Voiceprint
from speakerid.places import network_file_system

MAX_PEOPLE = 20_000


class Gallery:
    """The people of one store. Several threads and processes may use the same one at once.

    Each change is made wholly or not at all, and recorded in the audit log. What can be done is in functions
    over a gallery, in the modules named here.
    """

    enroll = enrolling.enroll
    add = enrolling.add
    rename = editing.rename
    remove = editing.remove
    remove_recordings = editing.remove_recordings
    merge = editing.merge
    move_exemplar = correcting.move_exemplar
    remove_exemplar = correcting.remove_exemplar
    unlock = passphrases.unlock
    is_passphrase = passphrases.is_passphrase
    change_passphrase = passphrases.change_passphrase
    recording_counts = recordings.recording_counts
    recordings = recordings.recordings
    export = exporting.export
    export_bytes = exporting.export_bytes
    look_into = importing.look_into
    load = importing.load
    not_kept = reembedding.not_kept
    reembed = reembedding.reembed
    is_encrypting = property(passphrases.is_encrypting)

    def __init__(self, store: Store, max_people: int = MAX_PEOPLE):
        self.store = store
        self.max_people = max_people

    @classmethod
    def open(cls, path: str | Path, passphrase: str | None = None, max_people: int = MAX_PEOPLE) -> "Gallery":
        """The gallery in a folder, which is made at the first enrollment, or in PostgreSQL.

        A folder of a version before SQLite is taken over; its old files are then in `before-sqlite`.

        Args:
            path: the folder, or "postgresql://USER:PASSWORD@HOST:PORT/NAME".
            passphrase: what its files are encrypted with, now and from now on; None for the variable
                SPEAKERID_PASSPHRASE, "" for none.
            max_people: how many may be enrolled.

        Raises:
            GalleryError: if the path is no folder or cannot be read, or the passphrase is too short. That
                a passphrase is wrong or missing is told by the first look at the people.
        """
        store = open_store(path, seal_of(passphrase))
        store.revision()
        return cls(store, max_people)

    @staticmethod
    def is_encrypted(path: str | Path) -> bool:
        """Whether a passphrase is needed to open what is in a folder: whether any voiceprint is sealed.

        Raises:
            GalleryError: if the folder cannot be read.
        """
        database = open_store(path).database
        if not database.exists():
            return False
        with database.reading() as connection:
            return any(map(is_sealed, rows.heads(connection)))

    def close(self) -> None:
        """Give the connections back; the gallery is of no more use then."""
        self.store.close()

    def audit(self) -> list[dict]:
        """The lines of the audit log, oldest first (see `speakerid.gallery.audit`)."""
        return self.store.audit()

    def __repr__(self) -> str:
        return f'<Gallery "{self.store.place}">'

    def revision(self) -> Hashable:
        """Changes whenever the folder's content does; cheap enough to ask for every second."""
        return self.store.revision()

    def speakers(self) -> list[Voiceprint]:
        """Everybody enrolled, sorted by name, whatever model made their voiceprint."""
        return list(self.store.read().people.values())

    @property
    def damaged(self) -> list[Damaged]:
        """Files in the folder that cannot be used; they are never deleted but by `remove`, if they are whole
        enough to show that they are of that person."""
        return list(self.store.read().damaged)

    @property
    def in_clear(self) -> list[str]:
        """Voiceprints that are not encrypted although there is a passphrase, for they were there before it:
        their files. `change_passphrase` or `doctor --repair` encrypts them."""
        return self.store.in_clear()

    def get(self, name: str) -> Voiceprint:
        """The voiceprint of a person.

        Raises:
            GalleryError: if nobody of that name is enrolled.
        """
        return require(self.store.read(), name)

    @property
    def place(self) -> str:
        """Where the voiceprints are kept, for messages: a folder, or an address without its password."""
        return self.store.place

    @property
    def folder(self) -> Path | None:
        """The folder where the voiceprints are kept; None where they are on a server."""
        return self.store.folder

    def commit(
        self,
        what: str,
        whom: Sequence[str],
        voiceprints: Sequence[Voiceprint] = (),
        recordings: Mapping[str, bytes] | None = None,
        gone: Sequence[str] = (),
        **more: object,
    ) -> None:
        """Make a change as `Store.write` does, and record it; call it while holding the lock."""
        self.store.write(voiceprints, recordings, gone, audit.line_of(what, whom, **more))

    def require_room(self, snapshot: Snapshot) -> None:
        """Make sure that one more person may be enrolled.

        Raises:
            GalleryError: if not.
        """
        if len(snapshot.people) >= self.max_people:
            raise GalleryError(
                f'There are {len(snapshot.people):,} people in "{self.place}", as many as there may be: '
                "remove somebody first, or use another folder."
            )

    def notices(self) -> list[str]:
        """What whoever keeps these voiceprints has to know, a sentence each: old files, a network folder."""
        told: list[str] = []
        if self.folder is None:
            return told
        if count := len(old_files(self.folder)):
            told.append(
                f'The voiceprints are in one database now. The {count} files of before are in "'
                f'{self.folder / FOLDER}" and hold the same people: delete that folder when all is well.'
            )
        if kind := network_file_system(self.folder):
            told.append(
                f'"{self.folder}" is on a network file system ({kind}), where two computers that write at '
                "once may damage the voiceprints: use one computer, or PostgreSQL for several "
                "(SPEAKERID_VOICEPRINTS=postgresql://…)."
            )
        return told
