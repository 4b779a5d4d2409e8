"""The people that a live listener compares with, brought up to date by whoever calls `look`."""

import time
from collections.abc import Hashable
from typing import TYPE_CHECKING

from speakerid.errors import SpeakerIdError

if TYPE_CHECKING:
    from speakerid.gallery import Gallery, Voiceprint

LOOK_SECONDS = 0.4  # how often to look whether the gallery changed: what one process enrolls all name in 1 s


class Watch:
    """What a Listener takes for its gallery: the people last read, so that listening never waits for a
    database, and goes on while that cannot be reached.

    Attributes:
        trouble: why the gallery cannot be read at the moment; "" while it can.

    Raises:
        GalleryError: it cannot be read at the beginning.
    """

    def __init__(self, gallery: "Gallery"):
        self._gallery = gallery
        self._revision: Hashable = gallery.revision()
        self._people: list[Voiceprint] = gallery.speakers()
        self._looked_at = time.monotonic()
        self.trouble = ""

    def speakers(self) -> "list[Voiceprint]":
        """Everybody, as last read."""
        return self._people

    def look(self) -> bool:
        """Look, at most every LOOK_SECONDS; whether somebody was enrolled, changed or removed, so that the
        Listener has to `reload`."""
        if time.monotonic() - self._looked_at < LOOK_SECONDS:
            return False
        self._looked_at = time.monotonic()
        try:
            revision = self._gallery.revision()
            changed = revision != self._revision
            if changed:
                self._people, self._revision = self._gallery.speakers(), revision
            self.trouble = ""
        except SpeakerIdError as error:
            self.trouble = f"{error} Until then it goes on with the people it knew before."
            return False
        return changed
