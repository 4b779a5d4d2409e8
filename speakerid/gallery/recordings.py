"""The recordings that people let us keep, over a gallery; their form is in kept_recording.py."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from speakerid.errors import GalleryError
from speakerid.gallery import kept_recording as kept
from speakerid.gallery.kept_recording import KeptRecording
from speakerid.gallery.snapshot import require
from speakerid.gallery.voiceprint import Voiceprint

if TYPE_CHECKING:
    from speakerid.gallery.gallery import Gallery


def recordings(gallery: "Gallery", name: str) -> list[KeptRecording]:
    """The kept recordings of a person, oldest first.

    Raises:
        GalleryError: if nobody of that name is enrolled, or a recording cannot be used, saying which.
    """
    person = require(gallery.store.read(), name)
    files = gallery.store.recordings_of(person.id)
    return sorted((_recording(gallery, file) for file in files), key=lambda recording: recording.kept_at)


def recording_counts(gallery: "Gallery") -> dict[str, int]:
    """How many recordings are kept, by the id of the voiceprint; who has none is not in it."""
    return {owner: len(files) for owner, files in gallery.store.recordings().items()}


def recordings_of(gallery: "Gallery", person: Voiceprint) -> dict[str, bytes]:
    """Contents of a person's recordings by their ids."""
    found: dict[str, bytes] = {}
    for file in gallery.store.recordings_of(person.id):
        if ids := kept.ids_of(file):
            with _named(file):
                found[ids[1]] = gallery.store.recording_bytes(file)
    return found


def _recording(gallery: "Gallery", file: str) -> KeptRecording:
    ids = kept.ids_of(file)
    with _named(file):
        return kept.from_bytes(gallery.store.recording_bytes(file), ids[1] if ids else "")


@contextmanager
def _named(file: str) -> Iterator[None]:
    try:
        yield
    except GalleryError as error:
        raise GalleryError(
            f'The recording "{file}" cannot be used, because {error}: "speakerid doctor --repair" moves it '
            "away."
        ) from error
