"""Keys to the REST API, in `api-keys.json` beside the voiceprints: names, roles and hashes, never the keys.

A key is 32 random bytes, so one SHA-256 of it is enough: there is nothing to guess.
"""

import hashlib
import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from speakerid.errors import GalleryError
from speakerid.gallery.consent import utc_now
from speakerid.gallery.files import folder_lock, replace_file
from speakerid.gallery.packed import clean_label

FILE = "api-keys.json"
Role = Literal["viewer", "operator", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "operator", "admin")
"""Each may do what those before it may."""


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
    """The keys of one folder of voiceprints; all raise GalleryError where their file cannot be used."""

    def __init__(self, folder: Path):
        self._path = folder / FILE
        self._read_at: tuple[int, int] | None = None
        self._keys: list[Key] = []

    def add(self, name: str, role: Role) -> str:
        """Make a key; it is told here and never again."""
        name = clean_label(name)
        if not name:
            raise GalleryError("A key needs a name: say who or what will use it.")
        text = "spk_" + secrets.token_urlsafe(32)
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with folder_lock(self._path.parent, 10.0):
            keys = self.all()
            if any(key.name == name for key in keys):
                raise GalleryError(f'There is a key called "{name}": revoke it, or take another name.')
            self._write([*keys, Key(name, role, _hash(text), utc_now())])
        return text

    def revoke(self, name: str) -> None:
        """Make a key worthless."""
        if not self.all():
            raise GalleryError("There are no keys: nothing was revoked.")
        with folder_lock(self._path.parent, 10.0):
            keys = self.all()
            left = [key for key in keys if key.name != name]
            if len(left) == len(keys):
                known = ", ".join(f'"{key.name}"' for key in keys)
                raise GalleryError(f'No key is called "{name}" (there is {known}): check the name.')
            self._write(left)

    def find(self, text: str) -> Key | None:
        """The key that this is, if it is one."""
        made = _hash(text)
        return next((key for key in self.all() if secrets.compare_digest(key.hash, made)), None)

    def all(self) -> list[Key]:
        """Every key, the oldest first; the file is read again only once it has changed."""
        try:
            stat = self._path.stat()
            if self._read_at != (stat.st_mtime_ns, stat.st_ino):
                rows = json.loads(self._path.read_bytes())
                self._keys = [Key(**row) for row in rows]
                if any(key.role not in ROLES for key in self._keys):
                    raise ValueError("no such role")
                self._read_at = (stat.st_mtime_ns, stat.st_ino)
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError, RecursionError) as error:
            raise GalleryError(
                f'The keys in "{self._path}" cannot be read: delete the file and make them anew.'
            ) from error
        return list(self._keys)

    def _write(self, keys: list[Key]) -> None:
        try:
            replace_file(self._path, json.dumps([asdict(key) for key in keys], indent=1).encode())
        except OSError as error:
            raise GalleryError(f'"{self._path}" cannot be written ({error.strerror}): make room.') from error


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()
