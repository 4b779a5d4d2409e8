"""A live session on the real Engine: sources in, names out, and everything ends when it should."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from support import voices

from speakerid.audio.format import RATE
from speakerid.dashboard import live_engine, resources
from speakerid.dashboard.channel import CHANNELS, LEFT_S
from speakerid.dashboard.live import LiveSession
from speakerid.dashboard.live_sources import SILENT_SOURCE_S
from speakerid.gallery import Consent

PATIENCE = 60.0  # s; the machine may be busy, the assertions below are not about speed


def wait(true: Callable[[], bool], why: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, why
        time.sleep(0.02)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Voiceprints of Alice and Bruno."""
    made = tmp_path_factory.mktemp("voiceprints")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPEAKERID_VOICEPRINTS", str(made))
        for name in ("Alice", "Bruno"):
            consent = Consent.now("A synthetic voice.", "test")
            resources.gallery().enroll(name, voices.enrollment(name), resources.encoder(), consent=consent)
    return made


@pytest.fixture
def session(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveSession]:
    monkeypatch.setenv("SPEAKERID_VOICEPRINTS", str(folder))
    made = LiveSession()
    made.watch()
    yield made
    made.stop()
    made.publisher.renew()


def spoken(name: str, seconds: float) -> np.ndarray:
    return np.concatenate(voices.enrollment(name))[: round(seconds * RATE)]


def now(session: LiveSession) -> str:
    return session.board.hello()["now"]["name"]


def frames(samples: np.ndarray) -> list[av.AudioFrame]:
    """What a browser sends: packed 16-bit stereo at 48 kHz, 20 ms a frame."""
    wide = np.repeat(np.clip(samples * 32767, -32768, 32767).astype(np.int16), 3)
    made = []
    for at in range(0, len(wide) - 959, 960):
        frame = av.AudioFrame.from_ndarray(np.repeat(wide[None, at : at + 960], 2, axis=1), "s16", "stereo")
        frame.sample_rate = 48_000
        made.append(frame)
    return made


def test_a_recording_is_named_and_its_end_ends_the_session(session, tmp_path):
    names = set()
    recording = voices.write_wav(tmp_path / "alice.wav", spoken("Alice", 5))
    session.start_replay(recording)
    wait(lambda: names.add(now(session)) or "Alice" in names, f"Alice was not named: {names}")
    wait(lambda: not session.listening, "the session goes on after its source has ended")
    assert session.board.status == "The sound has ended."
    assert "Bruno" not in names
    assert [entry.speaker for entry in session.board.entries] == ["Alice"]
    assert session.board.hello()["rolling"]["t"]


def test_the_browsers_frames_start_a_session_and_silence_for_seconds_ends_it(session):
    asyncio.run(session.on_frames(frames(spoken("Bruno", 3))))
    assert session.listening
    wait(lambda: now(session) == "Bruno" or not session.listening, "Bruno was not named")
    source = session._source
    session.check(source.last_frame_at + SILENT_SOURCE_S + 0.1)
    assert not session.listening and source.closed
    assert "No sound has come from the browser" in session.board.status


def test_a_late_frame_after_stop_starts_nothing(session):
    asyncio.run(session.on_frames(frames(spoken("Bruno", 0.2))))
    session.stop()
    asyncio.run(session.on_frames(frames(spoken("Bruno", 0.2))))
    assert not session.listening


def test_a_page_that_nobody_watches_any_more_ends_its_session(session, tmp_path):
    session.start_replay(voices.write_wav(tmp_path / "long.wav", spoken("Alice", 9)))
    channel = CHANNELS.get(session.watch())
    assert channel is not None

    async def visit() -> None:
        channel.unsubscribe(channel.subscribe())

    asyncio.run(visit())
    CHANNELS.reap(time.monotonic() + LEFT_S + 0.1)
    assert not session.listening
    assert CHANNELS.get(channel.token) is None
    assert session.watch() != channel.token, "coming back opens a new channel"


def test_a_file_that_is_no_recording_is_refused_with_a_sentence(session):
    session.start_replay(b"not a recording at all" * 50)
    wait(lambda: not session.listening, "a file that cannot be read keeps the session")
    hello = session.board.hello()
    assert hello["status"]["kind"] == "failed"
    assert hello["status"]["text"].endswith(".") and "Traceback" not in hello["status"]["text"]


def test_whoever_is_left_out_is_not_named_and_enrolling_acts_at_once(session, tmp_path):
    session.leave_out(["Alice"])
    assert [person.name for person in session.speakers()] == ["Bruno"]
    names = set()
    session.start_replay(voices.write_wav(tmp_path / "alice.wav", spoken("Alice", 5)))
    wait(lambda: names.add(now(session)) or not session.listening, "the recording does not end")
    assert "Alice" not in names

    gallery = resources.gallery()
    gallery.rename("Bruno", "Bruno B.")
    try:
        wait(lambda: session.board.hello()["people"][0]["name"] == "Bruno B.", "the new name is not shown")
    finally:
        gallery.rename("Bruno B.", "Bruno")


def test_settings_reach_the_listener(session, tmp_path):
    session.start_replay(voices.write_wav(tmp_path / "alice.wav", spoken("Alice", 9)))
    wait(lambda: session._heard is not None, "listening does not start")
    heard = session._heard
    session.configure({"threshold": 0.93})
    wait(lambda: heard.listener.config.threshold == 0.93, "the threshold does not arrive")
    session.configure({})
    wait(lambda: heard.listener.config.threshold != 0.93, "there is no way back to the default")


def test_the_servers_end_ends_every_session(session, tmp_path):
    session.start_replay(voices.write_wav(tmp_path / "alice.wav", spoken("Alice", 9)))
    wait(lambda: session._heard is not None, "listening does not start")
    live_engine.shutdown()
    assert not session.listening
