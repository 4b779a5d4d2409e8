"""A live session: a source of sound, the Engine that listens to it, and the channel that browsers watch.

Threads: a page's script starts and stops sources; frames of the browser's microphone come on a thread of
streamlit-webrtc; decisions come on the Engine's thread; the supervisor looks after everything twice a second.
PyTorch is imported only once a session really listens.
"""

import logging
import threading
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from speakerid.dashboard import demo_people, resources
from speakerid.dashboard.board import Board
from speakerid.dashboard.live_engine import engine, supervise
from speakerid.dashboard.live_sources import OpenMicrophone, Source, gone_silent
from speakerid.dashboard.publisher import Publisher
from speakerid.errors import SpeakerIdError

if TYPE_CHECKING:
    from speakerid.gallery import Gallery, Voiceprint
    from speakerid.identify import Session

_log = logging.getLogger(__name__)

_DRAIN_S = 1.0  # what the Engine may need to hear the last of a source that has ended
_AFTER_STOP_S = 0.5  # frames that still arrive after STOP do not start a new session


class LiveSession:
    """What one visitor hears and sees. Outlives the page: its log and timeline are there on return.

    It also is the gallery that its Listener compares with: `speakers()` are those who take part.

    Raises:
        GalleryError: the folder of voiceprints cannot be read.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._gallery: Gallery = resources.gallery()
        self._revision = self._gallery.revision()
        self._people: list[Voiceprint] = list(self._gallery.speakers())
        self._left_out: frozenset[str] = frozenset()
        self._model: str | None = None  # id of the encoder, once it is loaded
        self._settings: dict[str, Any] = {}
        self._source: Source | None = None
        self._source_ended: float | None = None
        self._heard: Session | None = None
        self._attempt = 0  # number of the latest attempt to listen; an older one gives up
        self._stopped_at = 0.0
        self.board = Board(self.speakers())
        self.publisher = Publisher(self.board, self.stop)

    def watch(self) -> str:
        """The token under which a browser may watch; call at every run of the page."""
        token = self.publisher.watch()
        supervise(self)
        return token

    def hint(self, sentence: str) -> None:
        """What to do to begin, shown until something is heard."""
        if self._source is None and self.board.idle and sentence != self.board.status:
            self._say("idle", sentence)

    # -- who and how -------------------------------------------------------------------------------------

    def everybody(self) -> "Sequence[Voiceprint]":
        """All enrolled people, by name."""
        return self._people

    def speakers(self) -> "list[Voiceprint]":
        """The enrolled people who take part, by name."""
        return [
            person
            for person in self._people
            if person.name not in self._left_out and self._model in (None, person.model)
        ]

    def other_model(self) -> list[str]:
        """Names of people whose voiceprints another model made, so that they cannot be recognized now."""
        return [person.name for person in self._people if self._model not in (None, person.model)]

    def leave_out(self, names: Collection[str]) -> None:
        """Let these people take no part."""
        if frozenset(names) != self._left_out:
            self._left_out = frozenset(names)
            self._people_changed()

    def configure(self, settings: dict[str, Any]) -> None:
        """Decide by these fields of `ListenerConfig` from now on; the others stay at their defaults."""
        with self._lock:
            if settings == self._settings:
                return
            self._settings = dict(settings)
            heard = self._heard
        if heard is not None:
            heard.configure(**settings)

    def _people_changed(self) -> None:
        self.board.set_people(self.speakers())
        heard = self._heard
        if heard is not None:
            heard.reload()
        self.publisher.publish(self.board.hello())

    def _use(self, gallery: "Gallery") -> None:
        if gallery is not self._gallery:
            self._gallery, self._revision = gallery, gallery.revision()
            self._people = list(gallery.speakers())
            self._left_out = frozenset()
            self._people_changed()

    # -- sources -----------------------------------------------------------------------------------------

    @property
    def listening(self) -> bool:
        """Whether a source is on."""
        return self._source is not None

    async def on_frames(self, frames: list) -> list:
        """Frames of the browser's microphone, for `queued_audio_frames_callback`; the first ones start it."""
        from speakerid.audio.browser import BrowserSource

        source = self._source
        if not isinstance(source, BrowserSource) or source.closed:
            if time.monotonic() - self._stopped_at < _AFTER_STOP_S:
                return frames
            source = BrowserSource()
            self._begin(source)
        return await source.on_frames(frames)

    def on_browser_ended(self) -> None:
        """The browser's stream has ended; only sets a flag, as this runs on the server's event loop."""
        from speakerid.audio.browser import BrowserSource

        source = self._source
        if isinstance(source, BrowserSource):
            self._stopped_at = time.monotonic()
            source.close()

    def start_microphone(self, device: Any = None) -> None:
        """Listen to a microphone of the computer that runs this.

        Raises:
            AudioError: it cannot be opened.
        """
        self.stop()
        self._begin(OpenMicrophone(device))

    def start_replay(self, recording: bytes | Path) -> None:
        """Listen to a recording, a path or a file's bytes, in real time."""
        from speakerid.audio.replay import Replay

        self.stop()
        self._begin(Replay(recording).start())

    def start_demo(self) -> None:
        """Play the demo conversation to people who are enrolled for it alone, in memory of this process.

        Raises:
            SpeakerIdError: the demo's voices cannot be enrolled.
        """
        from speakerid.audio.replay import Replay
        from speakerid.dashboard import demo

        people = demo_people.gallery(resources.encoder())
        self.start_again_with(people)
        self._begin(Replay(demo.CONVERSATION).start(), people)

    def start_again_with(self, people: "Gallery") -> None:
        """Forget what was heard, and compare with these people."""
        self.stop()
        self._use(people)
        self.start_again()

    def _begin(self, source: Source, people: "Gallery | None" = None) -> None:
        with self._lock:
            self._end_listening()
            self._source, self._source_ended = source, None
        supervise(self)
        threading.Thread(target=self._listen, args=(people,), name="live-open", daemon=True).start()

    def _listen(self, people: "Gallery | None" = None) -> None:
        """Let the Engine listen to the source; waits for the encoder, so it runs on a thread of its own."""
        with self._lock:
            self._attempt += 1
            attempt = self._attempt
        if people is None:
            people = resources.gallery()
        self.board.new_listening()
        self._say("waiting", "Getting the voice model ready; what is said meanwhile is kept.")
        try:
            running = engine()
            from speakerid.identify import Listener, ListenerConfig

            encoder = resources.encoder()
            if self._model != encoder.id:
                self._model = encoder.id
                self._people_changed()
            self._use(people)
            listener = Listener(encoder, self, ListenerConfig(**self._settings))
        except SpeakerIdError as error:
            self._fail(str(error))
            return
        except Exception:
            _log.exception("a live session could not start")
            self._fail("Listening could not start; the server's log says why. Reload the page to try again.")
            return
        with self._lock:
            if attempt != self._attempt or self._source is None:
                return
            self._say("listening", "")
            self._heard = running.open(listener, self._source.ring, self.publisher.on_update)

    def start_again(self) -> None:
        """Forget what was heard; a source that is on goes on."""
        with self._lock:
            heard, self._heard = self._heard, None
        if heard is not None:
            heard.close()
        self.publisher.forget()
        self.board.start_again()
        self.publisher.publish(self.board.hello())
        if self._source is not None:
            self._listen(self._gallery)

    def stop(self) -> None:
        """End the source. What was heard stays."""
        with self._lock:
            was_on = self._source is not None
            self._stopped_at = time.monotonic()
            self._end_listening()
        if was_on:
            self._say("ended", "Stopped.")

    def _end_listening(self) -> None:
        self._attempt += 1
        source, self._source = self._source, None
        heard, self._heard = self._heard, None
        if source is not None:
            source.close()
        if heard is not None:
            heard.close()

    def _fail(self, sentence: str) -> None:
        with self._lock:
            self._end_listening()
        self._say("failed", sentence)

    def _say(self, kind: str, sentence: str) -> None:
        self.publisher.publish(self.board.set_status(kind, sentence))

    # -- the supervisor's part ---------------------------------------------------------------------------

    def check(self, now: float) -> bool:
        """Look after the session (`now` from `time.monotonic`); False when it needs nothing."""
        self.publisher.flush(now)
        source = self._source
        if source is not None:
            self._check_source(source, now)
        revision = self._gallery.revision()
        if revision != self._revision:
            self._revision, self._people = revision, list(self._gallery.speakers())
            self._people_changed()
        return self._source is not None or self.publisher.watched

    def _check_source(self, source: Source, now: float) -> None:
        if source.error:
            self._fail(source.error)
        elif self._heard is not None and self._heard.closed:
            self._fail("Listening has failed; the server's log says why. Press STOP and START to try again.")
        elif gone_silent(source, now):
            self._fail(
                "No sound has come from the browser for some seconds; press STOP, then START, to go on."
            )
        elif source.closed and self._source_ended is None:
            self._source_ended = now
        elif self._source_ended is not None and now - self._source_ended > _DRAIN_S:
            with self._lock:
                if self._source is source:
                    self._end_listening()
            self._say("ended", "The sound has ended.")
