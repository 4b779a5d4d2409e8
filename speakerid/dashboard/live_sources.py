"""Sources of sound for a live session, in one shape."""

import threading
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from speakerid.audio.ring import Ring

FIRST_FRAME_S = 10.0  # from START to the first sound; 0.6 to 1.5 s are usual, a busy computer takes longer
SILENT_SOURCE_S = 3.0  # a browser's stream without frames for so long has ended without telling


class Source(Protocol):
    """What the session needs of a source of sound: where its blocks are, and how it is."""

    ring: "Ring"
    closed: bool

    @property
    def error(self) -> str:
        """Why it has stopped by itself, for people; "" while it runs."""
        ...

    def close(self) -> object:
        """End it; may be called more than once."""
        ...


class OpenMicrophone:
    """A microphone of this computer that is open.

    Raises:
        AudioError: it cannot be opened.
    """

    def __init__(self, device: Any, ring: "Ring"):
        from speakerid.audio.microphone import Microphone

        self._microphone = Microphone(device, ring)
        self._microphone.__enter__()
        self.ring = ring
        self.closed = False

    @property
    def error(self) -> str:
        """Why it has stopped by itself, for people; "" while it runs."""
        return str(self._microphone.error or "")

    def close(self) -> None:
        """Give the microphone back."""
        if not self.closed:
            self.closed = True
            self._microphone.__exit__(None, None, None)


def gone_silent(source: Source, now: float) -> bool:
    """Whether a browser's stream has stopped without a word (`now` from `time.monotonic`)."""
    last = getattr(source, "last_frame_at", None)
    return not source.closed and last is not None and now - last > SILENT_SOURCE_S


class BrowserStream:
    """The WebRTC connection that brings a browser's sound, as streamlit-webrtc keeps it."""

    def __init__(self) -> None:
        self._context: Any = None
        self._track: Any = None
        self._loop: Any = None
        self._asked_at: float | None = None

    def use(self, context: Any) -> None:
        """Look after this context of `webrtc_streamer` from now on; after none where it is None."""
        self._context = context
        worker = self._worker()
        track = None if worker is None else worker.input_audio_track
        if track is not self._track:
            self._end_track()
            self._track, self._loop = track, None if worker is None else worker._loop

    def overdue(self, now: float) -> bool:
        """Whether a browser has wanted to send for so long, as far as was looked (`now` from
        `time.monotonic`), that its sound is not on the way any more. Ask only while none has come."""
        state = None if self._context is None else self._context.state
        if state is None or not (state.playing or state.signalling):
            self._asked_at = None
            return False
        self._asked_at = now if self._asked_at is None else self._asked_at
        return now - self._asked_at > FIRST_FRAME_S

    def arrived(self) -> None:
        """Its sound is here."""
        self._asked_at = None

    def hang_up(self) -> None:
        """Close the connection, its sockets and its threads; returns at once.

        streamlit-webrtc does so itself only when the page's script runs again, or when Streamlit drops the
        session, which is minutes after its tab was closed.
        """
        worker = self._worker()
        self._end_track()
        if worker is not None:
            threading.Thread(target=worker.stop, name="live-hang-up", daemon=True).start()

    def _worker(self) -> Any:
        """It has no public name. Without it, sockets would stay open for half a minute. Never kept here: the
        context takes the connection for over once nobody holds it."""
        return None if self._context is None else self._context._get_worker()

    def _end_track(self) -> None:
        """End the sound of a connection that never came up: aiortc leaves it waiting, with a thread."""
        track, self._track = self._track, None
        if track is not None and track.readyState == "live" and self._loop.is_running():
            self._loop.call_soon_threadsafe(track._queue.put_nowait, None)
