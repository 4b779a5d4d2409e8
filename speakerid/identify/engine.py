"""The one worker of a process: it owns the encoder and embeds the windows of all live sessions in batches."""

import logging
import threading

import numpy as np

from speakerid.audio.ring import Ring
from speakerid.errors import ModelError
from speakerid.identify.config import Window
from speakerid.identify.listener import EncoderLike, Listener
from speakerid.identify.session import OnUpdate, Session

PERIOD = 0.02  # seconds between looks at the rings: one frame of a browser
_log = logging.getLogger(__name__)


class Engine:
    """Listens to any number of sessions on one thread, which starts with the first of them.

    A session whose sound cannot be embedded, or whose Listener or on_update raises, is closed with a sentence
    in its `error` and logged; the others go on.
    """

    def __init__(self, encoder: EncoderLike):
        self.encoder = encoder
        self._sessions: list[Session] = []
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()

    def open(self, listener: Listener, ring: Ring, on_update: OnUpdate | None = None) -> Session:
        """Start to listen to what is pushed into a ring."""
        session = Session(listener, ring, on_update)
        with self._changed:
            if self._closing.is_set():
                raise RuntimeError("this Engine is closed")
            self._sessions.append(session)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="engine", daemon=True)
                self._thread.start()
            self._changed.notify()
        return session

    def close(self) -> None:
        """End all sessions and the thread."""
        self._closing.set()
        with self._changed:
            for session in self._sessions:
                session.close()
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _work(self) -> None:
        while not self._closing.is_set():
            with self._changed:
                self._sessions = [session for session in self._sessions if not session.closed]
                if not self._sessions:
                    self._changed.wait()
                    continue
                sessions = list(self._sessions)
            if not self._round(sessions):
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
            for session, windows in heard:
                self._guarded(session, lambda s=session, w=windows: self._embed_and_accept([(s, w)]))
        return bool(spoken)

    def _embed_and_accept(self, heard: list[tuple[Session, list[Window]]]) -> None:
        spoken = [window.samples for _, windows in heard for window in windows if window.samples is not None]
        made = self.encoder.embed(spoken) if spoken else ()
        if len(made) != len(spoken):
            raise ModelError(f"The voice model gave {len(made)} embeddings for {len(spoken)} windows.")
        embeddings = iter(made)
        for session, windows in heard:
            taken = [next(embeddings) if window.samples is not None else None for window in windows]
            self._guarded(session, lambda s=session, w=windows, e=taken: _accept(s, w, e))

    def _guarded(self, session: Session, what):
        try:
            return what()
        except Exception as error:
            _log.exception("a live session failed and is closed")
            session.fail(error)
            return None


def _accept(session: Session, windows: list[Window], embeddings: list[np.ndarray | None]) -> None:
    decisions = []
    for window, embedding in zip(windows, embeddings, strict=True):
        decisions += session.listener.accept(window, embedding)
    session.publish(decisions)
