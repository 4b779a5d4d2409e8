"""Voiceprints without a voice: the store does not care where the numbers come from."""

import numpy as np

from speakerid.gallery import Consent, Voiceprint
from speakerid.gallery.voiceprint import unit

CONSENT = Consent("I agree to be recognized by my voice.", "2026-01-02T03:04:05+00:00", "cli")


def voiceprint(name: str, seed: int = 0, exemplars: int = 3, model: str = "model-1") -> Voiceprint:
    """A valid voiceprint with random embeddings."""
    rng = np.random.default_rng(seed)
    return Voiceprint(
        id=rng.bytes(8).hex(),
        name=name,
        model=model,
        embeddings=unit(rng.standard_normal((exemplars, 192))),
        seconds=np.full(exemplars, 3, np.float32),
        sources=("a.wav",) * exemplars,
        created="2026-01-02T03:04:05+00:00",
        updated="2026-01-02T03:04:05+00:00",
        consent=CONSENT,
    )
