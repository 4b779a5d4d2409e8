"""Where voiceprints are kept, as the rest of the gallery sees it, and which of them a place calls for."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from speakerid.errors import GalleryError
from speakerid.gallery.contents import Contents
from speakerid.gallery.database import Database, PostgresDatabase, SqliteDatabase
from speakerid.gallery.sealing import Seal
from speakerid.gallery.sqlstore import LOCK_SECONDS, SqlStore
from speakerid.gallery.voiceprint import Voiceprint
from speakerid.places import is_address


class Store(Protocol):
    """People, kept recordings, kept sessions and the audit log in one place. Used by several threads and
    processes at once.

    Recordings are known by the names that they have in an exported file (`recordings.file_of`), parts of
    sessions by names of the same kind (`kept_session.file_of`).
    """

    @property
    def place(self) -> str: ...
    @property
    def folder(self) -> Path | None: ...
    @property
    def database(self) -> Database: ...
    @property
    def seal(self) -> Seal | None: ...
    def revision(self) -> Hashable: ...
    def read(self) -> Contents: ...
    def recordings(self, owner: str | None = None) -> dict[str, list[str]]: ...
    def sessions(self, session: str | None = None) -> dict[str, list[str]]: ...
    def recording_bytes(self, file: str) -> bytes: ...
    def raw(self, file: str) -> bytes: ...
    def audit(self) -> list[dict]: ...
    def locked(self, timeout: float = LOCK_SECONDS) -> AbstractContextManager[None]: ...
    def write(
        self,
        voiceprints: Sequence[Voiceprint] = (),
        recordings: Mapping[str, bytes] | None = None,
        gone: Sequence[str] = (),
        line: Mapping[str, object] | None = None,
    ) -> None: ...
    def make_room(self) -> bool: ...
    def files_of(self, person: Voiceprint) -> list[str]: ...
    def require_open(self) -> None: ...
    def in_clear(self) -> list[str]: ...
    def is_sealed(self) -> bool: ...
    def unlock(self, seal: Seal) -> None: ...
    def reseal(
        self,
        seal: Seal | None,
        line: Mapping[str, object],
        progress: Callable[[int, int], None] | None = None,
    ) -> None: ...
    def use_seal(self, seal: Seal | None) -> None: ...
    def write_raw(
        self,
        contents: Mapping[str, bytes],
        gone: Sequence[str] = (),
        line: Mapping[str, object] | None = None,
    ) -> None: ...
    def close(self) -> None: ...


def open_store(place: str | Path, seal: Seal | None = None) -> SqlStore:
    """The store of a place; nothing is made yet where there is none.

    Args:
        place: a folder, or an address "postgresql://USER:PASSWORD@HOST:PORT/NAME".

    Raises:
        GalleryError: the address cannot be read, or a package for it is missing.
    """
    if is_address(place):
        return SqlStore(PostgresDatabase(str(place)), seal)
    if isinstance(place, str) and "://" in place:
        raise GalleryError(
            f'"{place.split("://")[0]}" is no kind of database for voiceprints: give a folder, or '
            "postgresql://USER:PASSWORD@HOST/NAME."
        )
    folder = Path(place).expanduser()
    return SqlStore(SqliteDatabase(folder), seal, folder)
