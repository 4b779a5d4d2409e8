"""Wrong passphrases cost time: after a few, each further one waits twice as long as the last."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

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


class Attempt:
    """One passphrase at one place, which is tried once, until it is found to be right or wrong."""

    def __init__(self, place: str, given: bool):
        self._place, self._open = place, given

    @contextmanager
    def counted(self) -> Iterator[None]:
        """A block that raises Locked where the passphrase is wrong.

        Raises:
            Locked: also where too many wrong ones were tried.
        """
        if self._open:
            require_turn(self._place)
        try:
            yield
        except Locked:
            self.was(right=False)
            raise

    def was(self, *, right: bool) -> None:
        """Take down what it was found to be."""
        if self._open:
            self._open = False
            note(self._place, right=right)
