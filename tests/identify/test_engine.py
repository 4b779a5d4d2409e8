"""The Engine with real rings, several sessions at once."""

import threading
import time

import numpy as np
import pytest
from support import voices
from support.in_memory import People

from speakerid import Encoder, Listener
from speakerid.audio.ring import Ring
from speakerid.errors import ModelError
from speakerid.identify import UNKNOWN, Engine, Session
from speakerid.identify.engine import EngineFull


@pytest.fixture
def engine(encoder: Encoder):
    engine = Engine(encoder)
    yield engine
    engine.close()


def wait(condition, seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def feed(ring: Ring, samples: np.ndarray, session: Session) -> None:
    """Push samples as fast as the Engine takes them, so that nothing is skipped."""
    pushed = session.snapshot.at
    for at in range(0, len(samples), 3200):
        ring.push(samples[at : at + 3200])
        pushed += 0.2
        assert wait(lambda due=pushed: session.closed or session.listener.heard > due - 0.3)


def test_sessions_do_not_hear_each_other(engine, encoder, enrolled):
    people = People(enrolled["Alice"], enrolled["Bruno"])
    heard: dict[str, set] = {"Alice": set(), "Bruno": set()}
    threads, sessions = [], []
    for name, names in heard.items():
        ring = Ring()

        def note(snapshot, decisions, names=names):
            names.update(d.speaker for d in decisions)

        session = engine.open(Listener(encoder, people), ring, note)
        samples = np.pad(voices.conversation([name, name])[0], (0, 32_000))
        threads.append(threading.Thread(target=feed, args=(ring, samples, session)))
        sessions.append(session)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # A look of a sixth of a second may find a voice strange; what one session hears, the other must not.
    assert all({name} <= names <= {name, None, UNKNOWN} for name, names in heard.items())
    for session, name in zip(sessions, heard, strict=True):
        assert {turn.speaker for turn in session.snapshot.turns} == {name}
        assert session.snapshot.dropped == session.snapshot.skipped == 0
        assert session.snapshot.latency_ms > 0 and session.snapshot.snr_db > 20


def test_a_session_that_falls_behind_skips_to_its_newest_window(engine, encoder, enrolled):
    ring, samples = Ring(60), voices.conversation(["Alice", "Alice", "Bruno"])[0][:-16_000]
    ring.push(samples)
    session = engine.open(Listener(encoder, People(enrolled["Alice"], enrolled["Bruno"])), ring)
    seconds = len(samples) / 16_000
    assert wait(lambda: session.snapshot.at > seconds - 0.5)
    assert session.snapshot.skipped > 10
    assert session.snapshot.decision.at > seconds - 1


def test_a_name_goes_when_the_sound_ends_in_lumps(engine, encoder, enrolled):
    ring, told = Ring(60), []
    session = engine.open(
        Listener(encoder, People(enrolled["Alice"])), ring, lambda _, decisions: told.extend(decisions)
    )
    samples = voices.conversation(["Alice", "Alice", "Alice"])[0][: 8 * 16_000]
    for at in range(0, len(samples), 320):
        ring.push(samples[at : at + 320])
        assert wait(lambda due=at / 16_000: session.listener.heard > due - 0.1)
    assert session.snapshot.decision.speaker == "Alice"
    for lump in range(3):  # each puts the session so far behind that it skips
        ring.push(np.zeros(32_000, np.float32))
        assert wait(lambda due=10 + 2 * lump: session.snapshot.at > due - 0.1)
    assert session.snapshot.decision.speaker is None and told[-1].speaker is None
    assert [decision.at for decision in told] == sorted(decision.at for decision in told)


def test_one_session_that_fails_does_not_end_the_others(engine, encoder, enrolled, caplog):
    def fail(snapshot, decisions):
        raise RuntimeError("a page that is broken")

    broken, ring = Ring(), Ring()
    failing = engine.open(Listener(encoder, People()), broken, fail)
    session = engine.open(Listener(encoder, People(enrolled["Alice"])), ring)
    samples = np.pad(voices.conversation(["Alice"])[0], (0, 32_000))
    broken.push(samples[:16_000])
    feed(ring, samples, session)
    assert wait(lambda: failing.closed) and not session.closed
    assert [turn.speaker for turn in session.snapshot.turns] == ["Alice"]
    assert "a page that is broken" in caplog.text


@pytest.mark.parametrize("trouble", [RuntimeError("out of memory"), StopIteration(), ValueError("shape")])
def test_the_engine_survives_whatever_the_encoder_raises(encoder, enrolled, caplog, trouble):
    class Breaking:
        """The real encoder, which breaks on whatever is louder than it likes."""

        id = encoder.id

        def embed(self, blocks):
            if any(np.abs(block).max() > 0.9 for block in blocks):
                raise trouble
            return encoder.embed(blocks)

    engine = Engine(Breaking())
    loud, ring = Ring(), Ring()
    people = People(enrolled["Alice"])
    spoilt = engine.open(Listener(encoder, people), loud)
    session = engine.open(Listener(encoder, people), ring)
    samples = np.pad(voices.conversation(["Alice"])[0], (0, 32_000))
    samples = samples / np.abs(samples).max() * 0.5
    feed(loud, samples * 2, spoilt)
    feed(ring, samples, session)
    assert wait(lambda: spoilt.closed) and not session.closed
    assert "Listening has failed" in spoilt.error and session.error == ""
    assert [turn.speaker for turn in session.snapshot.turns] == ["Alice"]
    engine.close()


def test_an_encoder_that_loses_a_window_is_said(encoder, enrolled):
    class Losing:
        id = encoder.id

        def embed(self, blocks):
            return encoder.embed(blocks)[1:]

    engine = Engine(Losing())
    ring = Ring()
    session = engine.open(Listener(encoder, People(enrolled["Alice"])), ring)
    feed(ring, voices.conversation(["Alice"])[0], session)
    assert wait(lambda: session.closed)
    assert "embeddings for" in session.error
    engine.close()


def test_settings_and_people_change_while_listening(engine, encoder, enrolled):
    ring, gallery = Ring(), People(enrolled["Bruno"])
    session = engine.open(Listener(encoder, gallery), ring)
    samples = np.pad(voices.conversation(["Alice"])[0], (0, 32_000))
    feed(ring, samples, session)
    assert {turn.speaker for turn in session.snapshot.turns} == {UNKNOWN}
    gallery.people.append(enrolled["Alice"])
    session.reload()
    feed(ring, samples, session)
    assert session.snapshot.turns[-1].speaker == "Alice"
    session.configure(threshold=1.01, hysteresis=0.0)
    feed(ring, samples, session)
    assert session.snapshot.turns[-1].speaker == UNKNOWN


def test_a_session_beyond_the_capacity_is_told_what_to_do(encoder):
    engine = Engine(encoder, capacity=2)
    first, _ = (engine.open(Listener(encoder, People()), Ring()) for _ in range(2))
    with pytest.raises(EngineFull, match=r"^2 sessions are listening, as many .*: stop one of them"):
        engine.open(Listener(encoder, People()), Ring())
    assert engine.full
    first.close()
    assert not engine.full
    engine.open(Listener(encoder, People()), Ring())
    engine.close()


def test_capacity_is_what_the_processor_has_time_for(encoder):
    class Slow:
        id = encoder.id

        def embed(self, blocks):
            end = time.thread_time() + 0.05
            while time.thread_time() < end:
                pass
            return encoder.embed(blocks)

    assert 1 <= Engine(Slow(), workers=2).capacity < Engine(encoder, workers=2).capacity
    assert Engine(encoder, workers=1).capacity < Engine(encoder, workers=4).capacity


def test_several_workers_share_sessions_and_none_is_heard_twice_at_once(encoder, enrolled):
    people, engine = People(enrolled["Alice"], enrolled["Bruno"]), Engine(encoder, capacity=99, workers=3)
    samples = np.pad(voices.conversation(["Alice", "Bruno"])[0], (0, 32_000))
    expected = [(d.at, d.speaker) for d in Listener(encoder, people).push(samples)]
    inside: dict[int, int] = {}
    threads, clashes = set(), []

    class Watched(Listener):
        def prepare(self, block):
            if inside.get(id(self)):
                clashes.append(self)
            inside[id(self)] = True
            threads.add(threading.current_thread().name)
            try:
                return super().prepare(block)
            finally:
                inside[id(self)] = False

    told: list[list] = [[] for _ in range(6)]
    opened = []
    for log in told:
        ring = Ring()
        session = engine.open(
            Watched(encoder, people), ring, lambda _, decisions, log=log: log.extend(decisions)
        )
        opened.append(threading.Thread(target=feed, args=(ring, samples, session)))
    for thread in opened:
        thread.start()
    for thread in opened:
        thread.join()
    assert not clashes and len(threads) == 3
    assert wait(lambda: all(len(log) >= len(expected) for log in told))
    assert all([(d.at, d.speaker) for d in log] == expected for log in told)
    engine.close()


def test_closing_ends_the_thread_and_the_calls(encoder, enrolled):
    calls, others = [], set(threading.enumerate())
    engine = Engine(encoder)
    ring = Ring()
    session = engine.open(Listener(encoder, People()), ring, lambda *update: calls.append(update))
    ring.push(np.zeros(16_000, np.float32))
    assert wait(lambda: calls)
    session.close()
    engine.close()
    before = len(calls)
    ring.push(np.zeros(16_000, np.float32))
    time.sleep(0.2)
    assert len(calls) == before
    assert not set(threading.enumerate()) - others
    with pytest.raises(RuntimeError):
        engine.open(Listener(encoder, People()), ring)


def test_a_window_that_cannot_be_embedded_costs_its_own_session_alone(encoder, enrolled, caplog):
    class Picky:
        """The real encoder, which finds fault with whatever is quieter than it likes."""

        id = encoder.id

        def embed(self, blocks):
            if any(np.abs(block).max() < 0.05 for block in blocks):
                raise ModelError("item 1 is silent")
            return encoder.embed(blocks)

    engine = Engine(Picky())
    quiet, ring = Ring(), Ring()
    people = People(enrolled["Alice"])
    spoilt = engine.open(Listener(encoder, people), quiet)
    session = engine.open(Listener(encoder, people), ring)
    samples = np.pad(voices.conversation(["Alice"])[0], (0, 32_000))
    feed(quiet, samples * 0.02, spoilt)
    feed(ring, samples, session)
    assert wait(lambda: spoilt.closed) and not session.closed
    assert [turn.speaker for turn in session.snapshot.turns] == ["Alice"]
    assert "item 1 is silent" in caplog.text and spoilt.error == "item 1 is silent"
    engine.close()
