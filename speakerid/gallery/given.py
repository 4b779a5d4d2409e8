"""What enrollment may be given: files and arrays, one or several, told apart and read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from speakerid.audio.format import RATE
from speakerid.gallery.kept_recording import require_length

Given = np.ndarray | str | Path
"""One recording: float32 [n] at 16 kHz, mono, -1..1; or a file."""


@dataclass(frozen=True)
class Recordings:
    """Recordings as `Gallery.enroll` takes them apart: of each the samples, the label, and by how much it was
    raised when it came in (dB; none where nobody knows); and what was lost of them, as sentences."""

    samples: list[np.ndarray]
    sources: list[str]
    gains_db: list[float]
    warnings: list[str]


def read(
    given: Given | Sequence[Given], sources: Sequence[str] | None, gains_db: Sequence[float]
) -> Recordings:
    """Read what is a file, and label what has no label by its file's name or its number.

    Raises:
        AudioError: a file cannot be read.
        EnrollmentRefused: they are longer together than an enrollment may be.
    """
    several = [given] if isinstance(given, str | Path) or getattr(given, "ndim", 0) == 1 else list(given)  # type: ignore[arg-type]
    read_in = Recordings([], [], list(gains_db) or [0.0] * len(several), [])
    for index, one in enumerate(several):
        label = f"recording {index + 1}"
        if isinstance(one, str | Path):
            from speakerid.audio.decode import decode

            recording = decode(one)
            label, one = Path(one).name, recording.samples
            read_in.gains_db[index] = recording.gain_db
            read_in.warnings.extend(recording.warnings)
        read_in.samples.append(one)  # type: ignore[arg-type]
        read_in.sources.append(label)
        require_length(sum(map(np.size, read_in.samples)) / RATE)
    if sources is not None:
        read_in.sources[:] = sources
    return read_in
