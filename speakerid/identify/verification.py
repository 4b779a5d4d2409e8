"""One recording's voice against people who are enrolled: verification, and who is nearest."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from speakerid.errors import GalleryError
from speakerid.identify.scoring import Scorer

if TYPE_CHECKING:
    from speakerid.gallery import Gallery
    from speakerid.model import Encoder


@dataclass(frozen=True)
class Verification:
    """How well a recording fits one person.

    Attributes:
        probability: that it is this person (0..1), where that was as likely as not before.
        log_likelihood_ratio: natural logarithm; this person against anybody else.
        seconds: of the recording.
    """

    name: str
    probability: float
    log_likelihood_ratio: float
    seconds: float
    model: str
    calibrated: bool


def nearest(source: "str | Path | bytes", gallery: "Gallery", encoder: "Encoder") -> list[Verification]:
    """Everybody enrolled with this model, the nearest to the voice in a recording first.

    Raises:
        AudioError: it is no recording, too short, silent, or longer than ten minutes.
        GalleryError: the gallery cannot be read.
    """
    from speakerid.audio.decode import decode

    people = [person for person in gallery.speakers() if person.model == encoder.id]
    recording = decode(source)
    scorer = Scorer.for_model(encoder.id)
    (embedding,) = encoder.embed([recording.samples])
    scores = scorer.score(embedding[None], np.array([recording.seconds]), scorer.profiles(people))
    found = [
        Verification(person.name, _probability(llr), llr, recording.seconds, encoder.id, scorer.calibrated)
        for person, llr in zip(people, map(float, scores.llr[0]), strict=True)
    ]
    return sorted(found, key=lambda one: -one.log_likelihood_ratio)


def verify(
    name: str, source: "str | Path | bytes", gallery: "Gallery", encoder: "Encoder | None" = None
) -> Verification:
    """Whether a recording is of the person of this name.

    Raises:
        AudioError: as for `nearest`.
        GalleryError: nobody of that name is enrolled, or not with this model.
    """
    person = gallery.get(name)
    if encoder is None:
        from speakerid.model import Encoder

        encoder = Encoder.load()
    for one in nearest(source, gallery, encoder):
        if one.name == person.name:
            return one
    raise GalleryError(
        f'"{person.name}" was enrolled with the model {person.model} and this is {encoder.id}: '
        "use that model, or enroll the person again."
    )


def _probability(llr: float) -> float:
    return 1 / (1 + math.exp(-max(-700.0, min(700.0, llr))))
