"""What a folder of voiceprints holds at one moment: people, and files that cannot be used."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from speakerid.errors import GalleryError
from speakerid.gallery.names import name_key, nearest_names
from speakerid.gallery.sealing import WrongSeal
from speakerid.gallery.voiceprint import Newer, Voiceprint

SUFFIX = ".safetensors"
"""Ending of the file of a voiceprint."""

_NAMED = 3  # files in a message

# A name as it stands in the JSON inside the JSON of a file's header.
_NAME = re.compile(rb'\\"name\\": (\\".*?[^\\]\\")', re.DOTALL)


@dataclass(frozen=True)
class Damaged:
    """A file that cannot be used, and why. It stays where it is until a person deals with it."""

    file: str
    reason: str


@dataclass(frozen=True)
class Sealed(Damaged):
    """A file that is encrypted and does not open; its first bytes tell whether it was ever sealed with a
    passphrase (`Seal.made`)."""

    head: bytes = b""


class FromNewer(Damaged):
    """A file of a newer version of this program; nothing is wrong with it."""


class Double(Damaged):
    """A whole file of a person of whom there is a newer one."""


def damage(file: str, error: GalleryError, head: bytes = b"") -> Damaged:
    """What a file is that cannot be used, by the error that says why.

    Args:
        head: its first bytes, as it is stored.
    """
    if isinstance(error, WrongSeal):
        return Sealed(file, str(error), head)
    return (FromNewer if isinstance(error, Newer) else Damaged)(file, str(error))


@dataclass(frozen=True)
class Snapshot:
    """What a folder holds at one moment: the people by name key, in order, and the unusable files."""

    people: dict[str, Voiceprint]
    damaged: tuple[Damaged, ...]

    def find(self, name: str) -> Voiceprint | None:
        """The person of that name, whatever its case; None if there is none."""
        return self.people.get(name_key(name))


def require(snapshot: Snapshot, name: str) -> Voiceprint:
    """The person of that name.

    Raises:
        GalleryError: if there is none, saying who there is, the most like it first.
    """
    person = snapshot.find(name)
    if person is None:
        if not snapshot.people:
            raise GalleryError(
                f'Nobody called "{name}" is enrolled, nor anybody else: enroll a person first.'
            )
        known = [f'"{one}"' for one in nearest_names(name, [p.name for p in snapshot.people.values()])]
        if len(snapshot.people) > len(known):
            known.append(f"{len(snapshot.people) - len(known):,} more")
        raise GalleryError(
            f'Nobody called "{name}" is enrolled (there is {", ".join(known)}): check the name.'
        )
    return person


def sort(rows: Iterable[Voiceprint | Damaged]) -> Snapshot:
    """People by name. Of two files with one name (copied by hand) the one updated last counts."""
    rows = list(rows)
    damaged = [row for row in rows if isinstance(row, Damaged)]
    people: dict[str, Voiceprint] = {}
    voiceprints = [row for row in rows if isinstance(row, Voiceprint)]
    for voiceprint in sorted(voiceprints, key=lambda v: (v.updated, v.id), reverse=True):
        kept = people.setdefault(name_key(voiceprint.name), voiceprint)
        if kept is not voiceprint:
            reason = f"it holds the same name as {kept.id}{SUFFIX}, which is newer; delete one of the two"
            damaged.append(Double(f"{voiceprint.id}{SUFFIX}", reason))
    return Snapshot(dict(sorted(people.items())), tuple(sorted(damaged, key=lambda d: d.file)))


def changed(
    before: Snapshot, were: Mapping[str, Voiceprint | Damaged | None], now: Mapping[str, Voiceprint | Damaged]
) -> Snapshot | None:
    """What `sort` makes of all rows, by way of those that changed: among many, that is far less work.

    Args:
        were: by id, what the rows that changed held before; None for new ones.
        now: all rows, by id.

    Returns:
        None where rows have to be compared with others: names that two of them have, what is sealed.
    """
    if any(isinstance(damaged, Sealed | Double) for damaged in before.damaged):
        return None
    people = dict(before.people)
    damaged = {one.file: one for one in before.damaged}
    for was in were.values():
        if isinstance(was, Voiceprint):
            people.pop(name_key(was.name), None)
        elif was:
            damaged.pop(was.file, None)
    for row in (now[one] for one in were if one in now):
        if isinstance(row, Sealed):
            return None
        if isinstance(row, Damaged):
            damaged[row.file] = row
        elif people.setdefault(name_key(row.name), row) is not row:
            return None
    return Snapshot(dict(sorted(people.items())), tuple(sorted(damaged.values(), key=lambda d: d.file)))


def shows_name(content: bytes, name: str) -> bool:
    """Whether the name of this person can be read in a voiceprint's file, though it be damaged."""
    for found in _NAME.findall(content):
        try:
            read = json.loads(json.loads(b'"' + found + b'"'))
        except ValueError:
            continue
        if isinstance(read, str) and name_key(read) == name_key(name):
            return True
    return False


def named(files: Sequence[str]) -> str:
    """The files as part of a sentence; the first few where there are many."""
    shown = [f'"{file}"' for file in files[:_NAMED]]
    if len(files) > _NAMED:
        shown.append(f"{len(files) - _NAMED} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
