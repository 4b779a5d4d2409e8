"""The Engine hands over and goes on listening; nothing is lost on the way, and failures come back."""

import threading

import pytest

from speakerid.dashboard.live import drawing
from speakerid.identify import Decision, Snapshot


def heard(at: float) -> tuple[Snapshot, list[Decision]]:
    said = Decision(at, None, 1.0)
    return Snapshot(at=at, decision=said), [said]


def test_what_waits_is_drawn_at_once_in_order_and_on_another_thread():
    begun, go_on, drawn = threading.Event(), threading.Event(), []

    def draw(snapshot, decisions):
        drawn.append((snapshot.at, [one.at for one in decisions], threading.current_thread()))
        begun.set()
        go_on.wait(10)

    on_update = drawing.beside(draw)
    on_update(*heard(1))
    assert begun.wait(10)
    on_update(*heard(2))
    on_update(*heard(3))
    go_on.set()
    drawing.settle()
    assert [row[:2] for row in drawn] == [(1, [1]), (3, [2, 3])]
    assert threading.current_thread() not in {row[2] for row in drawn}


def test_what_cannot_be_drawn_is_raised_in_the_next_call():
    def draw(snapshot, decisions):
        raise ValueError("no such colour")

    on_update = drawing.beside(draw)
    on_update(*heard(1))
    drawing.settle()
    with pytest.raises(ValueError, match="colour"):
        on_update(*heard(2))
