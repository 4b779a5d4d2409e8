"""Keeping people: another passphrase, a file to take along, kept recordings, another model."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from speakerid.errors import GalleryError, SpeakerIdError
from speakerid.gallery import audit
from speakerid.gallery import recordings as kept
from speakerid.gallery.base import Base, require
from speakerid.gallery.enrollment import examine
from speakerid.gallery.exemplars import Embedder, choose
from speakerid.gallery.names import name_key
from speakerid.gallery.portable import Imported, Portable, read_people, require_somebody, write_people
from speakerid.gallery.recordings import KeptRecording
from speakerid.gallery.sealing import seal_of
from speakerid.gallery.voiceprint import Voiceprint, utc_now

Progress = Callable[[int, int, str], None]
"""Called with how many people are done, how many there are, and the name of the next one."""


@dataclass(frozen=True)
class Reembedded:
    """Whose voiceprint another model made anew; who is left as before, and by name why and what to do."""

    done: list[str]
    left: dict[str, str]


class Keeping(Base):
    """Each change is made wholly or not at all, and recorded in the audit log."""

    def change_passphrase(self, new: str) -> int:
        """Encrypt every voiceprint and recording with another passphrase, or with none ("").

        It is done for all files at once: after a crash either the old passphrase opens everything or the new.

        Returns:
            The number of voiceprints now stored that way.

        Raises:
            GalleryError: if the old passphrase is wrong, the new one too short, or a file cannot be read or
                opens with neither; nothing was changed then.
        """
        seal = seal_of(new)
        with self._store.locked():
            files = self._store.resealable(seal)  # a refusal is no change that failed, in the audit log
            with audit.recorded(self.folder, "passphrase", [], encrypted=seal is not None):
                self._store.reseal(files, seal)
            return len(self._store.read().people)

    def recordings(self, name: str) -> list[KeptRecording]:
        """The kept recordings of a person, oldest first.

        Raises:
            GalleryError: if nobody of that name is enrolled, or a recording cannot be used, saying which.
        """
        person = require(self._store.read(), name)
        files = self._store.recordings(person.id).get(person.id, ())
        return sorted((self._recording(file) for file in files), key=lambda recording: recording.kept_at)

    def recording_counts(self) -> dict[str, int]:
        """How many recordings are kept, by the id of the voiceprint; who has none is not in it."""
        return {owner: len(files) for owner, files in self._store.recordings().items()}

    def export(
        self,
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
        require_somebody(self._chosen(names))  # before the folder is made, where it is not there
        seal = seal_of(passphrase)
        with self._store.locked():
            people = [
                Portable(person, self._recordings_of(person) if recordings else {})
                for person in self._chosen(names)
            ]
            with audit.recorded(self.folder, "export", [person.voiceprint.id for person in people]):
                write_people(Path(path), people, seal)
        return len(people)

    def load(
        self,
        path: str | Path,
        model: str,
        *,
        replace_known: bool = False,
        passphrase: str = "",
        reembed: Embedder | None = None,
        progress: Progress | None = None,
    ) -> Imported:
        """Add the people in a file that `export` wrote; each of them is added wholly or not at all.

        Args:
            model: id of the model in use; voiceprints of others are refused.
            replace_known: whether somebody in the file replaces who is enrolled under that name.
            reembed: the model in use, to make those of other models anew from their recordings in the file.
            progress: called before each person that is looked at, and at the end.

        Raises:
            GalleryError: if the file cannot be read or the passphrase does not open it.
        """
        people, refused = read_people(Path(path), seal_of(passphrase))
        usable: list[Portable] = []
        can_reembed: list[str] = []
        for index, person in enumerate(people):
            voiceprint = person.voiceprint
            if progress:
                progress(index, len(people), voiceprint.name)
            if voiceprint.model != model and not (reembed and person.recordings):
                refused[voiceprint.name] = f"it was made by the model {voiceprint.model} and this is {model}"
                if person.recordings:
                    can_reembed.append(voiceprint.name)
                continue
            try:
                if voiceprint.model != model and reembed:
                    person = replace(person, voiceprint=_reembedded(person, reembed))
                usable.append(person)
            except SpeakerIdError as error:
                refused[voiceprint.name] = f"its recordings cannot be embedded again: {error}"
        if progress:
            progress(len(people), len(people), "")
        added = self._add(usable, refused, replace_known)
        return Imported(added, refused, can_reembed)

    def not_kept(self, model: str, names: Sequence[str] = ()) -> dict[str, int]:
        """What `reembed` with this model would lose: by name, how many exemplars are of recordings that were
        not kept; who loses nothing, or has no kept recording and stays as before, is not in it.

        Raises:
            GalleryError: if somebody is not enrolled, or the folder cannot be read.
        """
        able = self.recording_counts()
        people = [p for p in self._chosen(names) if p.model != model and p.id in able]
        counts = {person.name: sum(not ids for ids in person.recordings) for person in people}
        return {name: count for name, count in counts.items() if count}

    def reembed(
        self, encoder: Embedder, progress: Progress | None = None, names: Sequence[str] = ()
    ) -> Reembedded:
        """Make the voiceprints of other models anew with this one, from the recordings that were kept.

        What was enrolled without keeping the recording is not in the new voiceprint; see `not_kept`.

        Args:
            progress: called before each person and at the end.
            names: who; by default everybody whose voiceprint another model made.

        Raises:
            GalleryError: if somebody is not enrolled, or the folder cannot be read or written.
        """
        done: list[str] = []
        left: dict[str, str] = {}
        people = [person for person in self._chosen(names) if person.model != encoder.id]
        for index, person in enumerate(people):
            if progress:
                progress(index, len(people), person.name)
            try:
                self._reembed(person, encoder)
                done.append(person.name)
            except SpeakerIdError as error:
                left[person.name] = str(error)
        if progress:
            progress(len(people), len(people), "")
        return Reembedded(done, left)

    def _reembed(self, person: Voiceprint, encoder: Embedder) -> None:
        recordings = self._recordings_of(person)
        if not recordings:
            raise GalleryError(
                f"No recordings were kept: use the model {person.model}, or remove the person "
                "and enroll again."
            )
        made = _reembedded(Portable(person, recordings), encoder)  # slow, so without the lock
        with self._store.locked():
            now = self._store.read().find(person.name)
            if now is not person or set(self._recordings_of(person)) != set(recordings):
                raise GalleryError("It was changed meanwhile: do it again.")
            self._commit("reembed", [person.id], [made])

    def _add(self, people: Sequence[Portable], refused: dict[str, str], replace_known: bool) -> list[str]:
        added: list[str] = []
        with self._store.locked():
            contents = self._store.read()
            ids = {key: person.id for key, person in contents.people.items()}
            for person in people:
                name = person.voiceprint.name
                known = ids.get(name_key(name))
                if known and not replace_known:
                    refused[name] = f'somebody called "{name}" is enrolled already'
                    continue
                if not known and len(ids) >= self._max_people:
                    refused[name] = f"there are {len(ids):,} people already, as many as there may be"
                    continue
                identifier = known or secrets.token_hex(8)
                made = replace(person.voiceprint, id=identifier, updated=utc_now())
                if not person.recordings:  # left out of the file, or damaged there
                    consent = replace(made.consent, keep_recordings=False)
                    made = replace(made, consent=consent, recordings=("",) * len(made.sources))
                recordings = {kept.file_of(identifier, one): c for one, c in person.recordings.items()}
                before = self._store.recordings(known).get(known, []) if known else []
                gone = [file for file in before if file not in recordings]
                self._commit("import", [identifier], [made], recordings, gone)
                ids[name_key(name)] = identifier
                added.append(name)
        return added

    def _chosen(self, names: Sequence[str]) -> list[Voiceprint]:
        contents = self._store.read()
        chosen = [require(contents, name) for name in names] or list(contents.people.values())
        return list({person.id: person for person in chosen}.values())

    def _recordings_of(self, person: Voiceprint) -> dict[str, bytes]:
        """Contents of a person's recordings by their ids."""
        found: dict[str, bytes] = {}
        for file in self._store.recordings(person.id).get(person.id, ()):
            if ids := kept.ids_of(file):
                found[ids[1]] = self._bytes_of(file)
        return found

    def _recording(self, file: str) -> KeptRecording:
        ids = kept.ids_of(file)
        try:
            return kept.from_bytes(self._store.recording_bytes(file), ids[1] if ids else "")
        except GalleryError as error:
            raise _unusable(file, error) from error

    def _bytes_of(self, file: str) -> bytes:
        try:
            return self._store.recording_bytes(file)
        except GalleryError as error:
            raise _unusable(file, error) from error


def _unusable(file: str, error: GalleryError) -> GalleryError:
    return GalleryError(
        f'The recording "{file}" cannot be used, because {error}: "speakerid doctor --repair" moves it away.'
    )


def _reembedded(person: Portable, encoder: Embedder) -> Voiceprint:
    """The voiceprint that this model makes from the recordings.

    Raises:
        GalleryError: if a recording cannot be used, or together they would make a bad voiceprint.
    """
    recordings = [kept.from_bytes(content, one) for one, content in person.recordings.items()]
    examined = examine(
        [recording.samples for recording in recordings],
        encoder,
        [recording.source for recording in recordings],
        [recording.id for recording in recordings],
    )
    chosen = examined.exemplars.pick(choose(examined.exemplars))
    return replace(
        person.voiceprint,
        model=encoder.id,
        embeddings=chosen.embeddings,
        seconds=chosen.seconds,
        sources=chosen.sources,
        recordings=chosen.recordings,
        updated=utc_now(),
    )
