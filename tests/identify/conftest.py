"""The bundled encoder, and the synthetic people as enrolled with it."""

import numpy as np
import pytest
from support import voices
from support.in_memory import Person

from speakerid import Encoder


@pytest.fixture(scope="session")
def enrolled(encoder: Encoder) -> dict[str, Person]:
    """Everybody of the test voices, by name."""
    people = {}
    for name in voices.PEOPLE:
        pieces = [
            block[k : k + 48_000] for block in voices.enrollment(name) for k in (16_000, 64_000, 112_000)
        ]
        people[name] = Person(name, encoder.id, encoder.embed(pieces), np.full(len(pieces), 3.0, np.float32))
    return people
