"""The identify room: from blocks of audio to decisions about who is speaking.

listener   blocks in, decisions out          tracker   the open-set decision over time
scoring    embeddings to log-likelihoods     engine    one worker for all live sessions
speech     where speech is, when to look     decision  what comes out
"""

from speakerid.identify.decision import UNKNOWN, Decision, Details, Turn
from speakerid.identify.engine import Engine
from speakerid.identify.listener import Listener, ListenerConfig
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
