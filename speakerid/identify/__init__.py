"""The identify room: from blocks of audio to decisions about who is speaking.

listener    blocks in, decisions out          tracker   the open-set decision over time
config      what an operator may turn         engine    one worker for all live sessions
scoring     embeddings to log-likelihoods     decision  what comes out
speech      where speech is, when to look     gender    a guess from the voice
closed_set  the classification head           session   one live stream
"""

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
