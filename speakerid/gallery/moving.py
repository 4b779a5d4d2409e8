"""A gallery copied from one store into another, and compared afterwards."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from speakerid.errors import GalleryError
from speakerid.gallery import audit
from speakerid.gallery import kept_recording as kept
from speakerid.gallery.opening import open_store
from speakerid.gallery.sealing import seal_of
from speakerid.gallery.snapshot import SUFFIX
from speakerid.gallery.store import Store


@dataclass(frozen=True)
class Moved:
    """How many people, kept recordings, kept sessions and lines of the audit log there are at the other place
    now."""

    people: int
    recordings: int
    sessions: int
    lines: int


def copy_gallery(
    source: str | Path,
    target: str | Path,
    passphrase: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Moved:
    """Copy everything into an empty place, in one transaction, encrypted as it is, and compare it row by row.

    The source is left as it is.

    Args:
        source, target: folders, or addresses of PostgreSQL.
        passphrase: of the source, as for `Gallery.open`.
        progress: called with how many rows are copied, and how many there are.

    Raises:
        GalleryError: if there is nobody to move, somebody is at the target already, the passphrase is wrong,
            or a place cannot be read or written; nothing is at the target then.
    """
    seal = seal_of(passphrase)
    origin, copy = open_store(source, seal), open_store(target, seal)
    try:
        if not origin.read().people and not origin.rows():
            raise GalleryError(f'Nobody is enrolled in "{origin.place}": there is nothing to move.')
        if origin.place == copy.place:
            raise GalleryError("Both places are the same: name another one.")
        if copy.rows() or copy.audit():
            raise GalleryError(f'There are voiceprints in "{copy.place}" already: move to an empty place.')
        return _copied(origin, copy, progress)
    finally:
        origin.close()
        copy.close()


def _copied(origin: Store, copy: Store, progress: Callable[[int, int], None] | None) -> Moved:
    with origin.locked(), copy.locked():  # nothing changes at the source meanwhile
        files = origin.rows()
        for done, file in enumerate(files):
            if progress:
                progress(done, len(files))
            content = origin.raw(file)
            copy.write_raw({file: content})
            if copy.raw(file) != content:
                raise GalleryError(f'"{file}" is not the same at the other place: nothing was moved.')
        for line in origin.audit():
            copy.write_raw({}, line=line)
        copy.write_raw({}, line=audit.line_of("move", []))
        if copy.rows() != files or _people(copy) != _people(origin):
            raise GalleryError("Not all of it is the same at the other place: nothing was moved.")
    if progress:
        progress(len(files), len(files))
    people = sum(file.endswith(SUFFIX) for file in files)
    recordings = sum(kept.ids_of(file) is not None for file in files)
    return Moved(people, recordings, len(copy.sessions()), len(copy.audit()))


def _people(store: Store) -> dict[str, str]:
    return {key: person.id for key, person in store.read().people.items()}
