"""A whole recording as a WAV file in ranges: any range is that part of the one file."""

import io
import wave

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from speakerid.audio.format import RATE
from speakerid.conversation.recorded_sound import RecordedSound
from speakerid.dashboard import server
from speakerid.dashboard.shared import heard


@pytest.fixture
def sound() -> RecordedSound:
    made = RecordedSound()
    rng = np.random.default_rng(4)
    for _ in range(5):
        made.add(rng.uniform(-0.9, 0.9, RATE // 2).astype(np.float32))
    return made


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=server.routes))


def test_the_whole_is_a_wav_file(sound, client):
    answer = client.get(f"/api/recording/{heard.offer(sound)}/sound.wav")
    assert answer.status_code == 200 and answer.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(answer.content)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (RATE, 1, 5 * RATE // 2)
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    assert np.array_equal(samples, sound.cut(0, 2.5))


@pytest.mark.parametrize(
    "asked", [(0, 0), (0, 43), (10, 60), (44, 45), (45, 46), (1001, 70_002), (79_000, None)]
)
def test_every_range_is_that_part_of_it(sound, client, asked):
    url = f"/api/recording/{heard.offer(sound)}/sound.wav"
    whole = client.get(url).content
    first, last = asked
    answer = client.get(url, headers={"Range": f"bytes={first}-{'' if last is None else last}"})
    assert answer.status_code == 206
    assert answer.content == whole[first : None if last is None else last + 1]
    assert (
        answer.headers["content-range"]
        == f"bytes {first}-{len(whole) - 1 if last is None else last}/{len(whole)}"
    )


def test_beyond_its_end_there_is_nothing_and_without_the_token_neither(sound, client):
    token = heard.offer(sound)
    assert (
        client.get(f"/api/recording/{token}/sound.wav", headers={"Range": "bytes=900000-"}).status_code == 416
    )
    assert client.get("/api/recording/guessed/sound.wav").status_code == 404
    sound.close()
    assert client.get(f"/api/recording/{token}/sound.wav").status_code == 404
