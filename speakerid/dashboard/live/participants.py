"""Who takes part in a live session: the people of a gallery, less those left out or of another model."""

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from speakerid.gallery import Gallery, Voiceprint


class Participants:
    """The gallery that a session's Listener compares with: `speakers()` are those who take part.

    Args:
        gallery: where they are enrolled.
        changed: called when others take part now.

    Raises:
        GalleryError: the folder of voiceprints cannot be read.
    """

    def __init__(self, gallery: "Gallery", changed: Callable[[], None]):
        self.gallery = gallery
        self._changed = changed
        self._revision = gallery.revision()
        self._people: list[Voiceprint] = list(gallery.speakers())
        self._left_out: WeakKeyDictionary[Gallery, frozenset[str]] = WeakKeyDictionary()
        self._model: str | None = None  # id of the encoder, once it is loaded

    def everybody(self) -> "Sequence[Voiceprint]":
        """All enrolled people, by name."""
        return self._people

    def speakers(self) -> "list[Voiceprint]":
        """The enrolled people who take part, by name."""
        return [
            person
            for person in self._people
            if person.name not in self.left_out and self._model in (None, person.model)
        ]

    @property
    def left_out(self) -> frozenset[str]:
        """Names of people who are to take no part."""
        return self._left_out.get(self.gallery, frozenset())

    def other_model(self) -> list[str]:
        """Names of people whose voiceprints another model made, so that they cannot be recognized now."""
        return [person.name for person in self._people if self._model not in (None, person.model)]

    def leave_out(self, names: Collection[str]) -> None:
        """Let these people take no part."""
        if frozenset(names) != self.left_out:
            self._left_out[self.gallery] = frozenset(names)
            self._changed()

    def compare_by(self, model: str) -> None:
        """The id of the model that makes the embeddings to compare."""
        if self._model != model:
            self._model = model
            self._changed()

    def use(self, gallery: "Gallery") -> None:
        """Compare with the people of this gallery, but for those who were left out of it before."""
        if gallery is not self.gallery:
            self.gallery, self._revision = gallery, gallery.revision()
            self._people = list(gallery.speakers())
            self._changed()

    def refresh(self) -> None:
        """Take in what has changed in the gallery's folder, if anything has.

        Raises:
            GalleryError: the folder cannot be read.
        """
        revision = self.gallery.revision()
        if revision != self._revision:
            self._revision, self._people = revision, list(self.gallery.speakers())
            self._changed()
