"""The browser's microphone: frames from streamlit-webrtc's queued callback into a ring.

    webrtc_streamer(..., queued_audio_frames_callback=source.on_frames, on_audio_ended=source.close)

The callback runs on a thread of the server's media code, which an exception would end for good and a slow
call would hold up together with every rerun of the page. So it converts, pushes and returns.
"""

import logging
import time
from typing import TYPE_CHECKING

from speakerid.audio.live import LiveConverter
from speakerid.audio.ring import Ring

if TYPE_CHECKING:
    import av

_log = logging.getLogger(__name__)


class BrowserSource:
    """One browser's microphone.

    Attributes:
        ring: where the blocks go; whoever listens pops them there.
        frames: frames received (50 a second).
        closed: the stream has ended.
        last_frame_at: `time.monotonic()` of the last frame, or None before the first. Some browsers go away
            without a word, so a source that has had no frame for some seconds is to be taken as closed.
        error: the sentence to show if a frame could not be used, else "".
    """

    def __init__(self, ring: Ring | None = None):
        self.ring = Ring() if ring is None else ring
        self.frames = 0
        self.closed = False
        self.last_frame_at: float | None = None
        self.error = ""
        self._converter = LiveConverter()

    async def on_frames(self, frames: "list[av.AudioFrame]") -> "list[av.AudioFrame]":
        """Take the frames that came since the last call; -> the same frames. Never raises, never waits."""
        for frame in frames:
            self.frames += 1
            try:
                block = self._converter.push(frame)
                self.ring.push(block, self._converter.gain_db)
            except Exception:
                if not self.error:  # once, not fifty times a second
                    _log.exception("A frame from the browser cannot be used")
                self.error = (
                    "The sound that comes from the browser cannot be read: press STOP, reload the page and "
                    "press START again, or choose another microphone in the browser."
                )
        self.last_frame_at = time.monotonic()
        return frames

    @property
    def gain_db(self) -> float:
        """By how much the sound is raised at the moment, because it comes in too quiet."""
        return self._converter.gain_db

    def close(self) -> None:
        """The stream has ended (STOP, reload, tab closed); may be called from any thread, more than once."""
        self.closed = True
