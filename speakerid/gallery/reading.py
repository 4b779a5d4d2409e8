"""What a store knows of the people in its database, brought up to date by what changed since."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import cached_property

import sqlalchemy as sql

from speakerid import settings
from speakerid.errors import GalleryError
from speakerid.gallery import rows
from speakerid.gallery.sealing import HEAD, Locked, Seal, WrongSeal, is_sealed
from speakerid.gallery.snapshot import SUFFIX, Damaged, Sealed, Snapshot, changed, damage, sort
from speakerid.gallery.voiceprint import Voiceprint, from_bytes

_CHANGED = "it was changed since it was encrypted"
Row = Voiceprint | Damaged


@dataclass(frozen=True, eq=False)
class People:
    """What was read up to a generation, with one seal.

    Attributes:
        rows: what each row holds, by its id.
        sealed: ids of the rows that are encrypted.
        before: what was known before, and the ids of what changed since; None where all was read.
    """

    place: str
    seal: Seal | None
    generation: int = 0
    rows: dict[str, Row] = field(default_factory=dict)
    sealed: frozenset[str] = frozenset()
    before: tuple[Snapshot, dict[str, Row | None]] | None = None

    @cached_property
    def snapshot(self) -> Snapshot:
        """People and what is damaged.

        Raises:
            Locked: the seal opens none of what is encrypted.
        """
        made = changed(*self.before, self.rows) if self.before else None
        object.__setattr__(self, "before", None)  # let go of who was removed
        if made is not None:
            return made
        judged = {one: _judged(row, self.seal) for one, row in self.rows.items()}
        if self.sealed and all(isinstance(judged[one], Sealed) for one in self.sealed):
            raise Locked(
                f'The passphrase does not open the voiceprints in "{self.place}": '
                f"check {settings.PASSPHRASE}."
            )
        return sort(judged.values())

    @property
    def known(self) -> Snapshot | None:
        """The snapshot, if somebody asked for them already."""
        return self.__dict__.get("snapshot")

    @property
    def proven(self) -> bool:
        """Whether the seal has opened anything."""
        return any(isinstance(self.rows[one], Voiceprint) for one in self.sealed)

    def in_clear(self) -> list[str]:
        """The voiceprints that are not encrypted though there is a seal."""
        return [
            f"{one}{SUFFIX}"
            for one, row in self.rows.items()
            if self.seal and isinstance(row, Voiceprint) and one not in self.sealed
        ]

    def up_to_date(self, connection: sql.Connection) -> "People":
        """These, with what has changed since.

        Raises:
            Locked: something is encrypted, and there is no seal.
        """
        now = rows.generation(connection)
        if now == self.generation:
            return self
        if now < self.generation:  # another database is in its place, such as a backup
            return People(self.place, self.seal).up_to_date(connection)
        there, sealed = dict(self.rows), set(self.sealed)
        were: dict[str, Row | None] = {}
        for one in rows.removed_since(connection, self.generation) if self.generation else ():
            were[one] = there.pop(one, None)
            sealed.discard(one)
        for one, content in rows.written_since(connection, self.generation):
            were.setdefault(one, self.rows.get(one))
            there[one] = self._opened(one, content)
            (sealed.add if is_sealed(content) else sealed.discard)(one)
        before = (self.known, were) if self.known else None
        return People(self.place, self.seal, now, there, frozenset(sealed), before)

    def _opened(self, one: str, content: bytes) -> Row:
        sealed = is_sealed(content)
        if sealed and self.seal is None:
            raise Locked(
                f'The voiceprints in "{self.place}" are encrypted: '
                f"set {settings.PASSPHRASE} to their passphrase."
            )
        try:
            return from_bytes(self.seal.open(content) if self.seal and sealed else content, one)
        except GalleryError as error:
            return damage(f"{one}{SUFFIX}", error, content[:HEAD])


def opened(content: bytes, seal: Seal | None) -> bytes:
    """What a row holds, unsealed.

    Raises:
        WrongSeal: it is encrypted and the passphrase is missing or another one.
        GalleryError: it was changed since it was encrypted.
    """
    if not is_sealed(content):
        return content
    if seal is None:
        raise WrongSeal(f"it is encrypted: set {settings.PASSPHRASE} to its passphrase")
    try:
        return seal.open(content)
    except WrongSeal as error:
        if seal.made(content):
            raise GalleryError(_CHANGED) from error
        raise


def _judged(row: Row, seal: Seal | None) -> Row:
    """What does not open although it was sealed with this passphrase is damaged, for certain."""
    if isinstance(row, Sealed) and seal and seal.made(row.head):
        return Damaged(row.file, _CHANGED)
    return row


Revision = tuple[Hashable, int]
"""What the database said before a look, and the generation found then."""
