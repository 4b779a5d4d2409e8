"""The demo's synthetic people, enrolled beside the visitors' own: nobody's own voiceprints are touched."""

import hashlib
import shutil
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from speakerid.model import Encoder

_SINCE = "2026-01-01T00:00:00+00:00"
_lock = threading.Lock()
_made: dict[str, tempfile.TemporaryDirectory] = {}


class DemoPeople:
    """One visitor's demo: the same people with the same looks each time, and the strangers named in it.

    Attributes:
        gallery: with the demo's people in it; its folder goes with this object.

    Raises:
        SpeakerIdError: a recording of the demo cannot be read or enrolled.
    """

    def __init__(self, encoder: "Encoder"):
        """Enroll them with this encoder; the first time in a process that takes some seconds."""
        from speakerid.gallery import Gallery

        self._folder = tempfile.TemporaryDirectory(prefix="speakerid-demo-")
        shutil.copytree(_enrolled(encoder), self._folder.name, dirs_exist_ok=True)
        self.gallery: Gallery = Gallery.open(self._folder.name, passphrase="")


def _enrolled(encoder: "Encoder") -> Path:
    from speakerid.audio.decode import decode
    from speakerid.dashboard import demo
    from speakerid.gallery import Consent, Gallery
    from speakerid.gallery.store import open_store

    with _lock:
        if encoder.id not in _made:
            making = tempfile.TemporaryDirectory(prefix="speakerid-demo-")
            people = Gallery.open(making.name, passphrase="")
            consent = Consent.now("A synthetic voice; nobody to ask.", "demo")
            for name, recordings in demo.people().items():
                blocks = [decode(path).samples for path in recordings]
                sources = [f"demo recording {k}" for k in range(1, len(blocks) + 1)]
                people.enroll(name, blocks, encoder, consent=consent, sources=sources)
            folder = tempfile.TemporaryDirectory(prefix="speakerid-demo-")
            for person in people.speakers():  # ids of their own at each start would change their colors
                open_store(Path(folder.name)).put(replace(person, id=_ident(person.name), created=_SINCE))
            making.cleanup()
            _made[encoder.id] = folder  # it goes with the process
        return Path(_made[encoder.id].name)


def _ident(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]
