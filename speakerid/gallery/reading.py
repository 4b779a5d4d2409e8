"""Reading the folder of voiceprints: one file a person, read once and again only when it changed."""

import threading
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path

from speakerid.errors import GalleryError
from speakerid.gallery import journal
from speakerid.gallery import recordings as kept
from speakerid.gallery.contents import SUFFIX, Contents, Damaged, FromNewer, Sealed, shows_name, sort
from speakerid.gallery.journal import SET_ASIDE
from speakerid.gallery.looking import listing, read_file
from speakerid.gallery.names import name_key
from speakerid.gallery.sealing import HEAD, VARIABLE, Locked, Seal, WrongSeal, is_sealed
from speakerid.gallery.voiceprint import Newer, Voiceprint, from_bytes

MAX_FILE_BYTES = 4_000_000  # about a hundred times the largest voiceprint
_LOOKS = 10  # at a folder that changes while it is read, before what was read last has to do
_CHANGED = "it was changed since it was encrypted"


@dataclass(frozen=True, eq=False)
class _Seen:
    """A file as it was read: what changes when it does, what it holds, whether it is encrypted."""

    signature: Hashable
    content: Voiceprint | Damaged
    sealed: bool = False


class FolderReader:
    """Reads the files. May be used by several threads and processes at once."""

    def __init__(self, folder: Path, seal: Seal | None = None):
        """A seal opens what is encrypted; other files are read as well."""
        self.folder = folder
        self._seal = seal
        self._cache: dict[str, _Seen] = {}
        self._contents: tuple[Hashable, Contents] | None = None
        self._guard = threading.Lock()

    @property
    def seal(self) -> Seal | None:
        """What files are encrypted with; None for nothing."""
        return self._seal

    def unlock(self, seal: Seal) -> None:
        """Open what is encrypted with this seal from now on.

        Raises:
            Locked: it does not open it; nothing is changed then.
            GalleryError: the folder cannot be read.
        """
        trial = FolderReader(self.folder, seal)
        trial.read()
        # Where nothing is encrypted any more, nobody can tell whether the passphrase was typed right.
        proven = any(seen.sealed and isinstance(seen.content, Voiceprint) for seen in trial._cache.values())
        with self._guard:
            self._seal = seal if proven else None
            self._cache, self._contents = trial._cache, trial._contents

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
            Locked: it is encrypted and the passphrase does not open it.
            GalleryError: it cannot be read.
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
            revision = frozenset((file, seen.signature) for file, seen in self._cache.items())
            if self._contents is None or self._contents[0] != revision:
                self._check_passphrase()
                contents = [self._judged(seen.content) for seen in self._cache.values()]
                self._contents = (revision, sort(contents))
            return self._contents[1]

    def in_clear(self) -> list[str]:
        """The voiceprints that are not encrypted though there is a passphrase, of those read last."""
        if self._seal is None:
            return []
        with self._guard:
            return [f for f, s in self._cache.items() if isinstance(s.content, Voiceprint) and not s.sealed]

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
            WrongSeal: if it is encrypted and the passphrase is missing or another one.
            GalleryError: saying what is wrong with it, if it cannot be had.
        """
        place = journal.pending(self.folder).replace.get(file, file)
        content = read_file(self.folder, file, place, kept.MAX_FILE_BYTES)
        if not isinstance(content, bytes):
            raise GalleryError(content.reason if content else "it was deleted meanwhile")
        if not is_sealed(content):
            return content
        if self._seal is None:
            raise WrongSeal(f"it is encrypted: set {VARIABLE} to its passphrase")
        try:
            return self._seal.open(content)
        except WrongSeal as error:
            if self._seal.made(content):
                raise GalleryError(_CHANGED) from error
            raise

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
        here = [file for file, seen in self._cache.items() if self._is_of(file, seen.content, name)]
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

    def _check_passphrase(self) -> None:
        """If none of the files that are encrypted opens, the passphrase is wrong."""
        sealed = [seen for seen in self._cache.values() if seen.sealed]
        if sealed and all(isinstance(self._judged(seen.content), Sealed) for seen in sealed):
            raise Locked(
                f'The passphrase does not open the voiceprints in "{self.folder}": check {VARIABLE}.'
            )

    def _judged(self, content: Voiceprint | Damaged) -> Voiceprint | Damaged:
        """What does not open although it was sealed with this passphrase is damaged, for certain."""
        if isinstance(content, Sealed) and self._seal and self._seal.made(content.head):
            return Damaged(content.file, _CHANGED)
        return content

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
        fresh: dict[str, _Seen] = {}
        opened = False
        for file, (signature, place) in files.items():
            known = self._cache.get(file)
            if known is None or known.signature != signature:
                opened = True
                known = self._open(file, place, signature)
                if known is None:  # removed since we looked
                    continue
            fresh[file] = known
        self._cache = fresh
        return opened

    def _open(self, file: str, place: str, signature: Hashable) -> _Seen | None:
        content = read_file(self.folder, file, place, MAX_FILE_BYTES)
        if not isinstance(content, bytes):
            return _Seen(signature, content) if content else None
        sealed = is_sealed(content)
        if sealed and self._seal is None:
            raise Locked(
                f'The voiceprints in "{self.folder}" are encrypted: set {VARIABLE} to their passphrase.'
            )
        return _Seen(signature, self._opened(file, content, sealed), sealed)

    def _opened(self, file: str, content: bytes, sealed: bool) -> Voiceprint | Damaged:
        try:
            return from_bytes(
                self._seal.open(content) if self._seal and sealed else content, file.removesuffix(SUFFIX)
            )
        except WrongSeal as error:
            return Sealed(file, str(error), content[:HEAD])
        except Newer as error:
            return FromNewer(file, str(error))
        except GalleryError as error:
            return Damaged(file, str(error))
