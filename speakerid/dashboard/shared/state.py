"""What one visitor's session remembers for the page that is open, and forgets when another page opens.

Streamlit keeps `st.session_state` across pages; recordings of a voice should not outlive the page that made
them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import streamlit as st

_KEY = "speakerid-page"
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
