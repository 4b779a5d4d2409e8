"""Name who is speaking, live: enroll voices, then identify them in a stream of audio, strangers included.

The names below load on first use, so that `import speakerid` costs no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from speakerid.audio.loading import load
    from speakerid.conversation.hearing import identify
    from speakerid.gallery import Consent, Gallery
    from speakerid.identify import Decision, Listener
    from speakerid.identify.compare import compare
    from speakerid.identify.verification import verify
    from speakerid.model import Encoder

__version__ = "0.1.0"
__all__ = ["Consent", "Decision", "Encoder", "Gallery", "Listener", "compare", "identify", "load", "verify"]

_ROOMS = {
    "Consent": "gallery",
    "Decision": "identify",
    "Encoder": "model",
    "Gallery": "gallery",
    "Listener": "identify",
    "compare": "identify.compare",
    "load": "audio.loading",
    "verify": "identify.verification",
}


def __getattr__(name: str):
    if name == "identify":  # the room itself, which can be called: who speaks when in a recording
        return import_module("speakerid.identify")
    if name in _ROOMS:
        return getattr(import_module(f"speakerid.{_ROOMS[name]}"), name)
    raise AttributeError(f"module 'speakerid' has no attribute {name!r}")
