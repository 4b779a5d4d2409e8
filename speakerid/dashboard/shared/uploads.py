"""How much of what visitors upload stays in memory.

Streamlit keeps every upload until its session ends: also one whose widget is gone, such as that of the person
enrolled before, and one that no widget asked for. So `bound` changes its class for uploaded files: the oldest
go where a session, or all together, have more than they may, and the page shows them no more.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from streamlit import config
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

SESSIONS = 3
"""All sessions together may hold as much as so many; one may hold `server.maxUploadSize`, like one file."""
LEAST_BYTES = 100_000
"""What a file counts at least: many thousands of empty ones take memory too."""

Held = tuple[str, str, int]
"""An upload: its session, its id, and its bytes."""


def bound() -> None:
    """Bound what uploads hold in this process; calling it again changes nothing."""
    if getattr(MemoryUploadedFileManager, "bounded", False):
        return
    added = MemoryUploadedFileManager.add_file

    def add_file(self: Any, session_id: str, file: Any) -> None:  # called by the event loop alone
        newest = session_id, file.file_id
        self.remove_file(*newest)
        added(self, session_id, file)
        with self._lock:
            there = {
                (session, one): len(record.data)
                for session, files in self.file_storage.items()
                for one, record in files.items()
            }
        before = [key for key in getattr(self, "arrived", ()) if key in there and key != newest]
        self.arrived = [*before, newest]
        most = config.get_option("server.maxUploadSize") * 1024 * 1024
        for session, one in too_old([(*key, there[key]) for key in self.arrived], most):
            self.remove_file(session, one)

    MemoryUploadedFileManager.add_file = add_file
    MemoryUploadedFileManager.bounded = True  # pyright: ignore[reportAttributeAccessIssue]


def too_old(held: Sequence[Held], most: int) -> list[tuple[str, str]]:
    """Sessions and ids of the uploads that have to go, so that no session has more than `most` bytes, nor all
    of them SESSIONS times that; never the newest.

    Args:
        held: the oldest first.
    """
    by_session: Counter[str] = Counter()
    gone: list[tuple[str, str]] = []
    for session, one, size in reversed(held):
        counted = max(size, LEAST_BYTES)
        over = by_session[session] + counted > most or by_session.total() + counted > SESSIONS * most
        if over and by_session:
            gone.append((session, one))
        else:
            by_session[session] += counted
    return gone
