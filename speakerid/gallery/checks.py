"""The single checks of `doctor`: what is wrong, and how it is put right where that loses nothing."""

import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from speakerid.errors import GalleryError
from speakerid.gallery import audit, journal
from speakerid.gallery import recordings as kept
from speakerid.gallery.base import MAX_PEOPLE
from speakerid.gallery.contents import SUFFIX, Contents, FromNewer, Sealed
from speakerid.gallery.files import TEMPORARY, sync_folder
from speakerid.gallery.journal import SET_ASIDE
from speakerid.gallery.labels import naming_others
from speakerid.gallery.looking import read_file
from speakerid.gallery.resealing import resealed
from speakerid.gallery.sealing import WrongSeal, is_sealed
from speakerid.gallery.store import FolderStore
from speakerid.gallery.voiceprint import VERSION, Newer

_OTHERS = 0o077  # rights of everybody but the owner


@dataclass(frozen=True)
class Problem:
    """What is wrong, in a sentence without names of people; what puts it right, in words and as a function,
    or None where only a person can."""

    what: str
    remedy: str
    repair: Callable[[], object] | None = None
    harmless: bool = False  # worth knowing, but nothing is wrong


def unfinished(store: FolderStore) -> Iterator[Problem]:
    """What killed writers left; while holding the lock."""
    folder = store.folder
    temporaries = [n for n in os.listdir(folder) if n.startswith(".") and n.endswith(TEMPORARY)]
    try:
        change = journal.pending(folder)
    except journal.DamagedJournal:
        files = [journal.JOURNAL, *temporaries]
        yield Problem(
            f'The journal "{journal.JOURNAL}" is damaged, so a change that was under way cannot be finished.',
            f"it and the {len(temporaries)} files that belong to it are moved to {SET_ASIDE}/",
            lambda: [move_aside(folder, file) for file in files],
        )
        return
    if change is not journal.NOTHING:
        count = len(change.replace) + len(change.gone)
        missing = len(journal.lost(folder, change))
        yield Problem(
            f"A writer was killed in the middle of a change to {count} files."
            + (f" Somebody deleted the new content of {missing} of them." if missing else ""),
            "what is left of it is put into place, and nothing is deleted"
            if missing
            else "the change is finished",
            lambda: journal.finish(folder),
        )
    ownerless = len(set(temporaries) - set(change.replace.values()))
    if ownerless:
        yield Problem(
            f"{ownerless} temporary files are left of writers that were killed before their change was made.",
            "they are deleted",
            lambda: journal.finish(folder) or journal.clear_temporaries(folder),
        )


def every_file(store: FolderStore, model: str | None) -> Iterator[Problem]:
    """Everything else, file by file."""
    contents = store.read()
    yield from _access(store.folder)
    yield from _voiceprints(store, contents)
    yield from _labels(store, contents)
    yield from _recordings(store, contents)
    yield from _models(contents, model)
    yield from _unsealed(store)
    if len(contents.people) > MAX_PEOPLE:
        yield Problem(f"There are more than {MAX_PEOPLE:,} people.", "remove some, or use another folder")
    _, torn = audit.lines(store.folder)
    if torn:
        yield Problem(
            f'{torn} lines of "{audit.FILE}" cannot be read, as after a crash or a change by hand.',
            "nothing; whoever reads the log passes over them",
            harmless=True,
        )
    if aside := store.set_aside():
        yield Problem(
            f"{len(aside)} files were set aside in {SET_ASIDE}/, and may be of people who are removed later.",
            "look whether a backup has them whole, then delete them",
            harmless=True,
        )


def move_aside(folder: Path, file: str) -> None:
    """Move a file into the sub-folder of damaged files, under a name of its own there.

    Raises:
        OSError: as the system gives it.
    """
    aside = folder / SET_ASIDE
    aside.mkdir(mode=0o700, exist_ok=True)
    place = aside / file.lstrip(".")
    if place.exists() or place.is_symlink():
        stem, dot, ending = place.name.partition(".")
        place = aside / f"{stem}-{secrets.token_hex(4)}{dot}{ending}"
    os.replace(folder / file, place)
    sync_folder(aside)
    sync_folder(folder)


def _access(folder: Path) -> Iterator[Problem]:
    if os.name != "posix":
        return
    paths = [folder, *(path for path in folder.iterdir() if _is_ours(path.name))]
    aside = folder / SET_ASIDE
    if aside.is_dir():
        paths += [aside, *aside.iterdir()]
    wide = [path for path in paths if not path.is_symlink() and path.stat().st_mode & _OTHERS]
    if wide:
        what = "the folder" if wide == [folder] else f"{len(wide)} files or folders"
        yield Problem(
            f"Other users of this computer may open {what}.",
            "only the owner may from now on",
            lambda: [path.chmod(path.stat().st_mode & ~_OTHERS) for path in wide],
        )


def _voiceprints(store: FolderStore, contents: Contents) -> Iterator[Problem]:
    owned = store.recordings()
    for damaged in contents.damaged:
        owner = damaged.file.removesuffix(SUFFIX)
        files = [damaged.file, *owned.get(owner, ())]
        if isinstance(damaged, FromNewer):
            yield Problem(f'"{damaged.file}" cannot be read: {damaged.reason}.', "update this program")
            continue
        if isinstance(damaged, Sealed):
            yield _closed(f'"{damaged.file}" is not used: {damaged.reason}.')
            continue
        yield Problem(
            f'"{damaged.file}" is not used: {damaged.reason}.',
            f"it is moved to {SET_ASIDE}/" + (", with its recordings" if len(files) > 1 else ""),
            partial(_move_all, store.folder, files),
        )
    old = [person for person in contents.people.values() if person.version != VERSION]
    if old:
        yield Problem(
            f"{len(old)} voiceprints are in an older format, which is read as well.",
            "they are written in the present format",
            lambda: [store.put(person) for person in old],
        )


def _labels(store: FolderStore, contents: Contents) -> Iterator[Problem]:
    files = store.recordings()
    people, recordings, count = naming_others(
        contents.people.values(), lambda person: _heard(store, files.get(person.id, ()))
    )
    if people:
        yield Problem(
            f"{count} labels of exemplars or recordings may name somebody else than their person.",
            "neutral ones take their place",
            lambda: store.write(people, recordings),
        )


def _heard(store: FolderStore, files: Iterable[str]) -> dict[str, bytes]:
    """Contents of the recordings that can be used; of the others `_recordings` tells."""
    heard: dict[str, bytes] = {}
    for file in files:
        with suppress(GalleryError):
            content = store.recording_bytes(file)
            kept.check(content)
            heard[file] = content
    return heard


def _closed(what: str) -> Problem:
    """A file that may be whole, for another passphrase may open it: it stays where it is."""
    return Problem(
        what, "use the passphrase that it was encrypted with, or move it away if no passphrase opens it"
    )


def _recordings(store: FolderStore, contents: Contents) -> Iterator[Problem]:
    known = {person.id for person in contents.people.values()}
    known |= {damaged.file.removesuffix(SUFFIX) for damaged in contents.damaged}
    for owner, files in store.recordings().items():
        for file in files:
            move = partial(move_aside, store.folder, file)
            if owner not in known:
                yield Problem(
                    f'The recording "{file}" belongs to nobody.', f"it is moved to {SET_ASIDE}/", move
                )
                continue
            try:
                kept.check(store.recording_bytes(file))
            except Newer as error:
                yield Problem(f'The recording "{file}" cannot be read: {error}.', "update this program")
            except WrongSeal as error:
                yield _closed(f'The recording "{file}" cannot be used: {error}.')
            except GalleryError as error:
                yield Problem(
                    f'The recording "{file}" cannot be used: {error}.', f"it is moved to {SET_ASIDE}/", move
                )
    strays = [n for n in os.listdir(store.folder) if n.endswith(kept.SUFFIX) and not kept.ids_of(n)]
    for file in strays:
        yield Problem(
            f'"{file}" is called like no recording that this program writes.',
            f"it is moved to {SET_ASIDE}/",
            partial(move_aside, store.folder, file),
        )


def _models(contents: Contents, model: str | None) -> Iterator[Problem]:
    others = [person for person in contents.people.values() if model and person.model != model]
    if others:
        made_by = ", ".join(sorted({person.model for person in others}))
        yield Problem(
            f"{len(others)} people were enrolled with another model ({made_by}), so they are not recognized.",
            'run "speakerid reembed", or enroll them again, or use that model',
        )


def _unsealed(store: FolderStore) -> Iterator[Problem]:
    seal, folder = store.seal, store.folder
    if seal is None:
        return
    names = [name for name in os.listdir(folder) if _is_ours(name) and not name.startswith(".")]
    plain: list[str] = []
    for name in [*names, *store.set_aside()]:
        content = read_file(folder, name, name, kept.MAX_FILE_BYTES)
        if isinstance(content, bytes) and name != audit.FILE and not is_sealed(content):
            plain.append(name)
    if plain:
        yield Problem(
            f"{len(plain)} files are not encrypted, though there is a passphrase.",
            "they are encrypted",
            lambda: journal.commit(folder, resealed(folder, plain, seal, seal)),
        )


def _is_ours(name: str) -> bool:
    return name.endswith((SUFFIX, kept.SUFFIX, TEMPORARY)) or name in (".lock", journal.JOURNAL, audit.FILE)


def _move_all(folder: Path, files: list[str]) -> None:
    for file in files:
        move_aside(folder, file)
