"""The folder of voiceprints, and changing it."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from speakerid.errors import GalleryError
from speakerid.gallery import journal
from speakerid.gallery import recordings as kept
from speakerid.gallery.contents import SUFFIX, Sealed
from speakerid.gallery.files import folder_lock
from speakerid.gallery.looking import explain
from speakerid.gallery.reading import FolderReader
from speakerid.gallery.resealing import named, resealable, resealed
from speakerid.gallery.sealing import VARIABLE, Seal
from speakerid.gallery.voiceprint import Voiceprint, check_numbers, to_bytes

LOCK_SECONDS = 15.0


class FolderStore(FolderReader):
    """Reads and writes the files. May be used by several threads and processes at once.

    A seal encrypts what is written and opens what is encrypted; other files are read as well.
    """

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

    def require_open(self) -> None:
        """Make sure that the passphrase opens every voiceprint; call it before changing anything.

        Raises:
            GalleryError: if not, naming them: to write on would leave a folder that no one passphrase opens.
        """
        contents = self._contents[1] if self._contents else self.read()
        closed = [damaged.file for damaged in contents.damaged if isinstance(damaged, Sealed)]
        if closed:
            raise GalleryError(
                f'Nothing can be changed in "{self.folder}", since the passphrase does not open '
                f"{named(closed)}: set {VARIABLE} to the one that opens everything, or move away what it "
                "does not open."
            )

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
            GalleryError: if consent is missing, numbers are unusable, or a file does not open with the
                passphrase; nothing is changed then.
        """
        self.require_open()
        for voiceprint in voiceprints:
            check_numbers(voiceprint)
        contents = {f"{voiceprint.id}{SUFFIX}": to_bytes(voiceprint) for voiceprint in voiceprints}
        contents.update(recordings or {})
        closed = ((file, self._seal.close(c) if self._seal else c) for file, c in contents.items())
        journal.commit(self.folder, closed, gone)

    def resealable(self, seal: Seal | None) -> list[str]:
        """The files that are to be encrypted with another seal, or with none; call it while holding the lock.

        Raises:
            GalleryError: naming those that cannot be read, or open with neither seal.
        """
        self.read()
        names = [n for n in os.listdir(self.folder) if n.endswith((SUFFIX, kept.SUFFIX)) and n[0] != "."]
        return resealable(self.folder, [*sorted(names), *self.set_aside()], self._seal, seal)

    def reseal(
        self, files: Sequence[str], seal: Seal | None, progress: Callable[[int, int], None] | None = None
    ) -> None:
        """Encrypt what `resealable` gave with another seal, or with none, all at once.

        Args:
            progress: called with how many files are written beside the old ones, and how many there are.

        Raises:
            GalleryError: if a file opens with neither seal; nothing was written then.
        """
        journal.commit(self.folder, resealed(self.folder, files, self._seal, seal, progress))
        self._seal = seal
