"""What all that a gallery can do rests on: its store, its limits, and a record of every change."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from speakerid.errors import GalleryError
from speakerid.gallery import audit
from speakerid.gallery.snapshot import Snapshot
from speakerid.gallery.store import Store
from speakerid.gallery.takeover import FOLDER, old_files
from speakerid.gallery.voiceprint import Voiceprint
from speakerid.places import network_file_system

MAX_PEOPLE = 20_000


class Kept:
    """A store of voiceprints and how many people it may hold."""

    def __init__(self, store: Store, max_people: int = MAX_PEOPLE):
        self.store = store
        self.max_people = max_people

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


def require(snapshot: Snapshot, name: str) -> Voiceprint:
    """The person of that name.

    Raises:
        GalleryError: if there is none, saying who there is.
    """
    person = snapshot.find(name)
    if person is None:
        if not snapshot.people:
            raise GalleryError(
                f'Nobody called "{name}" is enrolled, nor anybody else: enroll a person first.'
            )
        known = [f'"{p.name}"' for p in snapshot.people.values()]
        if len(known) > 6:
            known = [*known[:5], f"{len(known) - 5} more"]
        raise GalleryError(
            f'Nobody called "{name}" is enrolled (there is {", ".join(known)}): check the name.'
        )
    return person
