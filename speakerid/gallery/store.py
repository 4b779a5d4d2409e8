"""The folder of voiceprints: one file a person, read once and again only when it changed."""

import os
import stat
import threading
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from speakerid.errors import GalleryError
from speakerid.gallery.files import TEMPORARY, folder_lock, replace_file, sync_folder
from speakerid.gallery.names import name_key
from speakerid.gallery.sealing import VARIABLE, Seal, WrongSeal, is_sealed
from speakerid.gallery.voiceprint import Voiceprint, check_numbers, from_bytes, to_bytes

SUFFIX = ".safetensors"
LOCK_SECONDS = 15.0
MAX_FILE_BYTES = 4_000_000  # about a hundred times the largest voiceprint


@dataclass(frozen=True)
class Damaged:
    """A file that cannot be used, and why. It stays where it is until a person deals with it."""

    file: str
    reason: str


class Sealed(Damaged):
    """A file that is encrypted and does not open."""


@dataclass(frozen=True)
class Contents:
    """What a folder holds at one moment: the people by name key, in order, and the unusable files."""

    people: dict[str, Voiceprint]
    damaged: tuple[Damaged, ...]

    def find(self, name: str) -> Voiceprint | None:
        """The person of that name, whatever its case; None if there is none."""
        return self.people.get(name_key(name))


class FolderStore:
    """Reads and writes the files. May be used by several threads and processes at once."""

    def __init__(self, folder: Path, seal: Seal | None = None):
        """A seal encrypts what is written and opens what is encrypted; other files are read as well."""
        self.folder = folder
        self._seal = seal
        self._cache: dict[str, tuple[Hashable, Voiceprint | Damaged]] = {}
        self._contents: tuple[Hashable, Contents] | None = None
        self._guard = threading.Lock()

    def revision(self) -> Hashable:
        """Changes whenever a file appears, changes or goes; costs one look at the folder, no reading.

        Raises:
            GalleryError: if the folder cannot be read.
        """
        return frozenset(self._signatures().items())

    def read(self) -> Contents:
        """Everything in the folder; only new and changed files are opened.

        Raises:
            GalleryError: if the folder cannot be read, or is encrypted and the passphrase does not open it.
        """
        with self._guard:
            signatures = self._signatures()
            revision = frozenset(signatures.items())
            if self._contents is None or self._contents[0] != revision:
                fresh = {}
                for file, signature in signatures.items():
                    known = self._cache.get(file)
                    if known is None or known[0] != signature:
                        content = self._open(file)
                        if content is None:  # removed since we looked
                            continue
                        known = (signature, content)
                    fresh[file] = known
                contents = [content for _, content in fresh.values()]
                self._check_passphrase(contents)
                self._cache = fresh
                self._contents = (revision, _sort(contents))
            return self._contents[1]

    @contextmanager
    def locked(self, timeout: float = LOCK_SECONDS) -> Iterator[None]:
        """Be the only writer. Make the folder if it is not there yet, and clear what a killed writer left.

        Raises:
            GalleryError: if the folder cannot be made or the lock is not free in time.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with folder_lock(self.folder, timeout):
                # Writers hold the lock while a temporary file exists, so one that is here now has no owner.
                for leftover in self.folder.glob(f".*{TEMPORARY}"):
                    leftover.unlink(missing_ok=True)
                yield
        except OSError as error:
            raise GalleryError(_explain(error, "written", self.folder)) from error

    def put(self, voiceprint: Voiceprint) -> None:
        """Store one person; call it while holding the lock. When it returns, a crash no longer loses it.

        Raises:
            GalleryError: if consent is missing or the numbers are unusable; nothing is stored then.
        """
        check_numbers(voiceprint)
        content = to_bytes(voiceprint)
        path = self.folder / f"{voiceprint.id}{SUFFIX}"
        replace_file(path, self._seal.close(content) if self._seal else content)

    def reseal(self, seal: Seal | None) -> None:
        """Encrypt every file with another seal, or with none; call it while holding the lock.

        A crash in between leaves every file whole under the old seal or the new one; doing it again
        finishes it.

        Raises:
            GalleryError: if a file opens with neither seal; nothing was written then.
        """
        self.read()
        closed = [file for file, (_, content) in self._cache.items() if isinstance(content, Sealed)]
        for file in closed:
            if not seal or isinstance(FolderStore(self.folder, seal)._open(file), Damaged):
                raise GalleryError(f'The file "{file}" opens with neither passphrase: move it away first.')
        files = [content for _, content in self._cache.values() if isinstance(content, Voiceprint)]
        self._seal = seal
        for voiceprint in files:
            self.put(voiceprint)

    def delete(self, name: str) -> int:
        """Delete every file of a person, hidden doubles too; call it while holding the lock.

        Returns:
            The number of files that are gone.
        """
        self.read()
        key = name_key(name)
        gone = 0
        for file, (_, content) in list(self._cache.items()):
            if isinstance(content, Voiceprint) and name_key(content.name) == key:
                (self.folder / file).unlink()
                gone += 1
        sync_folder(self.folder)
        return gone

    def _check_passphrase(self, contents: Sequence[Voiceprint | Damaged]) -> None:
        """One file that does not open is damaged; if that is all there is, the passphrase is wrong."""
        closed = any(isinstance(content, Sealed) for content in contents)
        if closed and not any(isinstance(content, Voiceprint) for content in contents):
            raise GalleryError(
                f'The passphrase does not open the voiceprints in "{self.folder}": check {VARIABLE}.'
            )

    def _signatures(self) -> dict[str, Hashable]:
        signatures: dict[str, Hashable] = {}
        try:
            with os.scandir(self.folder) as entries:
                for entry in entries:
                    if entry.name.endswith(SUFFIX) and not entry.name.startswith("."):
                        try:
                            info = entry.stat()
                        except FileNotFoundError:
                            if not entry.is_symlink():
                                continue  # removed since it was listed
                            info = entry.stat(follow_symlinks=False)
                        # Each write makes a new inode, so two writes within one tick of the clock differ too.
                        signatures[entry.name] = (info.st_mtime_ns, info.st_size, info.st_ino)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise GalleryError(_explain(error, "read", self.folder)) from error
        return signatures

    def _open(self, file: str) -> Voiceprint | Damaged | None:
        content = self._bytes(file)
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
        except GalleryError as error:
            return Damaged(file, str(error))

    def _bytes(self, file: str) -> bytes | Damaged | None:
        path = os.path.join(self.folder, file)
        try:
            info = os.stat(path)
            if not stat.S_ISREG(info.st_mode):
                return Damaged(file, "it is not a plain file")
            if info.st_size > MAX_FILE_BYTES:
                return Damaged(file, "it is too large for a voiceprint")
            with open(path, "rb", buffering=0) as content:
                return content.read()
        except FileNotFoundError:
            return Damaged(file, "it is a link to nothing") if os.path.islink(path) else None
        except OSError as error:
            return Damaged(file, f"it cannot be read ({error.strerror or error})")


def _sort(contents: Sequence[Voiceprint | Damaged]) -> Contents:
    """People by name. Of two files with one name (copied by hand) the one updated last counts."""
    damaged = [content for content in contents if isinstance(content, Damaged)]
    people: dict[str, Voiceprint] = {}
    voiceprints = [content for content in contents if isinstance(content, Voiceprint)]
    for voiceprint in sorted(voiceprints, key=lambda v: (v.updated, v.id), reverse=True):
        kept = people.setdefault(name_key(voiceprint.name), voiceprint)
        if kept is not voiceprint:
            reason = f"it holds the same name as {kept.id}{SUFFIX}, which is newer; delete one of the two"
            damaged.append(Damaged(f"{voiceprint.id}{SUFFIX}", reason))
    return Contents(dict(sorted(people.items())), tuple(sorted(damaged, key=lambda d: d.file)))


def _explain(error: OSError, verb: str, folder: Path) -> str:
    if isinstance(error, NotADirectoryError | FileExistsError):
        return f'"{folder}" is not a folder: choose a folder for the voiceprints.'
    why = error.strerror or str(error)
    return f'The voiceprints in "{folder}" cannot be {verb} ({why}): check its permissions and the disk.'
