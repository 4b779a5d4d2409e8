"""A live listener learns of changes in the gallery that it compares with."""

import time
from collections.abc import Hashable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from speakerid.gallery import Gallery
    from speakerid.identify.listener import Listener
    from speakerid.identify.session import Session

LOOK_SECONDS = 1.0  # how often to look whether the gallery changed


class Watch:
    """Tells the listener when somebody was enrolled, renamed or removed meanwhile.

    Raises:
        GalleryError: the folder cannot be read; by `look` too.
    """

    def __init__(self, gallery: "Gallery", listener: "Listener | Session"):
        self._gallery, self._listener = gallery, listener
        self._revision: Hashable = gallery.revision()
        self._looked_at = time.monotonic()

    def look(self) -> None:
        """Look, at most every LOOK_SECONDS."""
        if time.monotonic() - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = time.monotonic()
        revision = self._gallery.revision()
        if revision != self._revision:
            self._revision = revision
            self._listener.reload()
