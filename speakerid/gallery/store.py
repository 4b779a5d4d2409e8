"""The folder of voiceprints: one file a person, read once and again only when it changed."""

import os
import threading
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from speakerid.errors import GalleryError
from speakerid.gallery import journal
from speakerid.gallery import recordings as kept
from speakerid.gallery.contents import SUFFIX, Contents, Damaged, FromNewer, Sealed, shows_name, sort
from speakerid.gallery.files import folder_lock
from speakerid.gallery.journal import SET_ASIDE
from speakerid.gallery.looking import explain, listing, read_file
from speakerid.gallery.names import name_key
from speakerid.gallery.resealing import resealed
from speakerid.gallery.sealing import VARIABLE, Seal, WrongSeal, is_sealed
from speakerid.gallery.voiceprint import Newer, Voiceprint, check_numbers, from_bytes, to_bytes

LOCK_SECONDS = 15.0
MAX_FILE_BYTES = 4_000_000  # about a hundred times the largest voiceprint
_LOOKS = 10  # at a folder that changes while it is read, before what was read last has to do


class FolderStore:
    """Reads and writes the files. May be used by several threads and processes at once."""

    def __init__(self, folder: Path, seal: Seal | None = None):
        """A seal encrypts what is written and opens what is encrypted; other files are read as well."""
        self.folder = folder
        self._seal = seal
        self._cache: dict[str, tuple[Hashable, Voiceprint | Damaged]] = {}
        self._contents: tuple[Hashable, Contents] | None = None
        self._guard = threading.Lock()

    @property
    def seal(self) -> Seal | None:
        """What files are encrypted with; None for nothing."""
        return self._seal

    def is_sealed(self) -> bool:
        """Whether any voiceprint is encrypted.

        Raises:
            GalleryError: if the folder cannot be read.
        """
        for file, (_, place) in listing(self.folder, SUFFIX).items():
            content = read_file(self.folder, file, place, MAX_FILE_BYTES)
            if isinstance(content, bytes) and is_sealed(content):
                return True
        return False

    def revision(self) -> Hashable:
        """Changes whenever a voiceprint appears, changes or goes; costs one look at the folder, no reading.

        Raises:
            GalleryError: if the folder cannot be read.
        """
        return frozenset((file, signature) for file, (signature, _) in listing(self.folder, SUFFIX).items())

    def read(self) -> Contents:
        """Everybody in the folder at one moment; only new and changed files are opened.

        Raises:
            GalleryError: if the folder cannot be read, or is encrypted and the passphrase does not open it.
        """
        with self._guard:
            files = listing(self.folder, SUFFIX)
            for _ in range(_LOOKS):
                if not self._take_in(files):
                    break
                again = listing(self.folder, SUFFIX)
                if again == files:  # else somebody wrote meanwhile, and this may be of two moments
                    break
                files = again
            revision = frozenset((file, signature) for file, (signature, _) in self._cache.items())
            if self._contents is None or self._contents[0] != revision:
                contents = [content for _, content in self._cache.values()]
                self._check_passphrase(contents)
                self._contents = (revision, sort(contents))
            return self._contents[1]

    @contextmanager
    def locked(self, timeout: float = LOCK_SECONDS) -> Iterator[None]:
        """Be the only writer. Make the folder if it is not there, finish and clear what killed writers left.

        Raises:
            GalleryError: if the folder cannot be made or the lock is not free in time.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with folder_lock(self.folder, timeout):
                journal.finish(self.folder)
                journal.clear_temporaries(self.folder)
                yield
        except OSError as error:
            raise GalleryError(explain(error, "written", self.folder)) from error

    def put(self, voiceprint: Voiceprint) -> None:
        """Store one person; call it while holding the lock. When it returns, a crash no longer loses it.

        Raises:
            GalleryError: if consent is missing or the numbers are unusable; nothing is stored then.
        """
        self.write([voiceprint])

    def write(
        self,
        voiceprints: Sequence[Voiceprint] = (),
        recordings: Mapping[str, bytes] | None = None,
        gone: Sequence[str] = (),
    ) -> None:
        """Store people and recordings and delete files, all of it or nothing; call it while holding the lock.

        Args:
            voiceprints: people as they are from now on.
            recordings: contents of recordings by the names of their files.
            gone: names of files to delete.

        Raises:
            GalleryError: if consent is missing or numbers are unusable; nothing is changed then.
        """
        for voiceprint in voiceprints:
            check_numbers(voiceprint)
        contents = {f"{voiceprint.id}{SUFFIX}": to_bytes(voiceprint) for voiceprint in voiceprints}
        contents.update(recordings or {})
        closed = ((file, self._seal.close(c) if self._seal else c) for file, c in contents.items())
        journal.commit(self.folder, closed, gone)

    def reseal(self, seal: Seal | None) -> None:
        """Encrypt every file with another seal, or with none, all at once; call it while holding the lock.

        Raises:
            GalleryError: if a file opens with neither seal; nothing was written then.
        """
        self.read()
        names = [n for n in os.listdir(self.folder) if n.endswith((SUFFIX, kept.SUFFIX)) and n[0] != "."]
        files = [
            name
            for name in names
            if isinstance(read_file(self.folder, name, name, kept.MAX_FILE_BYTES), bytes)
        ]
        journal.commit(self.folder, resealed(self.folder, [*files, *self.set_aside()], self._seal, seal))
        self._seal = seal

    def recordings(self, owner: str | None = None) -> dict[str, list[str]]:
        """Files of kept recordings by the id of their voiceprint: of everybody, or of one.

        Raises:
            GalleryError: if the folder cannot be read.
        """
        found: dict[str, list[str]] = {}
        for file in sorted(listing(self.folder, kept.SUFFIX)):
            ids = kept.ids_of(file)
            if ids and owner in (None, ids[0]):
                found.setdefault(ids[0], []).append(file)
        return found

    def recording_bytes(self, file: str) -> bytes:
        """The content of a recording's file, opened if it is sealed.

        Raises:
            GalleryError: saying what is wrong with it, if it cannot be had.
        """
        place = journal.pending(self.folder).replace.get(file, file)
        content = read_file(self.folder, file, place, kept.MAX_FILE_BYTES)
        if not isinstance(content, bytes):
            raise GalleryError(content.reason if content else "it was deleted meanwhile")
        if is_sealed(content):
            if self._seal is None:
                raise GalleryError(f"it is encrypted: set {VARIABLE} to its passphrase")
            content = self._seal.open(content)
        return content

    def set_aside(self) -> list[str]:
        """The files that `doctor` moved away, as paths within the folder."""
        aside = self.folder / SET_ASIDE
        if not aside.is_dir():
            return []
        return [f"{SET_ASIDE}/{path.name}" for path in sorted(aside.iterdir()) if path.is_file()]

    def files_of(self, name: str) -> list[str]:
        """Every file that holds something of a person: voiceprints, hidden doubles of them, recordings, and
        damaged files in which the name can still be read; call it while holding the lock."""
        self.read()
        here = [file for file, (_, content) in self._cache.items() if self._is_of(file, content, name)]
        files = here + [file for file in self.set_aside() if self._shows_name(file, name)]
        owners = {Path(file).name.split(".")[0] for file in files}
        for owner in owners:
            files += self.recordings(owner).get(owner, ())
            files += [
                f for f in self.set_aside() if kept.ids_of(Path(f).name) and Path(f).name.startswith(owner)
            ]
        return files

    def _is_of(self, file: str, content: Voiceprint | Damaged, name: str) -> bool:
        if isinstance(content, Voiceprint):
            return name_key(content.name) == name_key(name)
        return self._shows_name(file, name)

    def _check_passphrase(self, contents: Sequence[Voiceprint | Damaged]) -> None:
        """One file that does not open is damaged; if that is all there is, the passphrase is wrong."""
        closed = any(isinstance(content, Sealed) for content in contents)
        if closed and not any(isinstance(content, Voiceprint) for content in contents):
            raise GalleryError(
                f'The passphrase does not open the voiceprints in "{self.folder}": check {VARIABLE}.'
            )

    def _shows_name(self, file: str, name: str) -> bool:
        content = read_file(self.folder, file, file, kept.MAX_FILE_BYTES)
        if not isinstance(content, bytes):
            return False
        try:
            return shows_name(
                self._seal.open(content) if self._seal and is_sealed(content) else content, name
            )
        except WrongSeal:
            return False

    def _take_in(self, files: dict[str, tuple[Hashable, str]]) -> bool:
        """Open what is new; whether anything was."""
        fresh: dict[str, tuple[Hashable, Voiceprint | Damaged]] = {}
        opened = False
        for file, (signature, place) in files.items():
            known = self._cache.get(file)
            if known is None or known[0] != signature:
                opened = True
                content = self._open(file, place)
                if content is None:  # removed since we looked
                    continue
                known = (signature, content)
            fresh[file] = known
        self._cache = fresh
        return opened

    def _open(self, file: str, place: str) -> Voiceprint | Damaged | None:
        content = read_file(self.folder, file, place, MAX_FILE_BYTES)
        if not isinstance(content, bytes):
            return content
        sealed = is_sealed(content)
        if sealed and self._seal is None:
            raise GalleryError(
                f'The voiceprints in "{self.folder}" are encrypted: set {VARIABLE} to their passphrase.'
            )
        try:
            return from_bytes(
                self._seal.open(content) if self._seal and sealed else content, file.removesuffix(SUFFIX)
            )
        except WrongSeal as error:
            return Sealed(file, str(error))
        except Newer as error:
            return FromNewer(file, str(error))
        except GalleryError as error:
            return Damaged(file, str(error))
