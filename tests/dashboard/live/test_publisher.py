"""What a session sends and when, how long it took, and that nothing outlives its listening."""

import math
import threading
from types import SimpleNamespace

import pytest
from gallery.people import voiceprint

from speakerid.dashboard.live import publisher as module
from speakerid.dashboard.live.board.board import Board
from speakerid.dashboard.live.publisher import Publisher
from speakerid.dashboard.shared.channel import CHANNELS
from speakerid.identify import Decision, Snapshot


@pytest.fixture
def clock(monkeypatch):
    """The publisher's own time, in seconds, for the test to set."""
    clock = SimpleNamespace(now=100.0)
    clock.monotonic = lambda: clock.now
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def publisher():
    board = Board([voiceprint("Ana", 1)])
    board.set_status("listening", "")
    made = Publisher(board, lambda: None, lambda start, end: None, lambda: None)
    made.watch()
    yield made
    CHANNELS.close(made._channel)


def heard(at: float, speaker: str | None, latency_ms: float = 50.0) -> tuple[Snapshot, list[Decision]]:
    said = Decision(at, speaker, 0.9, {"Ana": 0.9, "unknown": 0.1} if speaker else {})
    return Snapshot(at=at, decision=said, latency_ms=latency_ms), [said]


def sent(publisher: Publisher) -> list[dict]:
    """Notes every message from now on."""
    messages: list[dict] = []
    publish = publisher._channel.publish
    publisher._channel.publish = lambda message: (messages.append(message), publish(message))[1]
    return messages


def test_the_wait_before_sending_counts_in_full_and_only_the_network_by_half(publisher, clock):
    on_update = publisher.begin()
    on_update(*heard(1.0, "Ana"))
    clock.now += 0.03
    on_update(*heard(1.1, "Ana"))  # too soon after the other: it waits
    clock.now += 0.07
    publisher.flush(clock.now)
    [number] = [number for number in publisher._sent if number == max(publisher._sent)]
    clock.now += 0.1
    publisher._received({"drawn": number, "held": 80})
    assert list(publisher.board._latencies) == [pytest.approx(50 + 70 + 80 + (100 - 80) / 2)]


@pytest.mark.parametrize("held", [math.nan, math.inf, -5, 1e12, "80"])
def test_what_no_browser_measures_is_not_taken(publisher, held):
    publisher.begin()(*heard(1.0, "Ana"))
    publisher._received({"drawn": next(iter(publisher._sent)), "held": held})
    assert not publisher.board._latencies


def test_a_browser_may_answer_while_an_update_is_sent(publisher):
    class Racing(dict):
        """Answers come while the Engine's thread looks through what was sent."""

        def __iter__(self):
            for number in super().__iter__():
                answer = {"drawn": next(dict.__iter__(self)), "held": 1.0}
                other = threading.Thread(target=publisher._received, args=(answer,))
                other.start()
                other.join(0.05)  # a lock makes it wait, so it is not waited for
                yield number

    on_update = publisher.begin()
    publisher._sent = Racing()
    for at, speaker in enumerate(("Ana", None) * 10):
        on_update(*heard(float(at), speaker))
    assert publisher._sent


def test_nothing_of_a_listening_reaches_the_board_after_its_end(publisher, clock):
    messages = sent(publisher)
    first = publisher.begin()
    first(*heard(8.0, "Ana"))
    clock.now += 0.01
    first(*heard(8.1, "Ana"))
    assert len(messages) == 1
    publisher.end()
    assert publisher.board.heard == 8.1, "what was said last is sent"
    publisher.board.new_listening()
    first(*heard(9.0, "Ana"))  # the Engine was in the middle of it
    publisher.flush(clock.now + 10)
    assert len(messages) == 2 and publisher.board.heard == 8.1
    publisher.begin()(*heard(0.5, None))
    assert publisher.board.heard == pytest.approx(8.6)


def test_starting_again_drops_what_was_not_sent_yet(publisher, clock):
    messages = sent(publisher)
    on_update = publisher.begin()
    on_update(*heard(8.0, "Ana"))
    on_update(*heard(8.01, "Ana"))
    publisher.end(forget=True)
    publisher.flush(clock.now + 10)
    assert len(messages) == 1
