"""Recordings that are worked on beside the requests that brought them: asked for, answered later."""

import json
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
MAX_BYTES = 2_000_000_000  # of their recordings together
KEPT_SECONDS = 3600.0  # that a result is kept …
KEPT_BYTES = 200_000_000  # … as long as all of them together are no larger


class Job:
    """One of them. `work(job)` tells `heard` and `seconds`, and ends soon once `stop` is set.

    Attributes:
        size: bytes of the recording.
        result: what `work` made of it, as JSON.
    """

    def __init__(self, owner: Caller, work: Callable[["Job"], dict[str, Any]], size: int):
        self.id, self.owner, self._work, self.size = secrets.token_urlsafe(12), owner, work, size
        self.state = "waiting"
        self.error: str | None = None
        self.heard = 0.0
        self.seconds: float | None = None
        self.result: str | None = None
        self.stop = threading.Event()
        self.ended_at: float | None = None

    def told(self) -> str:
        """All that can be known of it, as JSON; the result, which may be long, was written once."""
        about = json.dumps(
            {name: getattr(self, name) for name in ("id", "state", "heard", "seconds", "error")}
        )
        return f'{about[:-1]}, "result": {self.result or "null"}}}'

    def run(self) -> None:
        """On the thread of the jobs."""
        self.state = "running"
        try:
            if not self.stop.is_set():
                self.result = json.dumps(self._work(self), ensure_ascii=False)
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
        self._changed = threading.Condition(threading.RLock())
        self._thread: threading.Thread | None = None

    def require_room(self, size: int = 0) -> None:
        """Raises Refusal where as many jobs wait as may, or one more of this size would be too much."""
        with self._changed:
            unfinished = [job for job in self._jobs.values() if job.ended_at is None]
            if len(unfinished) >= MAX_JOBS or sum(job.size for job in unfinished) + size > MAX_BYTES:
                raise busy(f"{len(unfinished)} recordings wait, as many as may: try again later.")

    def start(self, owner: Caller, work: Callable[[Job], dict[str, Any]], size: int) -> Job:
        """Take on a job for a recording of so many bytes."""
        job = Job(owner, work, size)
        with self._changed:
            self.require_room(size)
            self._forget_old()
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

    def _forget_old(self) -> None:
        """Results that are an hour old, and the oldest of those that are too many or too much."""
        old = time.monotonic() - KEPT_SECONDS
        ended = [job for job in self._jobs.values() if job.ended_at is not None]
        kept = sum(len(job.result or "") for job in ended)
        for number, job in enumerate(ended):
            if (job.ended_at or 0) < old or len(ended) - number >= 3 * MAX_JOBS or kept > KEPT_BYTES:
                del self._jobs[job.id]
                kept -= len(job.result or "")

    def _run(self) -> None:
        while True:
            with self._changed:
                waiting = [job for job in self._jobs.values() if job.state == "waiting"]
                if not waiting:
                    self._changed.wait()
                    continue
            waiting[0].run()
