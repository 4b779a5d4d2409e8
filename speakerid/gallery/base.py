"""What all that a gallery can do rests on: its store, its limits, and a record of every change."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from speakerid.errors import GalleryError
from speakerid.gallery import audit
from speakerid.gallery.contents import Contents
from speakerid.gallery.store import FolderStore
from speakerid.gallery.voiceprint import Voiceprint

MAX_PEOPLE = 20_000


class Base:
    """A folder of voiceprints and how many people it may hold."""

    def __init__(self, store: FolderStore, max_people: int = MAX_PEOPLE):
        self._store = store
        self._max_people = max_people

    @property
    def folder(self) -> Path:
        """Where the voiceprints are kept."""
        return self._store.folder

    def _commit(
        self,
        what: str,
        whom: Sequence[str],
        voiceprints: Sequence[Voiceprint] = (),
        recordings: Mapping[str, bytes] | None = None,
        gone: Sequence[str] = (),
        **more: object,
    ) -> None:
        """Make a change as `FolderStore.write` does, and record it; call it while holding the lock."""
        self._store.require_open()  # a refusal is no change that failed: the audit log is left alone too
        with audit.recorded(self.folder, what, whom, **more):
            self._store.write(voiceprints, recordings, gone)

    def _require_room(self, contents: Contents) -> None:
        if len(contents.people) >= self._max_people:
            raise GalleryError(
                f'There are {len(contents.people):,} people in "{self.folder}", as many as there may be: '
                "remove somebody first, or use another folder."
            )


def require(contents: Contents, name: str) -> Voiceprint:
    """The person of that name.

    Raises:
        GalleryError: if there is none, saying who there is.
    """
    person = contents.find(name)
    if person is None:
        if not contents.people:
            raise GalleryError(
                f'Nobody called "{name}" is enrolled, nor anybody else: enroll a person first.'
            )
        known = [f'"{p.name}"' for p in contents.people.values()]
        if len(known) > 6:
            known = [*known[:5], f"{len(known) - 5} more"]
        raise GalleryError(
            f'Nobody called "{name}" is enrolled (there is {", ".join(known)}): check the name.'
        )
    return person
