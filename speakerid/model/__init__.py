"""From a block of audio to an embedding: log-mel features, ECAPA-TDNN and the Encoder that runs both.

`Encoder` loads on first use, so that importing this package costs no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from speakerid.model.encoder import Encoder

__all__ = ["Encoder"]


def __getattr__(name: str):
    if name == "Encoder":
        return import_module("speakerid.model.encoder").Encoder
    raise AttributeError(f"module 'speakerid.model' has no attribute {name!r}")
