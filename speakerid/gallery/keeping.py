"""Keeping people: another passphrase, a file to take along, kept recordings, another model."""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from speakerid.errors import GalleryError, SpeakerIdError
from speakerid.gallery import audit
from speakerid.gallery import recordings as kept
from speakerid.gallery.base import require
from speakerid.gallery.exemplars import Embedder
from speakerid.gallery.names import name_key
from speakerid.gallery.portable import Imported, Portable, read_people, require_somebody, write_people
from speakerid.gallery.recordings import KeptRecording
from speakerid.gallery.reembedding import Progress, Reembedding, reembedded, unusable
from speakerid.gallery.sealing import seal_of
from speakerid.gallery.voiceprint import utc_now


class Keeping(Reembedding):
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
                    person = replace(person, voiceprint=reembedded(person, reembed))
                usable.append(person)
            except SpeakerIdError as error:
                refused[voiceprint.name] = f"its recordings cannot be embedded again: {error}"
        if progress:
            progress(len(people), len(people), "")
        added = self._add(usable, refused, replace_known)
        return Imported(added, refused, can_reembed)

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

    def _recording(self, file: str) -> KeptRecording:
        ids = kept.ids_of(file)
        try:
            return kept.from_bytes(self._store.recording_bytes(file), ids[1] if ids else "")
        except GalleryError as error:
            raise unusable(file, error) from error
