"""Whatever is sent: never a 5xx. SPEAKERID_FUZZ=10000 sends so many requests instead of some hundred."""

import os
import random
import subprocess
import sys

import pytest
from served import Api, serving

from speakerid.gallery import Gallery
from speakerid.rest.service import Service

COUNT = int(os.environ.get("SPEAKERID_FUZZ", "300"))


@pytest.fixture(scope="module")
def served(tmp_path_factory, encoder):
    gallery = Gallery.open(tmp_path_factory.mktemp("fuzz") / "voiceprints", "")
    with serving(Service(gallery, encoder)) as api:
        yield api


def test_the_server_does_what_its_document_says(served: Api, tmp_path):
    """By schemathesis. Random bytes are a "recording" in the document, so they may be refused."""
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"http://{served.host}/openapi.json"]
    options = [f"--max-examples={max(5, COUNT // 30)}", "--seed=1", "--no-color"]
    excluded = "--exclude-checks=positive_data_acceptance"
    done = subprocess.run(
        [*command, *options, excluded], cwd=tmp_path, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_broken_requests_and_sounds_are_refused(served: Api, talk):
    chance = random.Random(7)
    sound = talk.read_bytes()[:40_000]
    paths = ["/v1/identify", "/v1/embed", "/v1/verify?name=A", "/v1/nearest", "/v1/speakers/A", "/v1/jobs/x"]
    for _ in range(COUNT):
        cut = sound[: chance.randrange(len(sound))]
        body = bytearray(cut if chance.random() < 0.7 else chance.randbytes(500))
        for _ in range(chance.randrange(30)):
            if body:
                body[chance.randrange(min(len(body), chance.choice([60, 40_000])))] = chance.randrange(256)
        kind = chance.choice(["audio/wav", "multipart/form-data; boundary=x", "application/json", "x"])
        path = chance.choice(paths) + chance.choice(["", "", "?decisions=%00", "%FF", "?most=1e9"])
        answer = served(chance.choice(["POST", "POST", "PATCH"]), path, bytes(body), Content_Type=kind)
        assert answer.status < 500, (path, kind, answer.content)
