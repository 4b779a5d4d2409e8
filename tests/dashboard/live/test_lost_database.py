"""PostgreSQL goes away while somebody listens: the page says so, names go on, and it is mended by itself."""

import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from dashboard.pages import open_page, said
from gallery.people import voiceprint
from support import voices
from support.postgres import Server

from speakerid.dashboard.live.session import LiveSession
from speakerid.dashboard.shared import resources
from speakerid.gallery import Consent, Gallery
from speakerid.gallery.opening import open_store
from speakerid.identify import watch as watching
from speakerid.identify.watch import Watch

PATIENCE = 60.0  # s; the machine may be busy, the assertions below are not about speed


def wait(true: Callable[[], bool], why: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, why
        time.sleep(0.02)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.stop()


def test_listening_goes_on_while_the_database_is_away(server, monkeypatch, tmp_path):
    place = server.place("live")
    monkeypatch.setenv("SPEAKERID_VOICEPRINTS", place)
    consent = Consent.now("A synthetic voice.", "test")
    resources.gallery().enroll("Alice", voices.enrollment("Alice"), resources.encoder(), consent=consent)
    session = LiveSession()
    session.watch()
    said_long = np.tile(np.concatenate(voices.enrollment("Alice")), 20)
    session.start_replay(voices.write_wav(tmp_path / "alice.wav", said_long))

    def trouble() -> str:
        return session.board.state.remarks.get("people", "")

    def now() -> str:
        return session.board.hello()["now"]["name"]

    try:
        wait(lambda: now() == "Alice", "Alice was not named")
        server.kill()
        wait(lambda: "cannot be read" in trouble(), "nobody is told")
        assert "goes on with the people it knew before" in trouble()
        at = session.board.heard
        wait(lambda: session.board.heard > at + 2 and now() == "Alice", "listening does not go on")
        page = open_page("2_Live.py", place, monkeypatch)
        assert "tried again by itself" in said(page)
        server.restart()
        wait(lambda: not trouble(), "it is not noticed that the database is back")
        Gallery.open(place).rename("Alice", "Alice A.")
        wait(lambda: now() == "Alice A.", "a change made after that is not taken in")
        assert session.listening
    finally:
        session.stop()
        session.publisher.renew()


def test_a_watch_keeps_its_people_and_says_why(server, monkeypatch):
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.0)
    place = server.place("watched")
    open_store(place).put(voiceprint("Anna"))
    watch = Watch(Gallery.open(place))
    server.kill()
    wait(lambda: not watch.look() and "tried again by itself" in watch.trouble, "it is not told")
    assert [person.name for person in watch.speakers()] == ["Anna"]
    server.restart()
    wait(lambda: not watch.look() and not watch.trouble, "it is not mended")
    Gallery.open(place).rename("Anna", "Anne")
    wait(watch.look, "the change is not noticed")
    assert [person.name for person in watch.speakers()] == ["Anne"]
