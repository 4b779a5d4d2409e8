"""A live session on the real Engine: sources in, names out, and everything ends when it should."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from streamlit_webrtc.component import WebRtcStreamerContext, WebRtcStreamerState
from support import voices

from speakerid.audio.format import RATE
from speakerid.dashboard.live import naming as live_naming
from speakerid.dashboard.live.demo_people import DemoPeople
from speakerid.dashboard.live.session import LiveSession
from speakerid.dashboard.shared import engine as live_engine
from speakerid.dashboard.shared import resources
from speakerid.dashboard.shared.browser_stream import FIRST_FRAME_S, SILENT_SOURCE_S
from speakerid.dashboard.shared.channel import CHANNELS, LEFT_S
from speakerid.dashboard.shared.colors import looks
from speakerid.errors import GalleryError
from speakerid.gallery import Consent
from speakerid.identify import Decision
from speakerid.model import companions

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
    assert session.board.state.text == "The sound has ended."
    assert "Bruno" not in names
    assert [entry.speaker for entry in session.board.entries] == ["Alice"]
    assert session.board.hello()["rolling"]["t"]


def test_the_browsers_frames_start_a_session_and_silence_for_seconds_ends_it(session):
    asyncio.run(session.on_frames(frames(spoken("Bruno", 3))))
    assert session.listening
    wait(lambda: now(session) == "Bruno" or not session.listening, "Bruno was not named")
    source = session._listening.source
    session._listening.check(source.last_frame_at + SILENT_SOURCE_S + 0.1)
    assert not session.listening and source.closed
    assert "No sound has come from the browser" in session.board.state.text


def test_a_page_that_still_sends_sound_is_there_though_its_websocket_is_cut(session):
    channel = CHANNELS.get(session.watch())

    async def visit() -> None:
        channel.unsubscribe(channel.subscribe())

    asyncio.run(session.on_frames(frames(spoken("Bruno", 0.2))))
    source = session._listening.source
    asyncio.run(visit())
    time.sleep(0.3)
    asyncio.run(session.on_frames(frames(spoken("Bruno", 0.2))))
    session._listening.check(time.monotonic())
    sent = source.last_frame_at
    assert not channel.abandoned(sent + LEFT_S - 0.1)
    assert channel.abandoned(sent + LEFT_S + 0.1), "it has gone for good when its sound stops too"


def test_a_browser_whose_sound_does_not_get_through_is_told(session):
    context = WebRtcStreamerContext(None, WebRtcStreamerState(playing=True, signalling=False))
    session.stream.use(context)
    asked = time.monotonic() + 1
    session._listening.check(asked)
    session._listening.check(asked + FIRST_FRAME_S - 1)
    assert "does not get through" not in session.board.state.text
    session._listening.check(asked + FIRST_FRAME_S + 1)
    assert "does not get through" in session.board.state.text and "let UDP pass" in session.board.state.text
    asyncio.run(session.on_frames(frames(spoken("Bruno", 0.2))))
    wait(lambda: "does not get through" not in session.board.state.text, "sound has come, and it is not said")
    session.stop()
    context._set_state(WebRtcStreamerState(playing=False, signalling=False))
    session._listening.check(asked + 3 * FIRST_FRAME_S)
    assert session.board.state.text == "Stopped.", "nobody wants to send any more"


def test_where_the_computer_keeps_up_with_no_more_it_is_told(session, tmp_path, monkeypatch):
    monkeypatch.setattr(live_engine.engine(), "_capacity", 0)
    session.start_replay(voices.write_wav(tmp_path / "a.wav", spoken("Alice", 5)))
    told = "as many as this computer keeps up with: stop one of them"
    wait(lambda: told in session.board.state.text, "it is not told")
    assert not session.listening


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
    wait(lambda: session.board.hello()["status"]["kind"] == "failed", "the board does not say so")
    hello = session.board.hello()
    assert hello["status"]["text"].endswith(".") and "Traceback" not in hello["status"]["text"]


def test_whoever_is_left_out_is_not_named_and_enrolling_acts_at_once(session, tmp_path):
    session.people.leave_out(["Alice"])
    assert [person.name for person in session.people.speakers()] == ["Bruno"]
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
    wait(lambda: session._listening._heard is not None, "listening does not start")
    heard = session._listening._heard
    session.configure({"threshold": 0.93})
    wait(lambda: heard.listener.config.threshold == 0.93, "the threshold does not arrive")
    session.configure({})
    wait(lambda: heard.listener.config.threshold != 0.93, "there is no way back to the default")


def test_the_servers_end_ends_every_session(session, tmp_path):
    session.start_replay(voices.write_wav(tmp_path / "alice.wav", spoken("Alice", 9)))
    wait(lambda: session._listening._heard is not None, "listening does not start")
    live_engine.shutdown()
    assert not session.listening


def test_kept_sound_is_the_turns_own_and_goes_with_the_page(session, tmp_path):
    session.keep_sound(True)
    said = spoken("Alice", 5)
    session.start_replay(voices.write_wav(tmp_path / "alice.wav", said))
    wait(lambda: not session.listening, "the recording does not end")
    [entry] = session.board.entries
    kept = session.sound.cut(entry.start, entry.end)
    assert kept is not None
    first = round(entry.start * RATE)
    likeness = np.corrcoef(kept, said[first : first + len(kept)])[0, 1]
    assert likeness > 0.99, "the sound of another moment"
    assert session.publisher._cut(entry.start, entry.end).startswith(b"RIFF")
    session.watch(editing=False)
    assert session.publisher._cut(entry.start, entry.end) is None, "a viewer hears nothing"
    session.leave()
    assert session.sound.ranges() == [] and not session.sound.on
    assert [entry.speaker for entry in session.board.entries] == ["Alice"], "the log stays"


def test_a_stranger_is_enrolled_from_what_was_heard_and_the_log_corrected(session, tmp_path):
    session.people.leave_out(["Alice"])
    session.keep_sound(True)
    session.start_replay(voices.write_wav(tmp_path / "alice.wav", spoken("Alice", 9)))
    wait(lambda: not session.listening, "the recording does not end")
    strangers = [entry for entry in session.board.entries if entry.speaker == "unknown"]
    assert strangers
    offered = live_naming.offered(session, strangers[0].start)
    assert offered[0].chosen and {one.start for one in offered} == {entry.start for entry in strangers}
    session.people.leave_out([])
    gallery = session.people.gallery
    samples = [session.sound.cut(entry.start, entry.end).astype(np.float32) / 32768 for entry in strangers]
    gallery.remove("Alice")
    gallery.enroll(
        "Alice again", samples, resources.encoder(), consent=Consent.now("A synthetic voice.", "test")
    )
    try:
        session.named("Alice again", [entry.start for entry in strangers])
        corrected = [entry for entry in session.board.entries if entry.speaker == "Alice again"]
        assert len(corrected) == len(strangers) and all(entry.corrected for entry in corrected)
    finally:
        gallery.remove("Alice again")
        consent = Consent.now("A synthetic voice.", "test")
        gallery.enroll("Alice", voices.enrollment("Alice"), resources.encoder(), consent=consent)


def test_a_model_that_nobody_calibrated_is_said_to_be_so_with_the_remedy(session, tmp_path, monkeypatch):
    recording = voices.write_wav(tmp_path / "alice.wav", spoken("Alice", 3))
    session.start_replay(recording)
    wait(lambda: not session.listening, "the recording does not end")
    assert session.board.hello()["remark"]["text"] == "", "the bundled model comes with its calibration"
    monkeypatch.setenv("SPEAKERID_CALIBRATIONS", str(tmp_path))
    monkeypatch.setattr(companions, "CALIBRATIONS", tmp_path)
    session.start_replay(recording)
    wait(lambda: not session.listening, "the recording does not end")
    remark = session.board.hello()["remark"]["text"]
    assert remark.startswith("Uncalibrated") and "python -m speakerid calibrate" in remark


def test_each_demo_has_people_of_its_own_who_always_look_the_same():
    first, second = DemoPeople(resources.encoder()), DemoPeople(resources.encoder())
    assert [person.name for person in first.gallery.speakers()] == ["Alice", "Bruno", "Callum", "Daisy"]
    assert looks(first.gallery.speakers()) == looks(second.gallery.speakers())
    assert first.gallery.get("Alice").id == "3bc51062973c458d"
    first.gallery.remove("Alice")
    assert second.gallery.get("Alice")


def test_a_demo_begins_while_the_model_still_loads(session, monkeypatch):
    free = threading.Event()
    encoder = resources.encoder()
    monkeypatch.setattr(resources, "loaded", lambda: None)
    monkeypatch.setattr(resources, "encoder", lambda: free.wait(PATIENCE) and encoder)
    try:
        session.start_demo()
        assert session.demonstrating and session.listening and session.board.state.kind == "waiting"
        names = [person["name"] for person in session.board.hello()["people"]]
        assert names == ["Alice", "Bruno", "Callum", "Daisy", "unknown"]
    finally:
        free.set()
    wait(lambda: session.board.state.kind == "listening", "the model is there, and nobody listens")
    assert session.demonstrating
    session.stop()
    session.end_demo()


def test_a_demo_that_has_ended_leaves_the_visitors_own_people(session):
    session.people.leave_out(["Bruno"])
    session.start_demo()
    assert session.demonstrating and not session.people.left_out
    session.end_demo()
    assert session.demonstrating, "it goes on while it is heard"
    session.stop()
    session.end_demo()
    assert not session.demonstrating and session.board.entries == ()
    assert [person.name for person in session.people.everybody()] == ["Alice", "Bruno"]
    assert [person["name"] for person in session.board.hello()["people"]] == ["Alice", "unknown"]


def test_starting_again_leaves_the_recording_where_it_is(session, tmp_path):
    session.start_replay(voices.write_wav(tmp_path / "alice.wav", spoken("Alice", 9)))
    wait(lambda: session.board.hello()["play"]["at"] > 1.5, "the recording is not heard")
    session.start_again()
    play = session.board.hello()["play"]
    assert play["number"] is not None and play["at"] > 1.5
    wait(lambda: session.board.heard > 0.3, "it is not listened to again")
    assert session.board.hello()["play"]["at"] - session.board.heard > 1.0


def test_people_who_cannot_be_read_are_told_once_and_the_session_ends_as_ever(session, monkeypatch, caplog):
    def unreadable():
        raise GalleryError("The folder cannot be read: give back the right to.")

    monkeypatch.setattr(session.people.gallery, "revision", unreadable)
    for _ in range(5):
        assert session._listening.check(time.monotonic()), "somebody watches"
    assert "cannot be read: give back the right" in session.board.hello()["remark"]["text"]
    session.publisher.renew()
    assert not session._listening.check(time.monotonic()), "nobody watches: it is released"
    assert not caplog.records
    monkeypatch.undo()
    session._listening.check(time.monotonic())
    assert session.board.hello()["remark"]["text"] == ""


def test_a_session_that_cannot_be_looked_after_is_ended_and_logged_once(caplog):
    class Broken:
        stopped = False

        def check(self, now):
            raise RuntimeError("a broken session")

        def stop(self):
            self.stopped = True

    broken = Broken()
    live_engine.supervise(broken)
    wait(lambda: broken.stopped and broken not in live_engine._sessions, "it is kept")
    assert caplog.text.count("a live session could not be looked after") == 1


def test_the_gender_switch_reads_the_models_own_head_or_says_that_there_is_none(session):
    assert session.guess_gender(True), "before a model is loaded there is nothing to refuse"
    session._listening.model = "another-model"
    assert not session.guess_gender(True)
    session._listening.model = resources.encoder().id
    if session.guess_gender(True):
        said = Decision(1, "Alice", 0.9, embedding=resources.encoder().embed([spoken("Alice", 3)])[0])
        assert session.board.gender(said)["text"].startswith("Sounds: ")
    session.guess_gender(False)
    assert session.board.gender is None
