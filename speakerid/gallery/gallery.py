"""The people that can be named: enroll them, look them up, rename and remove them."""

import secrets
from collections.abc import Hashable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from speakerid.errors import EnrollmentRefused, GalleryError
from speakerid.gallery.enrollment import EnrollmentReport, check_owner, examine
from speakerid.gallery.exemplars import Embedder, Exemplars, choose
from speakerid.gallery.names import clean_name
from speakerid.gallery.portable import Imported, read_people, write_people
from speakerid.gallery.sealing import seal_of
from speakerid.gallery.store import Contents, Damaged, FolderStore
from speakerid.gallery.voiceprint import Consent, Voiceprint, require_consent, utc_now


class Gallery:
    """A folder of voiceprints. Several threads and processes may use the same folder at once."""

    def __init__(self, store: FolderStore):
        self._store = store

    @classmethod
    def open(cls, path: str | Path, passphrase: str | None = None) -> "Gallery":
        """The gallery in a folder, which is made at the first enrollment if it is not there.

        Args:
            path: the folder.
            passphrase: what its files are encrypted with, now and from now on; None for the variable
                SPEAKERID_PASSPHRASE, "" for none.

        Raises:
            GalleryError: if the path is no folder or cannot be read, or the passphrase is too short. That
                a passphrase is wrong or missing is told by the first look at the people.
        """
        store = FolderStore(Path(path).expanduser(), seal_of(passphrase))
        store.revision()
        return cls(store)

    @property
    def folder(self) -> Path:
        """Where the voiceprints are kept."""
        return self._store.folder

    def revision(self) -> Hashable:
        """Changes whenever the folder's content does; cheap enough to ask for every second."""
        return self._store.revision()

    def speakers(self) -> list[Voiceprint]:
        """Everybody enrolled, sorted by name, whatever model made their voiceprint."""
        return list(self._store.read().people.values())

    @property
    def damaged(self) -> list[Damaged]:
        """Files in the folder that cannot be used; they are never deleted."""
        return list(self._store.read().damaged)

    def get(self, name: str) -> Voiceprint:
        """The voiceprint of a person.

        Raises:
            GalleryError: if nobody of that name is enrolled.
        """
        return _require(self._store.read(), name)

    def enroll(
        self,
        name: str,
        blocks: Sequence[np.ndarray],
        encoder: Embedder,
        *,
        consent: Consent | None,
        sources: Sequence[str] | None = None,
    ) -> EnrollmentReport:
        """Store a person's voice, or add to what is stored of it.

        Args:
            name: any Unicode name; see `clean_name` for what is refused.
            blocks: one [samples] array a recording, 16 kHz mono, -1..1; at least MIN_SPEECH_SECONDS of
                speech together.
            encoder: the model that makes the embeddings.
            consent: that the person agreed; nothing is stored without.
            sources: one label a recording, kept with the exemplars.

        Raises:
            EnrollmentRefused: if the recordings would make a bad voiceprint, with reasons and remedies.
            GalleryError: no consent, a name that cannot be used, another model's voiceprint, a folder that
                cannot be written. Nothing is stored in any of these cases.
        """
        name = clean_name(name)
        consent = require_consent(consent)
        if not blocks:
            raise EnrollmentRefused(["No recording was given: record or choose at least one."])
        sources = list(sources) if sources else [f"recording {i + 1}" for i in range(len(blocks))]
        _enrolled_before(self._store.read(), name, encoder.id)  # refuse early what needs no listening
        examined = examine(blocks, encoder, sources)
        with self._store.locked():
            contents = self._store.read()
            own = _enrolled_before(contents, name, encoder.id)
            others = [p for p in contents.people.values() if p is not own and p.model == encoder.id]
            check_owner(examined, name, own, others)
            pool = examined.exemplars
            if own:
                pool = Exemplars(own.embeddings, own.seconds, own.sources).join(pool)
            rows = choose(pool)
            kept = pool.pick(rows)
            now = utc_now()
            self._store.put(
                Voiceprint(
                    id=own.id if own else secrets.token_hex(8),
                    name=name,
                    model=encoder.id,
                    embeddings=kept.embeddings,
                    seconds=kept.seconds,
                    sources=kept.sources,
                    created=own.created if own else now,
                    updated=now,
                    consent=consent,
                )
            )
        added = sum(row >= len(pool) - len(examined.exemplars) for row in rows)
        return EnrollmentReport(
            name, added, len(kept), examined.speech_seconds, examined.quality, examined.warnings
        )

    def remove(self, name: str) -> None:
        """Delete everything stored of a person.

        Raises:
            GalleryError: if nobody of that name is enrolled, or the folder cannot be written.
        """
        with self._store.locked():
            self._store.delete(_require(self._store.read(), name).name)

    def change_passphrase(self, new: str) -> int:
        """Encrypt every voiceprint with another passphrase, or with none ("").

        A crash in between loses nothing: open the gallery with the old passphrase, or with the new one if the
        old one is refused now, and do it again.

        Returns:
            The number of voiceprints now stored that way.

        Raises:
            GalleryError: if the old passphrase is wrong, the new one too short, or a file opens with neither.
        """
        seal = seal_of(new)
        with self._store.locked():
            self._store.reseal(seal)
            return len(self._store.read().people)

    def export(self, path: str | Path, names: Sequence[str] = (), passphrase: str = "") -> int:
        """Write people, by default everybody, to one file; see `speakerid.gallery.portable` for its format.

        Args:
            passphrase: what to encrypt the file with; "" for no encryption.

        Returns:
            The number of people in it.

        Raises:
            GalleryError: if somebody is not enrolled, nobody is, or the file cannot be written.
        """
        contents = self._store.read()
        people = [_require(contents, name) for name in names] or list(contents.people.values())
        write_people(Path(path), people, seal_of(passphrase))
        return len(people)

    def load(
        self, path: str | Path, model: str, *, replace_known: bool = False, passphrase: str = ""
    ) -> Imported:
        """Add the people in a file that `export` wrote; each of them is added wholly or not at all.

        Args:
            model: id of the model in use; voiceprints of others are refused.
            replace_known: whether somebody in the file replaces who is enrolled under that name.

        Raises:
            GalleryError: if the file cannot be read or the passphrase does not open it.
        """
        people, refused = read_people(Path(path), seal_of(passphrase))
        added: list[str] = []
        with self._store.locked():
            for person in people:
                known = self._store.read().find(person.name)
                if person.model != model:
                    refused[person.name] = f"it was made by the model {person.model} and this is {model}"
                elif known and not replace_known:
                    refused[person.name] = f'somebody called "{known.name}" is enrolled already'
                else:
                    identifier = known.id if known else secrets.token_hex(8)
                    self._store.put(replace(person, id=identifier, updated=utc_now()))
                    added.append(person.name)
        return Imported(added, refused)

    def rename(self, old: str, new: str) -> None:
        """Give a person another name.

        Raises:
            GalleryError: nobody is called old, new is taken or unusable, or the folder cannot be written.
        """
        new = clean_name(new)
        with self._store.locked():
            contents = self._store.read()
            person = _require(contents, old)
            taken = contents.find(new)
            if taken and taken is not person:
                raise GalleryError(f'There is already somebody called "{taken.name}": choose another name.')
            self._store.put(replace(person, name=new, updated=utc_now()))


def _require(contents: Contents, name: str) -> Voiceprint:
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


def _enrolled_before(contents: Contents, name: str, model: str) -> Voiceprint | None:
    """The person to add to, if there is one of exactly that name made by that model."""
    own = contents.find(name)
    if own is None:
        return None
    if own.name != name:
        raise GalleryError(
            f'There is already somebody called "{own.name}", which looks the same as "{name}": '
            f'write "{own.name}" to add to that person, or choose another name.'
        )
    if own.model != model:
        raise GalleryError(
            f'"{name}" was enrolled with the model {own.model} and this is {model}: '
            "use that model, or remove the person and enroll again."
        )
    return own
