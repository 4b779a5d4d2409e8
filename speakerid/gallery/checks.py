"""What can be wrong with a gallery, and what puts it right without losing anything."""

import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from speakerid.errors import GalleryError
from speakerid.gallery import sessions
from speakerid.gallery.files import replace_file
from speakerid.gallery.gallery import MAX_PEOPLE, Gallery
from speakerid.gallery.labels import naming_others
from speakerid.gallery.sealing import OLD_MAGIC, is_sealed
from speakerid.gallery.snapshot import SUFFIX, Damaged, FromNewer, Sealed, Snapshot, damage
from speakerid.gallery.store import Store
from speakerid.gallery.transaction import check_part
from speakerid.gallery.voiceprint import VERSION

SET_ASIDE = "set-aside"


@dataclass(frozen=True)
class Problem:
    """What is wrong, in a sentence without names of people; what puts it right, in words and as a function,
    or None where only a person can."""

    what: str
    remedy: str
    repair: Callable[[], object] | None = None
    harmless: bool = False


def problems_of(store: Store, snapshot: Snapshot, model: str | None) -> Iterator[Problem]:
    """What is wrong with a gallery; `model` is that in use, None for not looking at models."""
    for notice in Gallery(store).notices():
        yield Problem(notice, "see there", harmless="network file system" not in notice)
    yield from _access(store.folder)
    for damaged in snapshot.damaged:
        owner = damaged.file.removesuffix(SUFFIX)
        files = [damaged.file, *store.recordings_of(owner)]
        yield _unusable(store, "voiceprint", damaged, files, "its recordings")
    old = [person for person in snapshot.people.values() if person.version != VERSION]
    if old:
        yield Problem(
            f"{len(old)} voiceprints are in an older format, which is read as well.",
            "they are written in the present format",
            lambda: store.write(old),
        )
    yield from _recordings(store, snapshot)
    yield from _sessions(store)
    people, recordings, count = naming_others(
        snapshot.people.values(), lambda person: _heard(store, person.id)
    )
    if people:
        yield Problem(
            f"{count} labels of exemplars or recordings may name somebody else than their person.",
            "neutral ones take their place",
            lambda: store.write(people, recordings),
        )
    others = [person for person in snapshot.people.values() if model and person.model != model]
    if others:
        made_by = ", ".join(sorted({person.model for person in others}))
        yield Problem(
            f"{len(others)} people were enrolled with another model ({made_by}), so they are not recognized.",
            'run "speakerid reembed", or enroll them again, or use that model',
        )
    yield from _sealing(store, snapshot)
    if len(snapshot.people) > MAX_PEOPLE:
        yield Problem(f"There are more than {MAX_PEOPLE:,} people.", "remove some, or use another folder")


def _access(folder: Path | None) -> Iterator[Problem]:
    if os.name != "posix" or folder is None:
        return
    wide = [p for p in [folder, *folder.glob("voiceprints.sqlite*")] if p.stat().st_mode & 0o077]
    if wide:
        yield Problem(
            "Other users of this computer may open the folder or files in it.",
            "only the owner may from now on",
            lambda: [path.chmod(path.stat().st_mode & ~0o077) for path in wide],
        )


def _unusable(store: Store, kind: str, damaged: Damaged, files: list[str], more: str = "") -> Problem:
    what = f'The {kind} "{damaged.file}" cannot be used: {damaged.reason}.'
    if isinstance(damaged, FromNewer):
        return Problem(what, "update this program")
    if isinstance(damaged, Sealed):
        return Problem(what, "use the passphrase that it was encrypted with")
    return _aside(store, what, files, more)


def _aside(store: Store, what: str, files: list[str], more: str = "") -> Problem:
    """What is of no use, moved out of the database into a file.

    Args:
        more: what the files after the first one are.
    """
    if store.folder is None:
        return Problem(what, "remove the person, or delete that row")
    folder = store.folder / SET_ASIDE

    def move() -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        for file in files:
            replace_file(folder / f"{secrets.token_hex(2)}-{Path(file).name}", store.raw(file))
        store.write_raw({}, gone=files)

    return Problem(what, f"it is moved to {SET_ASIDE}/" + (f", with {more}" if len(files) > 1 else ""), move)


def _sessions(store: Store) -> Iterator[Problem]:
    for damaged in sessions.shelf(Gallery(store)).damaged:
        files = store.parts_of(damaged.file)
        yield _unusable(store, "kept session", damaged, files, "its sound")
    for files in store.sessions().values():
        for file in files[1:]:
            damaged = _damage(store, file)
            if damaged and not isinstance(damaged, Sealed):  # so is the session's description
                yield _unusable(store, "sound of a kept session", damaged, [file])


def _recordings(store: Store, snapshot: Snapshot) -> Iterator[Problem]:
    known = {person.id for person in snapshot.people.values()}
    known |= {damaged.file.removesuffix(SUFFIX) for damaged in snapshot.damaged}
    for owner, files in store.recordings().items():
        for file in files:
            if owner not in known:
                yield _aside(store, f'The recording "{file}" belongs to nobody.', [file])
            elif damaged := _damage(store, file):
                yield _unusable(store, "recording", damaged, [file])


def _damage(store: Store, file: str) -> Damaged | None:
    """What is wrong with a recording or a part of a session; None if nothing is."""
    try:
        check_part(file, store.recording_bytes(file))
    except GalleryError as error:
        return damage(file, error)
    return None


def _heard(store: Store, owner: str) -> dict[str, bytes]:
    """Contents of the recordings that can be used; of the others `_recordings` tells."""
    files = store.recordings_of(owner)
    return {file: store.recording_bytes(file) for file in files if _damage(store, file) is None}


def _sealing(store: Store, snapshot: Snapshot) -> Iterator[Problem]:
    if store.seal is None:
        return
    seal, plain, weak = store.seal, [], []
    closed = {damaged.file for damaged in snapshot.damaged}
    for file in store.rows():
        if file in closed:
            continue
        content = store.raw(file)
        if not is_sealed(content):
            plain.append(file)
        elif content.startswith(OLD_MAGIC):
            weak.append(file)
    for names, what in (
        (plain, "are not encrypted, though there is a passphrase"),
        (weak, "are encrypted with a key that is faster to guess than it has to be"),
    ):
        if names:
            yield Problem(
                f"{len(names)} voiceprints, recordings or parts of sessions {what}.",
                "they are encrypted anew",
                lambda names=names: store.write_raw({f: seal.close(_plain(store, f)) for f in names}),
            )


def _plain(store: Store, file: str) -> bytes:
    content = store.raw(file)
    return store.seal.open(content) if store.seal and is_sealed(content) else content
