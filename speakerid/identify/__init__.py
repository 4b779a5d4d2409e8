"""The identify room: from blocks of audio to decisions about who is speaking.

listener    blocks in, decisions out          tracker   the open-set decision over time
config      what an operator may turn         engine    one worker for all live sessions
scoring     embeddings to log-likelihoods     decision  what comes out
speech      where speech is, when to look     gender    a guess from the voice
closed_set  people by tuned prototypes        session   one live stream
"""

import sys
from types import ModuleType
from typing import Any

from speakerid.identify.config import ListenerConfig
from speakerid.identify.decision import UNKNOWN, Decision, Details, Turn
from speakerid.identify.engine import Engine
from speakerid.identify.listener import Listener
from speakerid.identify.session import Session, Snapshot

__all__ = [
    "UNKNOWN",
    "Decision",
    "Details",
    "Engine",
    "Listener",
    "ListenerConfig",
    "Session",
    "Snapshot",
    "Turn",
]


class _Room(ModuleType):
    """This room, which can be called too: `speakerid.identify(path, gallery)`, the name that users know."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Who speaks when in a recording: `speakerid.conversation.hearing.identify`, which see."""
        from speakerid.conversation.hearing import identify

        return identify(*arguments, **options)


sys.modules[__name__].__class__ = _Room
