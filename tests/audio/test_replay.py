"""A recording as a live source: the same samples, in the time that they take."""

import time
from pathlib import Path

import numpy as np
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
    path.write_bytes(wav(voice(0.5, 48_000), 48_000))
    samples = decode(path).samples
    for source in (samples, path, str(path), path.read_bytes()):
        begin = time.monotonic()
        with Replay(source) as replay:
            wait_until_closed(replay)
        assert time.monotonic() - begin >= 0.49
        assert replay.error == ""
        assert replay.ring.dropped == 0
        np.testing.assert_array_equal(replay.ring.pop(), samples)


def test_into_a_given_ring():
    ring = Ring(seconds=60)
    replay = Replay(np.ones(RATE // 4, np.float32), ring=ring).start()
    wait_until_closed(replay)
    assert replay.ring is ring and len(ring) == RATE // 4


def test_closing_stops_it():
    replay = Replay(np.ones(60 * RATE, np.float32)).start()
    assert replay.ring.wait(10)
    replay.close()
    played = len(replay.ring) + replay.ring.dropped
    assert replay.closed
    assert 0 < played < 30 * RATE
    time.sleep(0.1)
    assert len(replay.ring) + replay.ring.dropped == played
    Replay(np.ones(1, np.float32)).close()  # never started


def test_a_file_that_cannot_be_read_is_said():
    replay = Replay(b"Dear Ada").start()
    wait_until_closed(replay)
    assert "is not a sound file" in replay.error
