"""People as one file to take along; importing.py takes them in."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from speakerid.gallery import audit
from speakerid.gallery.portable import Portable, packed_people, require_somebody, write_people
from speakerid.gallery.recordings import recordings_of
from speakerid.gallery.reembedding import Progress, chosen
from speakerid.gallery.sealing import seal_of

if TYPE_CHECKING:
    from speakerid.gallery.gallery import Gallery


def export(
    gallery: "Gallery",
    path: str | Path,
    names: Sequence[str] = (),
    passphrase: str = "",
    *,
    recordings: bool = True,
) -> int:
    """Write people, by default everybody, to one file; see `speakerid.gallery.portable` for its format.

    Args:
        passphrase: what to encrypt the file with; "" for no encryption.
        recordings: whether kept recordings go along.

    Returns:
        The number of people in it.

    Raises:
        GalleryError: if somebody is not enrolled, nobody is, or the file cannot be written.
    """
    seal = seal_of(passphrase)
    with _taken_along(gallery, names, recordings) as people:
        write_people(Path(path), people, seal)
    return len(people)


def export_bytes(
    gallery: "Gallery",
    names: Sequence[str] = (),
    passphrase: str = "",
    *,
    recordings: bool = True,
    progress: Progress | None = None,
) -> bytes:
    """What `export` would write to a file.

    Args:
        progress: called before each person whose recordings are read, and at the end.

    Raises:
        GalleryError: as for `export`.
    """
    seal = seal_of(passphrase)
    with _taken_along(gallery, names, recordings, progress) as people:
        return packed_people(people, seal)


@contextmanager
def _taken_along(
    gallery: "Gallery", names: Sequence[str], recordings: bool, progress: Progress | None = None
) -> Iterator[list[Portable]]:
    """The people to export in this block, which is recorded."""
    require_somebody(chosen(gallery, names))  # before the folder is made, where it is not there
    with gallery.store.locked():
        who = chosen(gallery, names)
        people: list[Portable] = []
        for index, person in enumerate(who):
            if progress:
                progress(index, len(who), person.name)
            people.append(Portable(person, recordings_of(gallery, person) if recordings else {}))
        if progress:
            progress(len(who), len(who), "")
        yield people
        gallery.store.write_raw({}, line=audit.line_of("export", [person.id for person in who]))
