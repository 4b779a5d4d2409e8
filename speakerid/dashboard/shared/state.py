"""What one visitor's session remembers: for the page that is open (`kept`), or until its tab is closed
(`kept_for_session`).

Streamlit keeps `st.session_state` across pages; recordings of a voice should not outlive the page that made
them. And it drops a session minutes after its tab was closed, without a word: what works on for a session is
looked after by the supervisor, which ends it soon after.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from speakerid.dashboard.shared.engine import supervise

_KEY = "speakerid-page"
GONE_AFTER_S = 20.0
"""A browser that has been away for so long has closed its tab; a connection that broke is back before."""
T = TypeVar("T")


@dataclass
class PageState:
    """The memory of one visit to one page.

    Attributes:
        page: its name.
        things: what `kept` made, by name. What has a `close()` is closed when the visitor leaves.
    """

    page: str
    things: dict[str, Any] = field(default_factory=dict)

    def close(self) -> None:
        for thing in self.things.values():
            if hasattr(thing, "close"):
                thing.close()
        self.things.clear()


def enter(page: str) -> None:
    """Say which page is drawn; on a change of page, all that the page before kept is closed and dropped."""
    state = st.session_state.get(_KEY)
    if state is None or state.page != page:
        if state is not None:
            state.close()
        st.session_state[_KEY] = PageState(page)


def kept(name: str, make: Callable[[], T]) -> T:
    """The thing of this name that the open page keeps across reruns; made at the first call."""
    things = st.session_state[_KEY].things
    if name not in things:
        things[name] = make()
    return things[name]


def kept_for_session(name: str, make: Callable[[], T]) -> T:
    """The thing of this name that the visitor's session keeps, whatever page is open; made at the first call.

    If it has a `close()`, that is called soon after the tab was closed; a browser that comes back after all
    finds a new one.
    """
    key = f"speakerid-session-{name}"
    bound: Bound | None = st.session_state.get(key)
    if bound is None or bound.ended:
        context = get_script_run_ctx()
        bound = st.session_state[key] = Bound(make(), context.session_id if context else "")
        supervise(bound)
    return bound.thing


class Bound:
    """A thing that lives as long as a browser's session.

    Attributes:
        ended: the session has gone, and the thing is closed.
    """

    def __init__(self, thing: Any, session: str):
        self.thing = thing
        self.ended = False
        self._session = session
        self._seen_at = time.monotonic()

    def check(self, now: float) -> bool:
        """Close the thing once the session has been away for GONE_AFTER_S (`now` from `time.monotonic`);
        False once that is done."""
        if not runtime.exists():  # no server, so no session that could end
            return False
        if runtime.get_instance().is_active_session(self._session):
            self._seen_at = now
        elif now - self._seen_at > GONE_AFTER_S:
            self.stop()
        return not self.ended

    def stop(self) -> None:
        """Close the thing."""
        self.ended = True
        if hasattr(self.thing, "close"):
            self.thing.close()
