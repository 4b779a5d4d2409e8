"""One model on its way: downloaded and calibrated in a thread, then taken into use."""

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from speakerid.dashboard.shared import resources
from speakerid.errors import SpeakerIdError

_log = logging.getLogger(__name__)
_lock = threading.Lock()
_current: "Installing | None" = None
_TELLING, _TELLING_SECONDS = 0.05, 3.0  # before so much is done, nobody knows how long it takes


@dataclass
class Installing:
    """A model on its way.

    Attributes:
        name: what `Encoder.load` takes.
        what, share: what is done now, and how much of it is done (0..1).
        told: whether a visitor was told how it ended.
        error: why it failed, "" if it has not.
        remark: what did not go as it should, though the model is in use.
        done: whether it has ended.
    """

    name: str
    what: str = "Loading the model"
    share: float = 0.0
    error: str = ""
    remark: str = ""
    done: bool = False
    told: bool = False
    _step: str = ""
    _began: float = 0.0

    @property
    def doing(self) -> str:
        """What is done now, with the time that it still takes where that can be told."""
        taken = time.monotonic() - self._began
        if not _TELLING <= self.share < 1 or taken < _TELLING_SECONDS:
            return self.what
        return f"{self.what}, {_left(taken * (1 - self.share) / self.share)} left"

    def run(self, use: Callable[[str], None]) -> None:
        """Make it ready, then `use(name)`."""
        from speakerid.evaluate import installing

        try:
            encoder, self.remark = installing.ready(self.name, self._report)
            use(self.name)
            resources.adopt(self.name, encoder)
        except SpeakerIdError as error:
            self.error = str(error)
        except Exception as error:
            _log.exception("a model could not be installed")
            self.error = f"The model could not be loaded ({error}); the server's log says more."
        finally:
            self.done = True

    def _report(self, what: str, share: float) -> None:
        step = what.split()[0]  # numbers change within a step
        if step != self._step:
            self._step, self._began = step, time.monotonic()
        self.what, self.share = what, min(max(share, 0.0), 1.0)


def _left(seconds: float) -> str:
    if seconds < 90:
        return f"about {max(5 * math.ceil(seconds / 5), 5)} s"
    return f"about {math.ceil(seconds / 60)} min"


def current() -> Installing | None:
    """The model that is on its way, or was last."""
    return _current


def start(name: str, use: Callable[[str], None]) -> Installing:
    """Begin to install a model; one at a time: while another one is on its way, that is returned."""
    global _current
    with _lock:
        if _current is not None and not _current.done:
            return _current
        _current = Installing(name)
        threading.Thread(target=_current.run, args=(use,), name="install-model", daemon=True).start()
        return _current
