"""A recording as a live source: the same samples, in the time that they take."""

import time
from pathlib import Path

import numpy as np
import pytest
from sounds import RATE, voice, wav

from speakerid.audio.decode import decode
from speakerid.audio.replay import Replay
from speakerid.audio.ring import Ring


def wait_until_closed(replay: Replay) -> None:
    deadline = time.monotonic() + 30
    while not replay.closed and time.monotonic() < deadline:
        time.sleep(0.01)
    assert replay.closed


def test_samples_and_files_come_in_real_time(tmp_path: Path):
    path = tmp_path / "Ada.wav"
    path.write_bytes(wav(voice(1.0, 48_000), 48_000))
    samples = decode(path).samples
    for source in (samples, path, str(path), path.read_bytes()):
        begin = time.monotonic()
        with Replay(source) as replay:
            wait_until_closed(replay)
        assert time.monotonic() - begin >= 0.99
        assert replay.error == ""
        assert replay.ring.dropped == 0
        np.testing.assert_array_equal(replay.ring.pop(), samples)


def test_faster_than_real_time_and_into_a_given_ring():
    ring = Ring(seconds=60)
    begin = time.monotonic()
    replay = Replay(np.ones(20 * RATE, np.float32), speed=100.0, ring=ring).start()
    wait_until_closed(replay)
    assert time.monotonic() - begin >= 0.19
    assert ring.pushed == 20 * RATE


def test_closing_stops_it():
    replay = Replay(np.ones(60 * RATE, np.float32)).start()
    assert replay.ring.wait(10)
    replay.close()
    pushed = replay.ring.pushed
    assert replay.closed
    assert 0 < pushed < 30 * RATE
    time.sleep(0.1)
    assert replay.ring.pushed == pushed
    Replay(np.ones(1, np.float32)).close()  # never started


def test_a_file_that_cannot_be_read_is_said():
    replay = Replay(b"Dear Ada").start()
    wait_until_closed(replay)
    assert "is not a sound file" in replay.error


@pytest.mark.parametrize("speed", [0.0, -1.0])
def test_time_runs_forward(speed: float):
    with pytest.raises(ValueError, match="more than 0"):
        Replay(np.ones(1, np.float32), speed=speed)
