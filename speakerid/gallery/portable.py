"""People in one file, to move them to another computer or keep them safe.

The file is a zip archive (stored, not compressed); encrypted as a whole, as `speakerid.gallery.sealing`
describes, where a passphrase was given. Its members are

    N.safetensors           a voiceprint, as `speakerid.gallery.voiceprint` describes; N counts from 0
    N.RECORDING.recording   a kept recording of person N, as `speakerid.gallery.kept_recording` describes

Member names are never used as paths.
"""

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from speakerid.errors import GalleryError
from speakerid.gallery import kept_recording as kept
from speakerid.gallery.files import clear_leftovers, replace_file
from speakerid.gallery.sealing import Seal, WrongSeal, is_sealed
from speakerid.gallery.snapshot import SUFFIX
from speakerid.gallery.voiceprint import MAX_FILE_BYTES, Voiceprint, from_bytes, to_bytes

MAX_BYTES = 1_000_000_000  # more than a hundred thousand people, or eight hours of kept recordings
MAX_MEMBERS = 500_000
_ENTRY = b"PK\x01\x02"  # before each member in the directory of a zip archive
_PERSON = re.compile(r"([0-9]{1,9})" + re.escape(SUFFIX))


@dataclass(frozen=True)
class Portable:
    """A person with the contents of the kept recordings, by their ids."""

    voiceprint: Voiceprint
    recordings: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Imported:
    """What came of an import.

    Attributes:
        added: the names of those who were added.
        refused: who was not and why, by name or, where the name cannot be read, by member of the file.
        can_reembed: names of those who were refused for their model only, and whose recordings are in the
            file: import again and let the model in use make them anew.
    """

    added: list[str]
    refused: dict[str, str]
    can_reembed: list[str] = field(default_factory=list)


def require_somebody(people: Sequence[object]) -> None:
    """Make sure that there is somebody to export.

    Raises:
        GalleryError: if not.
    """
    if not people:
        raise GalleryError("Nobody is enrolled, so there is nothing to export: enroll a person first.")


def packed_people(people: Sequence[Portable], seal: Seal | None) -> bytes:
    """What is in a file of people.

    Raises:
        GalleryError: if there is nobody, or it would be larger than MAX_BYTES.
    """
    require_somebody(people)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for index, person in enumerate(people):
            file.writestr(f"{index}{SUFFIX}", to_bytes(person.voiceprint))
            for recording, content in person.recordings.items():
                file.writestr(kept.file_of(str(index), recording), content)
            if archive.tell() > MAX_BYTES:
                raise GalleryError(
                    f"The file would be larger than {MAX_BYTES // 1_000_000_000} GB: export fewer people at "
                    "once, or leave the recordings out."
                )
    content = archive.getvalue()
    return seal.close(content) if seal else content


def write_people(path: Path, people: Sequence[Portable], seal: Seal | None) -> None:
    """Write people to a file, whole or not at all.

    Raises:
        GalleryError: as for `packed_people`, or if the file cannot be written.
    """
    content = packed_people(people, seal)
    try:
        clear_leftovers(path)
        replace_file(path, content)
    except OSError as error:
        why = error.strerror or str(error)
        raise GalleryError(
            f'"{path}" cannot be written ({why}): choose another place, or make room.'
        ) from error


def read_people(source: str | Path | bytes, seal: Seal | None) -> tuple[list[Portable], dict[str, str]]:
    """The people in a file, and which of its members are damaged, with the reason.

    Args:
        source: the path of the file, or what is in it.

    Raises:
        GalleryError: if the file cannot be read as a whole.
    """
    named = "The file" if isinstance(source, bytes) else f'"{source}"'
    content = _read(source, named, seal)
    people: dict[str, Portable] = {}
    damaged: dict[str, str] = {}
    too_much = GalleryError(
        f"{named} holds too much, or one thing many times: it is not a file of exported people."
    )
    if content.count(_ENTRY) > MAX_MEMBERS:  # counted before each of them takes memory
        raise too_much
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            members = file.infolist()
            apart = len({member.header_offset for member in members}) == len(members)
            if not apart or sum(m.file_size for m in members) > len(content):
                raise too_much
            for member in sorted(members, key=lambda member: not _PERSON.fullmatch(member.filename)):
                try:
                    _take(file, member, people)
                except (GalleryError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
                    damaged[member.filename] = str(error)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, OSError) as error:
        raise GalleryError(f"{named} is not a file of exported people, or it is damaged.") from error
    return list(people.values()), damaged


def _take(file: zipfile.ZipFile, member: zipfile.ZipInfo, people: dict[str, Portable]) -> None:
    """Add a member to the people; those come first."""
    person, recording = _PERSON.fullmatch(member.filename), kept.ids_of(member.filename)
    if member.compress_type != zipfile.ZIP_STORED or not (person or recording):
        raise GalleryError("it is nothing that an export holds")
    if member.file_size > (MAX_FILE_BYTES if person else kept.MAX_FILE_BYTES):
        raise GalleryError("it is too large for what it should be")
    content = file.read(member)
    if person:
        if person[1] in people:
            raise GalleryError("there are two of this name in the file")
        people[person[1]] = Portable(from_bytes(content, ""))
    elif recording:
        kept.check(content)
        owner = people.get(recording[0])
        if owner is None:
            raise GalleryError("the person whom it belongs to is missing or damaged")
        if len(owner.recordings) >= kept.MAX_RECORDINGS:
            raise GalleryError(f"its person has more than {kept.MAX_RECORDINGS} recordings")
        owner.recordings[recording[1]] = content


def _read(source: str | Path | bytes, named: str, seal: Seal | None) -> bytes:
    try:
        size = len(source) if isinstance(source, bytes) else Path(source).stat().st_size
        if size > MAX_BYTES * 1.1:
            raise GalleryError(f"{named} is too large: it is not a file of exported people.")
        content = source if isinstance(source, bytes) else Path(source).read_bytes()
    except OSError as error:
        why = error.strerror or str(error)
        raise GalleryError(f"{named} cannot be read ({why}): check the name and the folder.") from error
    if not is_sealed(content):
        return content
    if seal is None:
        raise GalleryError(f"{named} is encrypted: give the passphrase it was exported with.")
    try:
        return seal.open(content)
    except WrongSeal as error:
        opened = "the file" if isinstance(source, bytes) else named
        raise GalleryError(f"The passphrase does not open {opened}, or it was changed.") from error
