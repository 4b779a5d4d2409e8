"""`speakerid.load`: a sound file as one block, for whoever works in Python."""

import warnings
from pathlib import Path

from speakerid.audio.decode import decode
from speakerid.audio.format import Block


def load(source: str | Path | bytes, *, max_seconds: float = 600.0) -> Block:
    """A recording of any format as float32 [n], 16 kHz, mono, -1..1; a video gives its sound.

    What was lost of a damaged file is told as a Python warning.

    Args:
        source: a path, or the bytes of a file.
        max_seconds: the longest recording to take; `audio.decode.stream` reads any length in pieces.

    Raises:
        AudioError: it is not there, or no sound can be read from it.
    """
    recording = decode(source, max_seconds=max_seconds)
    for sentence in recording.warnings:
        warnings.warn(sentence, stacklevel=2)
    return recording.samples
