"""Who leaves the gallery leaves kept sessions too; who becomes one with somebody else speaks as they do."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from speakerid.errors import GalleryError
from speakerid.gallery.kept_session import file_of, sound_to_bytes, to_bytes
from speakerid.gallery.labels import Names
from speakerid.gallery.sealing import WrongSeal
from speakerid.gallery.sessions import piece, read_all, read_one
from speakerid.gallery.silencing import silenced, without
from speakerid.gallery.voiceprint import Newer

if TYPE_CHECKING:
    from speakerid.gallery.gallery import Gallery


def forget(gallery: "Gallery", people: Collection[str], names: Iterable[str]) -> None:
    """Leave nothing of these people (ids, and their names): call it in the transaction that removes them.

    A session that is too damaged to tell who is heard in it is deleted.

    Raises:
        GalleryError: the gallery cannot be read or written.
    """
    named = Names(names)
    for identifier, files in gallery.store.sessions().items():
        try:
            session = read_one(gallery.store, identifier)
        except (WrongSeal, Newer):
            continue
        except GalleryError:
            gallery.store.write_raw({}, files)
            continue
        left, silent = without(session, people)
        if named.is_in(left.title, ""):
            left = replace(left, title=f"Session of {left.kept_at[:10]}")
        left = replace(left, warnings=tuple(one for one in left.warnings if not named.is_in(one, "")))
        if left == session:
            continue
        contents = {file_of(identifier): to_bytes(left)}
        gone: list[str] = []
        for number, one in enumerate(session.sound, 1):
            if not any(start < one.end and one.start < end for start, end in silent):
                continue
            try:
                samples = piece(gallery, identifier, number)
                contents[file_of(identifier, number)] = sound_to_bytes(silenced(samples, one, silent))
            except GalleryError:  # what cannot be read cannot be silenced
                gone.append(file_of(identifier, number))
        gallery.store.write((), contents, gone)


def reassign(gallery: "Gallery", person: str, to: str) -> None:
    """Two people are one: turns of `person` (id) are those of `to` (id); call it in that transaction."""
    for session in read_all(gallery.store).sessions:
        if any(voice.person == person for voice in session.voices):
            voices = tuple(replace(v, person=to) if v.person == person else v for v in session.voices)
            gallery.store.write((), {file_of(session.id): to_bytes(replace(session, voices=voices))})
