"""Keys to the REST API, beside the voiceprints in their database: names, roles and hashes, never the keys.

A key is 32 random bytes, so one SHA-256 of it is enough: there is nothing to guess.
"""

import hashlib
import secrets
from dataclasses import dataclass

import sqlalchemy as sql

from speakerid.errors import GalleryError
from speakerid.gallery import schema
from speakerid.gallery.consent import utc_now
from speakerid.gallery.database import LOCK_SECONDS
from speakerid.gallery.serialization import clean_label
from speakerid.gallery.store import Store
from speakerid.roles import Role


@dataclass(frozen=True)
class Key:
    """A key as it is stored.

    Attributes:
        name: of whoever uses it; the audit log shows it.
        hash: SHA-256 of the key, hexadecimal.
    """

    name: str
    role: Role
    hash: str
    created: str


class Keys:
    """The keys of one gallery; all of this raises GalleryError where the database cannot be used."""

    def __init__(self, store: Store):
        self._store = store

    def add(self, name: str, role: Role) -> str:
        """Make a key; it is told here and never again."""
        name = clean_label(name)
        if not name:
            raise GalleryError("A key needs a name: say who or what will use it.")
        text = "spk_" + secrets.token_urlsafe(32)
        row = {"name": name, "role": role, "hash": _hash(text), "created": utc_now()}
        with self._store.database.writing(LOCK_SECONDS) as connection:
            if connection.scalar(sql.select(schema.keys.c.name).where(schema.keys.c.name == name)):
                raise GalleryError(f'There is a key called "{name}": revoke it, or take another name.')
            connection.execute(sql.insert(schema.keys).values(row))
        return text

    def revoke(self, name: str) -> None:
        """Make a key worthless."""
        known = ", ".join(f'"{key.name}"' for key in self.all())
        if not known:
            raise GalleryError("There are no keys: nothing was revoked.")
        with self._store.database.writing(LOCK_SECONDS) as connection:
            gone = connection.execute(sql.delete(schema.keys).where(schema.keys.c.name == name))
            if not gone.rowcount:
                raise GalleryError(f'No key is called "{name}" (there is {known}): check the name.')

    def find(self, text: str) -> Key | None:
        """The key that this is, if it is one."""
        made = _hash(text)
        return next((key for key in self.all() if secrets.compare_digest(key.hash, made)), None)

    def all(self) -> list[Key]:
        """Every key, the oldest first."""
        database, columns = self._store.database, schema.keys.c
        if not database.exists():
            return []
        query = sql.select(columns.name, columns.role, columns.hash, columns.created).order_by(columns.number)
        with database.reading() as connection:
            return [Key(*row) for row in connection.execute(query)]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()
