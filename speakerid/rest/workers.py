"""Threads for what takes long, so that the event loop never waits; bounded in number, queue and memory."""

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

from starlette.requests import Request

from speakerid.plural import counted
from speakerid.rest.refusals import Refusal, busy

Result = TypeVar("Result")
BYTES_AT_ONCE = 2_000_000_000  # of all requests' bodies that are in memory together


@dataclass(eq=False)
class _Job:
    work: Callable[[threading.Event], Any]
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Any]"
    stop: threading.Event

    def settle(self, result: Any, error: BaseException | None) -> None:
        if self.future.done():
            return
        if error is None:
            self.future.set_result(result)
        else:
            self.future.set_exception(error)


class Workers:
    """Runs work on daemon threads: one that cannot be interrupted must not keep the process from ending.

    All methods are called on the event loop.

    Args:
        threads: how many work at once.
        waiting: requests that may wait for them; more are refused.
    """

    def __init__(self, threads: int, waiting: int):
        self._places = threads + waiting
        self._taken = self._bytes = 0
        self._ending = False
        self._queue: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._jobs: set[_Job] = set()
        for number in range(threads):
            threading.Thread(target=self._work, name=f"rest-{number + 1}", daemon=True).start()

    @contextmanager
    def place(self) -> "Iterator[Place]":
        """A place among the requests that are worked on; take it before reading the body.

        Raises:
            Refusal: all places are taken, or the server is ending.
        """
        if self._ending:
            raise _ended()
        if self._taken >= self._places:
            raise busy(
                f"{counted(self._taken, 'request is', 'requests are')} worked on and no more can wait: "
                "try again in a moment."
            )
        self._taken += 1
        place = Place(self)
        try:
            yield place
        finally:
            self._taken -= 1
            self._bytes -= place.bytes

    def require_place(self) -> None:
        """Raises Refusal where `place` would: to refuse a request before its body is read."""
        with self.place():
            return

    def close(self) -> None:
        """The server ends: refuse whoever waits, and tell what runs to stop."""
        self._ending = True
        for job in self._jobs:
            job.stop.set()
            job.settle(None, _ended())

    async def run(self, work: Callable[[threading.Event], Result]) -> Result:
        """As `Place.run`, for what is quick and has no body: a place of its own."""
        with self.place() as place:
            return await place.run(work)

    def _work(self) -> None:
        while True:
            job = self._queue.get()
            result, error = None, None
            try:
                stop_if(job.stop)
                result = job.work(job.stop)
            except BaseException as raised:
                error = raised
            with suppress(RuntimeError):  # the loop has ended, and with it everybody who waited
                job.loop.call_soon_threadsafe(job.settle, result, error)
            del job, result, error  # they hold a recording


class Place:
    """A request's place among those that are worked on.

    Attributes:
        bytes: of its body so far.
    """

    def __init__(self, workers: Workers):
        self._workers = workers
        self.bytes = 0

    def take(self, count: int) -> None:
        """Count bytes that were read.

        Raises:
            Refusal: the requests together would take too much memory.
        """
        if self._workers._bytes + count > BYTES_AT_ONCE:
            raise busy("Other requests bring many recordings just now: try again in a moment.")
        self.bytes += count
        self._workers._bytes += count

    async def run(self, work: Callable[[threading.Event], Result], request: Request | None = None) -> Result:
        """Run work on a thread and wait for it.

        Args:
            work: gets an event that is set once nobody waits for the result any more; raises what it likes.
            request: whose body has been read; once its client has gone, the event is set.
        """
        loop = asyncio.get_running_loop()
        job = _Job(work, loop, loop.create_future(), threading.Event())
        self._workers._jobs.add(job)
        self._workers._queue.put(job)
        watcher = asyncio.create_task(_until_gone(request, job.stop)) if request else None
        try:
            return await job.future  # even where the client has gone: until then the thread is taken
        finally:
            job.stop.set()
            self._workers._jobs.discard(job)
            if watcher:
                watcher.cancel()


def stop_if(stop: threading.Event) -> None:
    """Between steps of long work: end it where nobody waits for its result.

    Raises:
        Refusal: to end it.
    """
    if stop.is_set():
        raise _ended()


async def _until_gone(request: Request, stop: threading.Event) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    stop.set()


def _ended() -> Refusal:
    sentence = "The server is ending: try again once it has been started again."
    return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, sentence)
