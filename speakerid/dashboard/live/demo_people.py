"""The demo's synthetic people, beside the visitors' own: nobody's own voiceprints are touched.

Their voiceprints for the bundled model come with the app, so that a demo begins at once; with any other model
they are made from the demo's recordings, once in a process. After another training of the bundled model:

    python -m speakerid.dashboard.live.demo_people
"""

import hashlib
import json
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

if TYPE_CHECKING:
    from speakerid.gallery import Voiceprint
    from speakerid.model import Encoder

SHIPPED = Path(__file__).resolve().parents[1] / "demo" / "voiceprints.safetensors"
"""`NAME` float32 [k, d] and `NAME seconds` float32 [k] of each person; the metadata name the model."""

_SINCE = "2026-01-01T00:00:00+00:00"
_lock = threading.Lock()
_made: "dict[str, list[Voiceprint]]" = {}


class DemoPeople:
    """One visitor's demo: the same people with the same looks each time, and the strangers named in it.

    Args:
        encoder: that will hear the demo; None while it loads, and the bundled one is expected then.

    Attributes:
        gallery: with the demo's people in it; its folder goes with this object.
        model: id of the encoder that made the voiceprints.

    Raises:
        SpeakerIdError: a recording of the demo cannot be read or enrolled.
    """

    def __init__(self, encoder: "Encoder | None" = None):
        from speakerid.gallery import Gallery
        from speakerid.gallery.opening import open_store

        people = shipped()
        if encoder is not None and any(person.model != encoder.id for person in people):
            people = _enrolled(encoder)
        self.model = people[0].model
        self._folder = tempfile.TemporaryDirectory(prefix="speakerid-demo-")
        store = open_store(self._folder.name)
        for person in people:  # ids of their own at each start would change their colors
            store.put(person)
        store.close()
        self.gallery: Gallery = Gallery.open(self._folder.name, passphrase="")


def shipped() -> "list[Voiceprint]":
    """The voiceprints that come with the app, made by whatever model was bundled when they were made."""
    with safe_open(SHIPPED, "np") as stored:
        model = stored.metadata()["model"]
        names = json.loads(stored.metadata()["names"])
        return [
            _person(name, model, stored.get_tensor(name), stored.get_tensor(f"{name} seconds"))
            for name in names
        ]


def _person(name: str, model: str, embeddings: np.ndarray, seconds: np.ndarray) -> "Voiceprint":
    from speakerid.gallery import Consent, Voiceprint

    consent = replace(Consent.now("A synthetic voice; nobody to ask.", "demo"), given_at=_SINCE)
    ident = hashlib.sha256(name.encode()).hexdigest()[:16]
    sources = tuple(f"demo recording {k}" for k in range(1, len(seconds) + 1))
    return Voiceprint(ident, name, model, embeddings, seconds, sources, _SINCE, _SINCE, consent)


def _enrolled(encoder: "Encoder") -> "list[Voiceprint]":
    """The same people, enrolled with this encoder; that takes some seconds the first time."""
    from speakerid.audio.decode import decode
    from speakerid.dashboard import demo
    from speakerid.gallery import Consent, Gallery

    with _lock:
        if encoder.id not in _made:
            with tempfile.TemporaryDirectory(prefix="speakerid-demo-") as folder:
                people = Gallery.open(folder, passphrase="")
                consent = Consent.now("A synthetic voice; nobody to ask.", "demo")
                for name, recordings in demo.people().items():
                    blocks = [decode(path).samples for path in recordings]
                    people.enroll(name, blocks, encoder, consent=consent)
                _made[encoder.id] = [
                    _person(person.name, encoder.id, person.embeddings, person.seconds)
                    for person in people.speakers()
                ]
        return _made[encoder.id]


def main() -> None:
    """Make what is shipped anew, with the bundled model."""
    from speakerid.model import Encoder

    encoder = Encoder.load("ecapa-bundled")
    people = _enrolled(encoder)
    tensors = {person.name: person.embeddings for person in people}
    tensors |= {f"{person.name} seconds": person.seconds for person in people}
    about = {"model": encoder.id, "names": json.dumps([person.name for person in people])}
    save_file(tensors, SHIPPED, about)
    print(f"{SHIPPED}: {', '.join(tensors)} of {encoder.id}")


if __name__ == "__main__":
    main()
