"""The WebRTC connection that brings a browser's sound to a page: whether it lives, and its end."""

import threading
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import av

    from speakerid.audio.browser import BrowserSource
    from speakerid.dashboard.shared.sources import Source

FramesCallback = Callable[["list[av.AudioFrame]"], "Awaitable[list[av.AudioFrame]]"]

FIRST_FRAME_S = 10.0  # from START to the first sound; 0.6 to 1.5 s are usual, a busy computer takes longer
SILENT_SOURCE_S = 3.0  # a browser's stream without frames for so long has ended without telling
NO_FIRST_FRAME = (
    "The browser's sound does not get through. Press START again (STOP first, while that is shown); if it "
    "does not help, let UDP pass between the browser and the computer that runs this, or take another source."
)
NO_MORE_FRAMES = (
    "No sound has come from the browser for some seconds. Press START to go on (STOP first, while that is "
    "shown)."
)
# Chrome's own processing flips the polarity and starts 10 dB too loud; off in enrollment and live alike.
_CONSTRAINTS = {
    "audio": {"echoCancellation": False, "noiseSuppression": False, "autoGainControl": False},
    "video": False,
}
_UNSEEN_S = 1.5  # a page that runs twice a second and has not for so long is closed


def gone_silent(source: "Source", now: float) -> bool:
    """Whether a browser's stream has stopped without a word (`now` from `time.monotonic`)."""
    last = getattr(source, "last_frame_at", None)
    return not source.closed and last is not None and now - last > SILENT_SOURCE_S


def streamer(
    key: str,
    on_frames: FramesCallback,
    on_ended: Callable[[], None],
    *,
    device: str = "Device",
    playing: bool | None = None,
) -> Any:
    """Draw START, STOP and the choice of a device; -> the context of `webrtc_streamer`.

    Args:
        on_frames: gets frames on a thread of its own.
        device: what the choice is called.
        playing: whether to send; None leaves it to START and STOP.
    """
    from streamlit_webrtc import WebRtcMode, webrtc_streamer

    return webrtc_streamer(
        key=key,
        mode=WebRtcMode.SENDONLY,
        rtc_configuration={"iceServers": []},
        media_stream_constraints=_CONSTRAINTS,
        queued_audio_frames_callback=on_frames,
        on_audio_ended=on_ended,
        media_toggle_controls=False,
        desired_playing_state=playing,
        translations={"start": "START", "stop": "STOP", "select_device": device},
    )


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
        if not self._wanted():
            self._asked_at = None  # the next START is waited for anew
        worker = self._worker()
        track = None if worker is None else worker.input_audio_track
        if track is not self._track:
            self._end_track()
            self._track, self._loop = track, None if worker is None else worker._loop

    def overdue(self, now: float) -> bool:
        """Whether a browser has wanted to send for so long, as far as was looked (`now` from
        `time.monotonic`), that its sound is not on the way any more. Ask only while none has come."""
        if not self._wanted():
            self._asked_at = None
            return False
        self._asked_at = now if self._asked_at is None else self._asked_at
        return now - self._asked_at > FIRST_FRAME_S

    def _wanted(self) -> bool:
        """Whether the browser wants to send."""
        state = None if self._context is None else self._context.state
        return state is not None and (state.playing or state.signalling)

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
            threading.Thread(target=worker.stop, name="stream-hang-up", daemon=True).start()

    def _worker(self) -> Any:
        """It has no public name. Without it, sockets would stay open for half a minute. Never kept here: the
        context takes the connection for over once nobody holds it."""
        return None if self._context is None else self._context._get_worker()

    def _end_track(self) -> None:
        """End the sound of a connection that never came up: aiortc leaves it waiting, with a thread."""
        track, self._track = self._track, None
        if track is not None and track.readyState == "live" and self._loop.is_running():
            self._loop.call_soon_threadsafe(track._queue.put_nowait, None)


class RecordedStream(BrowserStream):
    """A connection whose page says twice a second that it is there; it ends with its tab (`supervise` it)."""

    def __init__(self) -> None:
        super().__init__()
        self._source: BrowserSource | None = None
        self._seen_at = time.monotonic()

    def feed(self, source: "BrowserSource") -> None:
        """Its sound goes there from now on."""
        if source is not self._source:
            self.arrived()  # or was given up: what was waited for before is over
        self._source = source

    def seen(self) -> None:
        """Its page is there."""
        self._seen_at = time.monotonic()

    def check(self, now: float) -> bool:
        """Hang up when page and sound are both gone (`now` from `time.monotonic`); False once it is over."""
        source = self._source
        if source is None or source.closed:
            return False
        unseen = now - self._seen_at
        gone = gone_silent(source, now) and unseen > _UNSEEN_S if source.frames else unseen > FIRST_FRAME_S
        if gone:
            self.hang_up()
        return not gone

    def stop(self) -> None:
        """End it, for the server's end."""
        self.hang_up()
