"""The workers of a process: they own the encoder and embed the windows of all live sessions in batches."""

import logging
import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import numpy as np

from speakerid.audio.format import RATE
from speakerid.audio.ring import Ring
from speakerid.errors import ModelError, SpeakerIdError
from speakerid.identify.config import Window
from speakerid.identify.decision import Decision
from speakerid.identify.listener import Listener
from speakerid.identify.session import OnUpdate, Session
from speakerid.model.embedder import Embedder
from speakerid.plural import counted

PERIOD = 0.02  # seconds between looks at the rings: one frame of a browser
MOST_WORKERS = 8
BATCH = 4  # sessions that a worker hears at once: more would make the first of them wait for the last
# What a second of sound costs a session, in embeddings of 3 s, and the share of the processors that sessions
# may take. On twelve conversations it was 3.1 (37 ms, where an embedding took 12) with strangers alone, whose
# voices are soon clear; others are looked at more often.
EMBEDDINGS_A_SECOND, SHARE = 5.0, 0.8
_log = logging.getLogger(__name__)
T = TypeVar("T")


class EngineFull(SpeakerIdError):
    """As many sessions are open as this computer keeps up with."""


class Engine:
    """Listens to any number of sessions that this computer keeps up with.

    A thread for each core, started with the first session; a session is heard by whichever is free, those
    that have waited longest first. A session whose sound cannot be embedded, or whose Listener or on_update
    raises, is closed with a sentence in its `error` and logged; the others go on.

    Args:
        capacity: most sessions at once; measured when the first one is opened where none is given.
        workers: threads; by default one for each core.
    """

    def __init__(self, encoder: Embedder, capacity: int | None = None, workers: int | None = None):
        self.encoder = encoder
        self.workers = workers or min(os.cpu_count() or 1, MOST_WORKERS)
        self._capacity = capacity
        self._sessions: list[Session] = []
        self._waiting: deque[Session] = deque()  # those that no worker hears just now, longest waiting first
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._closing = threading.Event()

    @property
    def capacity(self) -> int:
        """How many sessions this computer keeps up with, all of them speaking."""
        if self._capacity is None:
            self._capacity = _measured(self.encoder, self.workers)
        return self._capacity

    @property
    def idle(self) -> bool:
        """Whether nobody listens."""
        return all(session.closed for session in self._sessions)

    @property
    def full(self) -> str:
        """Why no further session can be opened, with a remedy; "" if one can."""
        count = sum(not session.closed for session in self._sessions)
        if count < self.capacity:
            return ""
        return (
            f"{counted(count, 'session is', 'sessions are')} listening, as many as this computer keeps up "
            "with: stop one of them, or try again once one has ended."
        )

    def open(self, listener: Listener, ring: Ring, on_update: OnUpdate | None = None) -> Session:
        """Start to listen to what is pushed into a ring.

        Raises:
            EngineFull: the computer would not keep up.
        """
        with self._changed:
            if self._closing.is_set():
                raise RuntimeError("this Engine is closed")
            if why := self.full:
                raise EngineFull(why)
            session = Session(listener, ring, on_update)
            self._sessions.append(session)
            self._waiting.append(session)
            while len(self._threads) < self.workers:
                name = f"engine-{len(self._threads) + 1}"
                self._threads.append(threading.Thread(target=self._work, name=name, daemon=True))
                self._threads[-1].start()
            self._changed.notify_all()
        return session

    def close(self) -> None:
        """End all sessions and the threads."""
        self._closing.set()
        with self._changed:
            for session in self._sessions:
                session.close()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(timeout=5)

    def _work(self) -> None:
        while not self._closing.is_set():
            with self._changed:
                self._sessions = [session for session in self._sessions if not session.closed]
                if not self._sessions:
                    self._waiting.clear()
                    self._changed.wait()
                    continue
                share = min(math.ceil(len(self._sessions) / self.workers), BATCH, len(self._waiting))
                sessions = [self._waiting.popleft() for _ in range(share)]
            busy = self._round([session for session in sessions if not session.closed])
            with self._changed:
                self._waiting.extend(session for session in sessions if not session.closed)
            if not busy:
                self._closing.wait(PERIOD)

    def _round(self, sessions: list[Session]) -> bool:
        """Hear what came, embed it together, decide. True when there was something to embed."""
        heard: list[tuple[Session, list[Window]]] = []
        for session in sessions:
            windows = self._guarded(session, session.hear)
            if windows is not None:
                heard.append((session, windows))
        spoken = [window for _, windows in heard for window in windows if window.samples is not None]
        try:
            self._embed_and_accept(heard)
        except Exception:
            # One window that cannot be embedded spoils its batch: find its session, let the others go on.
            for one in heard:
                self._guarded(one[0], partial(self._embed_and_accept, [one]))
        return bool(spoken)

    def _embed_and_accept(self, heard: list[tuple[Session, list[Window]]]) -> None:
        spoken = [window.samples for _, windows in heard for window in windows if window.samples is not None]
        made = self.encoder.embed(spoken) if spoken else ()
        if len(made) != len(spoken):
            raise ModelError(f"The voice model gave {len(made)} embeddings for {len(spoken)} windows.")
        embeddings = iter(made)
        for session, windows in heard:
            taken = [next(embeddings) if window.samples is not None else None for window in windows]
            self._guarded(session, partial(_accept, session, windows, taken))

    def _guarded(self, session: Session, what: Callable[[], T]) -> T | None:
        try:
            return what()
        except Exception as error:
            _log.exception("a live session failed and is closed")
            session.fail(error)
            return None


def _accept(session: Session, windows: list[Window], embeddings: list[np.ndarray | None]) -> None:
    decisions: list[Decision] = []
    for window, embedding in zip(windows, embeddings, strict=True):
        decisions += session.listener.accept(window, embedding)
    session.publish(decisions)


def _measured(encoder: Embedder, workers: int) -> int:
    """Sessions that so many workers keep up with, from what one embedding costs of a processor's time."""
    block = np.random.default_rng(0).normal(0, 0.1, 3 * RATE).astype(np.float32)
    costs: list[float] = []
    for _ in range(4):  # the first one warms up
        began = time.thread_time()
        encoder.embed([block])
        costs.append(time.thread_time() - began)
    second = EMBEDDINGS_A_SECOND * max(min(costs), 1e-4)
    return max(1, int(SHARE * workers / second))
