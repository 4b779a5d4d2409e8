"""What the Recordings page shows: an analysis that has ended, or a kept session, seen alike."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from speakerid.conversation.analysis import Heard
from speakerid.conversation.conversation import Conversation


class Audible(Protocol):
    """Its sound."""

    @property
    def seconds(self) -> float: ...
    def cut(self, start: float, end: float) -> np.ndarray | None: ...
    def gain_db(self, start: float, end: float) -> float: ...


class Shown(Protocol):
    """Its turns and what it is called."""

    @property
    def name(self) -> str: ...
    @property
    def sound_url(self) -> str: ...
    @property
    def conversation(self) -> Conversation: ...
    def named(self, name: str, starts: Sequence[float]) -> None: ...


class Outcome(Protocol):
    """How it was heard."""

    @property
    def heard(self) -> Heard: ...
    @property
    def sound(self) -> Audible: ...
    def surely_one_voice(self, turn: int) -> list[bool]: ...
