"""The store of a place: SQLite in a folder, or PostgreSQL by its address."""

from pathlib import Path

from speakerid.errors import GalleryError
from speakerid.gallery.postgres import PostgresDatabase
from speakerid.gallery.sealing import Seal
from speakerid.gallery.sqlite import SqliteDatabase
from speakerid.gallery.store import Store
from speakerid.places import is_address


def open_store(place: str | Path, seal: Seal | None = None) -> Store:
    """The store of a place; nothing is made yet where there is none.

    Args:
        place: a folder, or an address "postgresql://USER:PASSWORD@HOST:PORT/NAME".

    Raises:
        GalleryError: the address cannot be read, or a package for it is missing.
    """
    if is_address(place):
        return Store(PostgresDatabase(str(place)), seal)
    if isinstance(place, str) and "://" in place:
        raise GalleryError(
            f'"{place.split("://")[0]}" is no kind of database for voiceprints: give a folder, or '
            "postgresql://USER:PASSWORD@HOST/NAME."
        )
    folder = Path(place).expanduser()
    return Store(SqliteDatabase(folder), seal, folder)
