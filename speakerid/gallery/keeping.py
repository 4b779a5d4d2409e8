"""Keeping people: another passphrase, a file to take along, kept recordings, another model."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from speakerid.errors import GalleryError
from speakerid.gallery import attempts, audit
from speakerid.gallery import kept_recording as kept
from speakerid.gallery.base import Kept, require
from speakerid.gallery.kept_recording import KeptRecording
from speakerid.gallery.portable import Portable, packed_people, require_somebody, write_people
from speakerid.gallery.reembedding import Progress, chosen, recordings_of, unusable
from speakerid.gallery.sealing import Seal, WrongSeal, is_sealed, seal_of
from speakerid.gallery.snapshot import named
from speakerid.gallery.store import Store


def is_encrypting(gallery: Kept) -> bool:
    """Whether what is written is encrypted."""
    return gallery.store.seal is not None


def unlock(gallery: Kept, passphrase: str) -> None:
    """Open what is encrypted with this passphrase from now on, for everybody who uses this gallery.

    Raises:
        Locked: it does not open it; nothing is changed then.
        GalleryError: it is too short, or the folder cannot be read.
    """
    store, seal = gallery.store, Seal(passphrase)
    trial = Store(store.database, seal, store.folder)
    trial.read()
    # Where nothing is encrypted any more, nobody can tell whether the passphrase was typed right.
    store.use_seal(seal if trial.proven else None)


def is_passphrase(gallery: Kept, passphrase: str) -> bool:
    """Whether it is the passphrase in use, "" where there is none."""
    seal = gallery.store.seal
    attempts.require_turn(gallery.place)
    right = seal.is_of(passphrase) if seal else not passphrase
    attempts.note(gallery.place, right=right)
    return right


def change_passphrase(gallery: Kept, new: str, progress: Callable[[int, int], None] | None = None) -> int:
    """Encrypt every voiceprint and recording with another passphrase, or with none ("").

    It is done for all files at once: after a crash either the old passphrase opens everything or the new.

    Args:
        progress: called with how many files are written beside the old ones, and how many there are.

    Returns:
        The number of voiceprints now stored that way.

    Raises:
        GalleryError: if the old passphrase is wrong, the new one too short, or a file cannot be read or
            opens with neither; nothing was changed then.
    """
    store, seal = gallery.store, seal_of(new)
    with store.locked():
        store.read()  # refuses what the old passphrase does not open
        _reseal(store, seal, progress)
        store.write_raw({}, line=audit.line_of("passphrase", [], encrypted=seal is not None))
    store.use_seal(seal)
    return len(store.read().people)


def _reseal(store: Store, seal: Seal | None, progress: Callable[[int, int], None] | None) -> None:
    """Encrypt every row with another seal, or with none.

    Raises:
        GalleryError: naming the rows that open with neither seal.
    """
    files = store.rows()
    closed: list[str] = []
    for done, file in enumerate(files):
        if progress:
            progress(done, len(files))
        content = _plain(store.raw(file), store.seal, seal)
        if content is None:
            closed.append(file)
        elif not closed:
            store.write_raw({file: seal.close(content) if seal else content})
    if closed:
        raise GalleryError(
            f"The passphrase stays as it was, since neither passphrase opens {named(closed)}: move away "
            'what is of no use ("speakerid doctor --repair" does where it can), then try again.'
        )


def _plain(content: bytes, *seals: Seal | None) -> bytes | None:
    """What the first of these seals opens; None where none does."""
    if not is_sealed(content):
        return content
    for seal in filter(None, seals):
        with suppress(WrongSeal):
            return seal.open(content)
    return None


def recordings(gallery: Kept, name: str) -> list[KeptRecording]:
    """The kept recordings of a person, oldest first.

    Raises:
        GalleryError: if nobody of that name is enrolled, or a recording cannot be used, saying which.
    """
    person = require(gallery.store.read(), name)
    files = gallery.store.recordings(person.id).get(person.id, ())
    return sorted((_recording(gallery, file) for file in files), key=lambda recording: recording.kept_at)


def export(
    gallery: Kept,
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
    gallery: Kept,
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
    gallery: Kept, names: Sequence[str], recordings: bool, progress: Progress | None = None
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


def _recording(gallery: Kept, file: str) -> KeptRecording:
    ids = kept.ids_of(file)
    try:
        return kept.from_bytes(gallery.store.recording_bytes(file), ids[1] if ids else "")
    except GalleryError as error:
        raise unusable(file, error) from error
