"""What the tests of the REST API share: the model, two people, a server."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from served import Answer, Api, serving
from support import voices

from speakerid.gallery import Consent, Gallery
from speakerid.rest.service import Service


@pytest.fixture(scope="session")
def pair(tmp_path_factory, encoder) -> Gallery:
    """A gallery of Alice and Bruno, which tests do not change."""
    gallery = Gallery.open(tmp_path_factory.mktemp("pair") / "voiceprints", "")
    for name in ("Alice", "Bruno"):
        consent = Consent.now("A synthetic voice.", "tests")
        gallery.enroll(name, voices.enrollment(name)[:1], encoder, consent=consent)
    return gallery


@pytest.fixture(scope="module")
def api(pair, encoder) -> Iterator[Api]:
    """A server with Alice and Bruno, which tests do not change."""
    with serving(Service(pair, encoder)) as served:
        yield served


@pytest.fixture(scope="session")
def talk(tmp_path_factory) -> Path:
    """A WAV file in which a stranger and Bruno speak."""
    pause = np.zeros(voices.RATE // 2, np.float32)
    spoken = [voices.turn(name, 0)[: 5 * voices.RATE // 2] for name in ("Edgar", "Bruno")]
    samples = np.concatenate([pause, spoken[0], pause, spoken[1], pause])
    return voices.write_wav(tmp_path_factory.mktemp("talk") / "talk.wav", samples)


@pytest.fixture(scope="module")
def identified(api, talk) -> Answer:
    """What the API says of `talk`, with the decisions."""
    return api("POST", "/v1/identify?decisions=true", talk.read_bytes())


@pytest.fixture
def empty(tmp_path, encoder) -> Iterator[Api]:
    """A server of a test's own, with nobody."""
    with serving(Service(Gallery.open(tmp_path / "voiceprints", ""), encoder)) as served:
        yield served
