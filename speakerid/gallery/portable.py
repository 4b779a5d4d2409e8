"""People in one file, to move them to another computer or keep them safe.

The file is a zip archive (stored, not compressed) with one voiceprint a member, in the form that
`speakerid.gallery.voiceprint` describes, called 0.safetensors, 1.safetensors …; encrypted as a whole, as
`speakerid.gallery.sealing` describes, where a passphrase was given. Member names are never used as paths.
"""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from speakerid.errors import GalleryError
from speakerid.gallery.files import replace_file
from speakerid.gallery.sealing import Seal, WrongSeal, is_sealed
from speakerid.gallery.store import MAX_FILE_BYTES
from speakerid.gallery.voiceprint import Voiceprint, from_bytes, to_bytes

MAX_BYTES = 1_000_000_000  # more than a hundred thousand people


@dataclass(frozen=True)
class Imported:
    """What came of an import: the names that were added, and who was refused and why, by name or member."""

    added: list[str]
    refused: dict[str, str]


def write_people(path: Path, people: Sequence[Voiceprint], seal: Seal | None) -> None:
    """Write people to a file, whole or not at all.

    Raises:
        GalleryError: if there is nobody, or the file cannot be written.
    """
    if not people:
        raise GalleryError("Nobody is enrolled, so there is nothing to export: enroll a person first.")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for index, person in enumerate(people):
            file.writestr(f"{index}.safetensors", to_bytes(person))
    content = archive.getvalue()
    try:
        replace_file(path, seal.close(content) if seal else content)
    except OSError as error:
        why = error.strerror or str(error)
        raise GalleryError(
            f'"{path}" cannot be written ({why}): choose another place, or make room.'
        ) from error


def read_people(path: Path, seal: Seal | None) -> tuple[list[Voiceprint], dict[str, str]]:
    """The people in a file, and which of its members are damaged, with the reason.

    Raises:
        GalleryError: if the file cannot be read as a whole.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise GalleryError(f'"{path}" is too large: it is not a file of exported people.')
        content = path.read_bytes()
    except OSError as error:
        why = error.strerror or str(error)
        raise GalleryError(f'"{path}" cannot be read ({why}): check the name and the folder.') from error
    if is_sealed(content):
        if seal is None:
            raise GalleryError(f'"{path}" is encrypted: give the passphrase it was exported with.')
        try:
            content = seal.open(content)
        except WrongSeal as error:
            raise GalleryError(f'The passphrase does not open "{path}", or the file was changed.') from error
    people: list[Voiceprint] = []
    damaged: dict[str, str] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            for member in file.infolist():
                try:
                    if member.file_size > MAX_FILE_BYTES:
                        raise GalleryError("it is too large for a voiceprint")
                    people.append(from_bytes(file.read(member), ""))
                except (GalleryError, zipfile.BadZipFile) as error:
                    damaged[member.filename] = str(error)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise GalleryError(f'"{path}" is not a file of exported people, or it is damaged.') from error
    return people, damaged
