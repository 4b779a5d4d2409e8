"""The demo's synthetic people, enrolled for this process alone: nobody's own voiceprints are touched."""

import tempfile
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from speakerid.gallery import Gallery
    from speakerid.model import Encoder

_lock = threading.Lock()
_made: "dict[str, tuple[Gallery, tempfile.TemporaryDirectory]]" = {}


def gallery(encoder: "Encoder") -> "Gallery":
    """The demo's people, enrolled with this encoder; made at the first call, which takes some seconds.

    Raises:
        SpeakerIdError: a recording of the demo cannot be read or enrolled.
    """
    from speakerid.audio.decode import decode
    from speakerid.dashboard import demo
    from speakerid.gallery import Consent, Gallery

    with _lock:
        if encoder.id not in _made:
            folder = tempfile.TemporaryDirectory(prefix="speakerid-demo-")
            people = Gallery.open(folder.name)
            consent = Consent.now("A synthetic voice; nobody to ask.", "demo")
            for name, recordings in demo.people().items():
                blocks = [decode(path).samples for path in recordings]
                sources = [f"demo recording {k}" for k in range(1, len(blocks) + 1)]
                people.enroll(name, blocks, encoder, consent=consent, sources=sources)
            _made[encoder.id] = (people, folder)  # the folder goes with the process
        return _made[encoder.id][0]
