"""Wrong passphrases cost time: after a few, each further one waits twice as long as the last."""

import threading
import time

from speakerid.gallery.sealing import Locked

FREE = 3  # wrong ones before anybody has to wait
LONGEST = 60.0  # s
_guard = threading.Lock()
_wrong: dict[str, tuple[int, float]] = {}  # by place: how many in a row, and when the next one is looked at


def require_turn(place: str) -> None:
    """Make sure that a passphrase for this place may be tried now.

    Raises:
        Locked: if not, saying how long to wait.
    """
    with _guard:
        wait = _wrong.get(place, (0, 0.0))[1] - time.monotonic()
    if wait > 0:
        raise Locked(f"Too many wrong passphrases: wait {int(wait) + 1} seconds, then try again.")


def note(place: str, *, right: bool) -> None:
    """Take down how a try ended."""
    with _guard:
        if right:
            _wrong.pop(place, None)
            return
        count = _wrong.get(place, (0, 0.0))[0] + 1
        wait = min(LONGEST, 2.0 ** (count - FREE)) if count >= FREE else 0.0
        _wrong[place] = (count, time.monotonic() + wait)
