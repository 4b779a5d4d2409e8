"""The limits of enrollment of one model: from which cosines on a voice counts as one, or as somebody's.

They belong to the model as its calibration does, and lie in the same file. `python -m speakerid.training
limits`, `calibrate` and the calibration on arrival derive them from labelled speech (evaluate/limits.py).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from speakerid.model import companions


@dataclass(frozen=True)
class Limits:
    """Cosines between unit embeddings, where nothing else is said.

    Attributes:
        other_voice: agreement with somebody enrolled from which on the voice counts as theirs.
        near_voice: less is enough where nobody else who is enrolled comes near:
        near_margin: the next one agrees less by this.
        same_voice: a new recording must agree at least this much with what its person enrolled before.
        two_voices: two groups of phrases, two seconds in the shorter one, that agree less are two voices.
        per_doubling: more is asked of each doubling of these seconds, between one and four.
        apart: two local voices of one recording (gallery/segmented.py) that agree less are two people.
        known: whether they are this model's own.
    """

    other_voice: float = 0.82
    near_voice: float = 0.74
    near_margin: float = 0.20
    same_voice: float = 0.45
    two_voices: float = 0.33
    per_doubling: float = 0.12
    apart: float = 0.40
    known: bool = False

    def as_dict(self) -> dict[str, float]:
        """The numbers, for the file of the calibration."""
        return {name: value for name, value in asdict(self).items() if name != "known"}


TYPICAL = Limits()
"""Of the ECAPA-TDNN that the first version shipped; for a model of which nothing is known."""


def limits_of(model_id: str) -> Limits:
    """The limits of a model; TYPICAL where it has none of its own."""
    path = companions.calibration_of(model_id)
    return from_dict(companions.about(path, "limits")) if path else TYPICAL


def from_dict(stored: dict[str, Any]) -> Limits:
    """What as_dict() gave; TYPICAL where a number is missing or is none, but for `apart`, which those of
    earlier versions lack."""
    names = [field.name for field in fields(Limits) if field.name != "known"]
    stored = {"apart": TYPICAL.apart, **stored}
    try:
        return Limits(**{name: float(stored[name]) for name in names}, known=True)
    except (KeyError, TypeError, ValueError):
        return TYPICAL
