"""Name who is speaking, live: enroll voices, then identify them in a stream of audio, strangers included.

The names below load on first use, so that `import speakerid` costs no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from speakerid.conversation.hearing import identify
    from speakerid.gallery import Gallery
    from speakerid.identify import Decision, Listener
    from speakerid.identify.verification import verify
    from speakerid.model import Encoder

__version__ = "0.1.0"
__all__ = ["Decision", "Encoder", "Gallery", "Listener", "identify", "verify"]

_ROOMS = {
    "Encoder": "model",
    "Gallery": "gallery",
    "Listener": "identify",
    "Decision": "identify",
    "verify": "identify.verification",
}


def __getattr__(name: str):
    if name == "identify":  # the room itself, which can be called: who speaks when in a recording
        return import_module("speakerid.identify")
    if name in _ROOMS:
        return getattr(import_module(f"speakerid.{_ROOMS[name]}"), name)
    raise AttributeError(f"module 'speakerid' has no attribute {name!r}")
