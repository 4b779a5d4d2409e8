"""What is kept for a session ends with it, and not with a page or a short break of the connection."""

import time
from types import SimpleNamespace

import pytest

from speakerid.dashboard.shared.state import GONE_AFTER_S, Bound


class Thing:
    closed = 0

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Streamlit's own account of who is connected; the browser's end is what is not real here."""
    found = SimpleNamespace(connected={"ada"})
    runtime = SimpleNamespace(is_active_session=lambda session: session in found.connected)
    monkeypatch.setattr("speakerid.dashboard.shared.state.runtime.exists", lambda: True)
    monkeypatch.setattr("speakerid.dashboard.shared.state.runtime.get_instance", lambda: runtime)
    return found


def test_a_closed_tab_ends_it_and_a_short_break_does_not(server):
    bound, now = Bound(Thing(), "ada"), time.monotonic()
    assert bound.check(now + 1000), "as long as the tab is there"
    server.connected.clear()
    assert bound.check(now + 1000 + GONE_AFTER_S - 1)
    server.connected.add("ada")
    assert bound.check(now + 1000 + GONE_AFTER_S + 1), "back again"
    server.connected.clear()
    assert not bound.check(now + 1000 + 3 * GONE_AFTER_S)
    assert bound.ended and bound.thing.closed == 1


def test_the_servers_end_ends_it(server):
    bound = Bound(Thing(), "ada")
    bound.stop()
    assert bound.ended and bound.thing.closed == 1
