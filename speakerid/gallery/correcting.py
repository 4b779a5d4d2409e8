"""One exemplar that is somebody else's, or nobody's: moved to them, or removed."""

from typing import TYPE_CHECKING

from speakerid.errors import GalleryError
from speakerid.gallery import kept_recording as kept
from speakerid.gallery.editing import check_pair, deleting, keeping, moved_recordings, with_exemplars
from speakerid.gallery.exemplars import Exemplars, exemplars_of
from speakerid.gallery.labels import Names, neutral_labels, relabeled
from speakerid.gallery.snapshot import require
from speakerid.gallery.voiceprint import MAX_EXEMPLARS, Voiceprint

if TYPE_CHECKING:
    from speakerid.gallery.gallery import Gallery


def move_exemplar(gallery: "Gallery", name: str, index: int, to: str) -> None:
    """Give one exemplar, by its row in `Voiceprint.embeddings`, to somebody else.

    The kept recording that it was made from goes along if no other exemplar of this person is from it.

    Raises:
        GalleryError: somebody is not enrolled, they are the same or made by different models, there is no
            such exemplar, it is the last one, the other has MAX_EXEMPLARS, or the folder cannot be
            written.
    """
    with gallery.store.locked():
        snapshot = gallery.store.read()
        source, target = require(snapshot, name), require(snapshot, to)
        check_pair(source, target)
        if source is target:
            raise GalleryError(f'This exemplar is already one of "{target.name}": name somebody else.')
        if len(target.embeddings) >= MAX_EXEMPLARS:
            raise GalleryError(
                f'"{target.name}" has {MAX_EXEMPLARS} exemplars, as many as there may be: '
                "remove one of them first."
            )
        left, taken, files = _split(gallery, source, index)
        moved = moved_recordings(gallery, source, target, files)
        given = with_exemplars(target, exemplars_of(target).join(taken))
        given = keeping(given, given.consent.keep_recordings or bool(moved))
        # The labels may name who it was taken for, and would when that person is long deleted.
        heard = {file: kept.label_of(content) for file, content in moved.items()}
        new = {*taken.sources, *heard.values()}
        labels = neutral_labels(given, Names([source.name]), heard.values())
        labels = {label: neutral for label, neutral in labels.items() if label in new}
        given = relabeled(given, labels)
        moved |= {
            file: kept.relabel(moved[file], labels[label]) for file, label in heard.items() if label in labels
        }
        gallery.commit("move-exemplar", [source.id, target.id], [left, given], moved, files)


@deleting
def remove_exemplar(gallery: "Gallery", name: str, index: int) -> None:
    """Delete one exemplar, by its row in `Voiceprint.embeddings`.

    The kept recording that it was made from is deleted too if no other exemplar is from it.

    Raises:
        GalleryError: nobody of that name is enrolled, there is no such exemplar, it is the last one, or
            the folder cannot be written.
    """
    with gallery.store.locked():
        person = require(gallery.store.read(), name)
        left, _, files = _split(gallery, person, index)
        gallery.commit("remove-exemplar", [person.id], [left], gone=files)


def _split(gallery: "Gallery", person: Voiceprint, index: int) -> tuple[Voiceprint, Exemplars, list[str]]:
    """The person without an exemplar; the exemplar; the files of recordings that only it is from."""
    rows = list(range(len(person.embeddings)))
    if index not in rows:
        raise GalleryError(
            f'"{person.name}" has no exemplar number {index + 1}: choose from 1 to {len(rows)}.'
        )
    if len(rows) == 1:
        raise GalleryError(
            f'This is the only exemplar of "{person.name}": remove or merge the person instead.'
        )
    rows.remove(index)
    pool = exemplars_of(person)
    left, taken = pool.pick(rows), pool.pick([index])
    still = {one for ids in left.recordings for one in ids.split()}
    alone = {kept.file_of(person.id, one) for one in taken.recordings[0].split() if one not in still}
    there = gallery.store.recordings_of(person.id)
    files = [file for file in there if file in alone]
    return keeping(with_exemplars(person, left), len(there) > len(files)), taken, files
