"""Keeping people: another passphrase, a file to take along, kept recordings, another model."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from speakerid.errors import GalleryError
from speakerid.gallery import audit
from speakerid.gallery import recordings as kept
from speakerid.gallery.base import require
from speakerid.gallery.importing import Importing
from speakerid.gallery.portable import Portable, packed_people, require_somebody, write_people
from speakerid.gallery.recordings import KeptRecording
from speakerid.gallery.reembedding import Progress, unusable
from speakerid.gallery.sealing import Seal, seal_of


class Keeping(Importing):
    """Each change is made wholly or not at all, and recorded in the audit log."""

    @property
    def is_encrypting(self) -> bool:
        """Whether what is written is encrypted."""
        return self._store.seal is not None

    def unlock(self, passphrase: str) -> None:
        """Open what is encrypted with this passphrase from now on, for everybody who uses this gallery.

        Raises:
            Locked: it does not open it; nothing is changed then.
            GalleryError: it is too short, or the folder cannot be read.
        """
        self._store.unlock(Seal(passphrase))

    def is_passphrase(self, passphrase: str) -> bool:
        """Whether it is the passphrase in use, "" where there is none."""
        seal = self._store.seal
        return seal.is_of(passphrase) if seal else not passphrase

    def change_passphrase(self, new: str, progress: Callable[[int, int], None] | None = None) -> int:
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
        seal = seal_of(new)
        with self._store.locked():
            files = self._store.resealable(seal)  # a refusal is no change that failed, in the audit log
            with audit.recorded(self.folder, "passphrase", [], encrypted=seal is not None):
                self._store.reseal(files, seal, progress)
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
        seal = seal_of(passphrase)
        with self._taken_along(names, recordings) as people:
            write_people(Path(path), people, seal)
        return len(people)

    def export_bytes(
        self,
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
        with self._taken_along(names, recordings, progress) as people:
            return packed_people(people, seal)

    @contextmanager
    def _taken_along(
        self, names: Sequence[str], recordings: bool, progress: Progress | None = None
    ) -> Iterator[list[Portable]]:
        """The people to export in this block, which is recorded."""
        require_somebody(self._chosen(names))  # before the folder is made, where it is not there
        with self._store.locked():
            chosen = self._chosen(names)
            people: list[Portable] = []
            for index, person in enumerate(chosen):
                if progress:
                    progress(index, len(chosen), person.name)
                people.append(Portable(person, self._recordings_of(person) if recordings else {}))
            if progress:
                progress(len(chosen), len(chosen), "")
            with audit.recorded(self.folder, "export", [person.id for person in chosen]):
                yield people

    def _recording(self, file: str) -> KeptRecording:
        ids = kept.ids_of(file)
        try:
            return kept.from_bytes(self._store.recording_bytes(file), ids[1] if ids else "")
        except GalleryError as error:
            raise unusable(file, error) from error
