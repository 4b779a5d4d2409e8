"""Labelled recordings put together to enrollments."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from speakerid.audio.format import RATE
from speakerid.errors import SpeakerIdError
from speakerid.evaluate import EvaluationError
from speakerid.evaluate.trials import Utterance

SECONDS = 10.0  # of recordings in one enrollment, at least


@dataclass(frozen=True)
class Enrollment:
    """Recordings of one speaker that are enrolled together: float32 [n] each, 16 kHz."""

    speaker: str
    blocks: list[np.ndarray]
    labels: list[str]


def collect(utterances: Sequence[Utterance], seconds: float = SECONDS) -> list[Enrollment]:
    """Put the recordings of each speaker together to enrollments of at least so many seconds.

    What is left over at a speaker's end is not used, nor is a recording that cannot be decoded.

    Raises:
        EvaluationError: there is no enrollment of that length.
    """
    made = list(_collect(utterances, seconds))
    if not made:
        raise EvaluationError(
            f"No speaker has {seconds:g} seconds of recordings: give a smaller number with --seconds, or "
            "another manifest."
        )
    return made


def _collect(utterances: Sequence[Utterance], seconds: float) -> Iterator[Enrollment]:
    from speakerid.audio.decode import decode

    by_speaker: dict[str, list[Utterance]] = {}
    for utterance in sorted(utterances, key=lambda one: (one.speaker, one.label)):
        by_speaker.setdefault(utterance.speaker, []).append(utterance)
    for speaker, recordings in by_speaker.items():
        blocks: list[np.ndarray] = []
        labels: list[str] = []
        for utterance in recordings:
            try:
                blocks.append(decode(utterance.path).samples)
            except SpeakerIdError:
                continue
            labels.append(utterance.label)
            if sum(map(len, blocks)) >= seconds * RATE:
                yield Enrollment(speaker, blocks, labels)
                blocks, labels = [], []
