"""The form that every file here has: numbers, what they are in JSON, and a checksum over both.

It is a safetensors file, so that no pickle is ever read, with the metadata

    format      "speakerid-" and the kind: "voiceprint" or "recording"
    version     of the format of this kind
    KIND        (the key is the kind) JSON, UTF-8, that describes the numbers
    sha256      of the JSON, then of the bytes of each tensor in alphabetical order of their names
"""

import hashlib
import json
import unicodedata
from dataclasses import dataclass
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from speakerid.errors import GalleryError

MAX_LABEL_LENGTH = 200


@dataclass(frozen=True)
class Unpacked:
    """What a file holds: version of its format, what its JSON says, tensors by name."""

    version: str
    about: dict[str, Any]
    tensors: dict[str, np.ndarray]


def pack(kind: str, version: str, about: dict[str, Any], tensors: dict[str, np.ndarray]) -> bytes:
    """The content of a file."""
    text = json.dumps(about, ensure_ascii=False)
    tensors = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    return save(
        tensors,
        {
            "format": f"speakerid-{kind}",
            "version": version,
            kind: text,
            "sha256": _digest(text, tensors),
        },
    )


def unpack(kind: str, content: bytes) -> Unpacked:
    """What `pack` made into a file's content.

    Raises:
        GalleryError: saying what is wrong with it, if anything is.
    """
    try:
        tensors = load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise GalleryError("it is damaged or cut off") from error
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    if not isinstance(metadata, dict) or metadata.get("format") != f"speakerid-{kind}":
        raise GalleryError(f"it is not a {kind}")
    text = metadata.get(kind, "")
    if metadata.get("sha256") != _digest(text, tensors):
        raise GalleryError("its content does not match its checksum")
    try:
        about = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise GalleryError("its description is incomplete") from error
    if not isinstance(about, dict):
        raise GalleryError("its description is incomplete")
    return Unpacked(metadata.get("version", ""), about, tensors)


def text_of(about: dict[str, Any], key: str) -> str:
    """A text in a description.

    Raises:
        GalleryError: if it is not there, is no text, or cannot be shown or stored.
    """
    value = about.get(key)
    if not isinstance(value, str) or (not value.isprintable() and value != clean_text(value)):
        raise GalleryError("its description is incomplete")
    return value


def clean_text(text: str) -> str:
    """A text without what could not be stored, or would garble the screen that shows it (it becomes "?")."""
    return "".join("?" if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" else c for c in text)


def clean_label(text: str) -> str:
    """A label on one line, such as the name of a file: cleaned and cut to MAX_LABEL_LENGTH."""
    return " ".join(clean_text(text).split())[:MAX_LABEL_LENGTH]


def _digest(text: str, tensors: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        digest.update(np.ascontiguousarray(tensors[name]).data)
    return digest.hexdigest()
