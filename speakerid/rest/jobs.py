"""Recordings that are worked on beside the requests that brought them: asked for, answered later."""

import secrets
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from speakerid.errors import SpeakerIdError
from speakerid.rest.access import Caller
from speakerid.rest.refusals import Refusal, busy, unexpected

MAX_JOBS = 8  # that wait or run; each holds a recording
KEPT_SECONDS = 3600.0  # that a result is kept


class Job:
    """One of them. `work(job)` tells `heard` and `seconds`, and ends soon once `stop` is set."""

    def __init__(self, owner: Caller, work: Callable[["Job"], dict[str, Any]]):
        self.id, self.owner, self._work = secrets.token_urlsafe(12), owner, work
        self.state = "waiting"
        self.error: str | None = None
        self.heard = 0.0
        self.seconds: float | None = None
        self.result: dict[str, Any] | None = None
        self.stop = threading.Event()
        self.ended_at: float | None = None

    def told(self) -> dict[str, Any]:
        """As JSON shows it."""
        names = ("id", "state", "heard", "seconds", "error", "result")
        return {name: getattr(self, name) for name in names}

    def run(self) -> None:
        """On the thread of the jobs."""
        self.state = "running"
        try:
            if not self.stop.is_set():
                self.result = self._work(self)
            self.state = "done"
        except SpeakerIdError as error:
            self.state, self.error = "failed", str(error)
        except Exception as error:
            self.state, self.error = "failed", str(unexpected(error))
        finally:
            del self._work  # it holds the recording
            self.ended_at = time.monotonic()


class Jobs:
    """All jobs of a server; one runs at a time, so that requests go on."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def require_room(self) -> None:
        """Raises Refusal where as many jobs wait as may."""
        with self._changed:
            if sum(job.ended_at is None for job in self._jobs.values()) >= MAX_JOBS:
                raise busy(f"{MAX_JOBS} recordings are worked on, as many as may wait: try again later.")

    def start(self, owner: Caller, work: Callable[[Job], dict[str, Any]]) -> Job:
        """Take on a job."""
        self.require_room()
        job = Job(owner, work)
        with self._changed:
            old = time.monotonic() - KEPT_SECONDS
            self._jobs = {k: j for k, j in self._jobs.items() if j.ended_at is None or j.ended_at > old}
            while len(self._jobs) >= 4 * MAX_JOBS:
                del self._jobs[next(k for k, j in self._jobs.items() if j.ended_at is not None)]
            self._jobs[job.id] = job
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="rest-jobs", daemon=True)
                self._thread.start()
            self._changed.notify()
        return job

    def get(self, id: str, caller: Caller) -> Job:
        """Raises Refusal where the caller has no such job."""
        job = self._jobs.get(id)
        if job is None or job.owner != caller:
            raise Refusal(HTTPStatus.NOT_FOUND, "There is no such job of yours: results are kept an hour.")
        return job

    def cancel(self, id: str, caller: Caller) -> None:
        """End a job, and forget it."""
        self.get(id, caller).stop.set()
        with self._changed:
            self._jobs.pop(id, None)

    def close(self) -> None:
        """The server ends."""
        for job in list(self._jobs.values()):
            job.stop.set()

    def _run(self) -> None:
        while True:
            with self._changed:
                waiting = [job for job in self._jobs.values() if job.state == "waiting"]
                if not waiting:
                    self._changed.wait()
                    continue
            waiting[0].run()
