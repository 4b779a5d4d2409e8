"""A source of sound in a live session, and the Engine that listens to it.

Threads: a page's script starts and stops sources, and so do the browser's first frames; a source opens on a
thread of its own, as that waits for the encoder; decisions come on the thread of `drawing`; the supervisor
looks after everything a few times a second.
"""

import itertools
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from speakerid.conversation.kept_sound import KeptSound
from speakerid.dashboard.live.board.board import Board
from speakerid.dashboard.live.drawing import beside, settle
from speakerid.dashboard.live.gender import GenderGuess
from speakerid.dashboard.live.participants import Participants
from speakerid.dashboard.live.publisher import Publisher
from speakerid.dashboard.shared import resources
from speakerid.dashboard.shared.browser_stream import (
    NO_FIRST_FRAME,
    NO_MORE_FRAMES,
    BrowserStream,
    gone_silent,
)
from speakerid.dashboard.shared.engine import engine, supervise
from speakerid.dashboard.shared.sources import Source
from speakerid.dashboard.shared.words import UNCALIBRATED
from speakerid.errors import SpeakerIdError

if TYPE_CHECKING:
    from speakerid.gallery import Gallery
    from speakerid.identify import Session
    from speakerid.model import Encoder

    PeopleFor = Callable[[Encoder], Gallery]  # whom to compare with, once it is known which model does

_log = logging.getLogger(__name__)

_DRAIN_S = 1.0  # what the Engine may need to hear the last of a source that has ended

_numbers = itertools.count(1)


class Listening:
    """Listens to one source at a time, and says what comes of it on a board.

    Attributes:
        people: who takes part.
        sound: what is kept of the sound; nothing until `sound.keep(True)`.
        board: what is shown.
        publisher: brings it to the browsers.
        stream: the connection that brings the browser's microphone.
        model: id of the encoder, once it is loaded.
        source: what is listened to; None while nothing is.
        settings: fields of `ListenerConfig`; the others are at their defaults.
        stopped_at: when the last source was ended (`time.monotonic`).

    Raises:
        GalleryError: the folder of voiceprints cannot be read.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self.people = Participants(resources.gallery(), self._people_changed)
        self.settings: dict[str, Any] = {}
        self._gender_wanted = False
        self.model: str | None = None
        self.source: Source | None = None
        self._source_ended: float | None = None
        self.stream = BrowserStream()
        self._played: bytes | Path | None = None  # the recording that browsers may play along
        self._heard: Session | None = None
        self._attempt = 0  # number of the latest attempt to listen; an older one gives up
        self.stopped_at = 0.0
        self.sound = KeptSound()
        self.board = Board(self.people.speakers(), self.sound, self.people.everybody())
        self.publisher = Publisher(self.board, self.leave, self.sound.cut, lambda: self._played)

    @property
    def listening(self) -> bool:
        """Whether a source is on."""
        return self.source is not None

    @property
    def by_browser(self) -> bool:
        """Whether the source that is on is the browser's microphone, which has a STOP of its own."""
        return self.source is not None and hasattr(self.source, "last_frame_at")

    def guess_gender(self, on: bool) -> bool:
        """Say beside the name what a voice sounds like, or stop; False where the model has no head for it."""
        self._gender_wanted = on
        before = self.board.gender
        if not on:
            self.board.gender = None
        elif self.board.gender is None and self.model is not None:
            self.board.gender = GenderGuess.load(self.model)
        if self.board.gender is not before:
            self.publisher.publish({"kind": "update", **self.board.around()})
        return not on or self.model is None or self.board.gender is not None

    def _people_changed(self) -> None:
        self.board.set_people(self.people.speakers(), self.people.everybody())
        heard = self._heard
        if heard is not None:
            heard.reload()
        self.publisher.publish(self.board.hello())

    def configure(self, settings: dict[str, Any]) -> None:
        """Decide by these fields of `ListenerConfig` from now on; the others stay at their defaults."""
        with self._lock:
            if settings == self.settings:
                return
            self.settings = dict(settings)
            heard = self._heard
        if heard is not None:
            heard.configure(**settings)

    def hint(self, sentence: str) -> None:
        """What to do to begin, shown until something is heard."""
        if self.source is None and self.board.state.idle and sentence != self.board.state.text:
            self._say("idle", sentence)

    def begin(
        self, source: Source, people: "PeopleFor | None" = None, played: bytes | Path | None = None
    ) -> None:
        """Listen to a source in place of the one before.

        Args:
            source: is open, or opens by itself.
            people: whom an encoder compares with, instead of everybody who is enrolled.
            played: the recording that browsers may play along.
        """
        with self._lock:
            self._end_listening()
            self.source, self._source_ended, self._played = source, None, played
            self.board.state.playing = None if played is None else (next(_numbers), source.ring)
        supervise(self)
        threading.Thread(target=self._listen, args=(people,), name="live-open", daemon=True).start()

    def _listen(self, people_for: "PeopleFor | None" = None) -> None:
        """Let the Engine listen to the source; waits for the encoder, so it runs on a thread of its own."""
        with self._lock:
            self._attempt += 1
            attempt = self._attempt
        self.board.new_listening()
        self._say("waiting", "Getting the voice model ready; what is said meanwhile is heard then.")
        try:
            running = engine()
            from speakerid.identify import Listener, ListenerConfig

            encoder = resources.encoder()
            people = people_for(encoder) if people_for else resources.gallery()
            self.model = self.board.model = encoder.id
            with self._lock:
                if attempt != self._attempt or self.source is None:
                    return  # ended meanwhile: the people of whatever came after stay
                self.people.compare_by(encoder.id)
                self.people.use(people)
            self.guess_gender(self._gender_wanted)
            listener = Listener(encoder, self.people, ListenerConfig(**self.settings))
        except SpeakerIdError as error:
            self._fail(str(error))
            return
        except Exception:
            _log.exception("a live session could not start")
            self._fail("Listening could not start; the server's log says why. Reload the page to try again.")
            return
        with self._lock:
            if attempt != self._attempt or self.source is None:
                return
            try:
                heard = running.open(listener, self.source.ring, beside(self.publisher.begin()))
            except SpeakerIdError as error:  # as many listen as the computer keeps up with
                self._fail(str(error))
                return
            self.board.state.remarks["model"] = "" if listener.scorer.calibrated else UNCALIBRATED
            self._say("listening", "")
            self.sound.begin(self.board.heard)
            self._heard = heard

    def start_again(self) -> None:
        """Forget what was heard, its sound included; a source that is on goes on."""
        with self._lock:
            heard, self._heard = self._heard, None
        if heard is not None:
            heard.close()
        self.publisher.end(forget=True)
        self.sound.forget()
        self.board.start_again()
        self.publisher.publish(self.board.hello())
        if self.source is not None:
            gallery = self.people.gallery
            self._listen(lambda encoder: gallery)

    def stop(self) -> None:
        """End the source. What was heard stays."""
        with self._lock:
            was_on = self.source is not None
            self.stopped_at = time.monotonic()
            self._end_listening()
        if was_on:
            self._say("ended", "Stopped.")

    def leave(self) -> None:
        """The visitor has gone to another page or for good: end the source, free the sound. The log stays."""
        self.stop()
        self.stream.hang_up()
        self.sound.keep(False)
        self._played = None

    def _end_listening(self) -> None:
        self._attempt += 1
        source, self.source = self.source, None
        heard, self._heard = self._heard, None
        if source is not None:
            source.close()
        if heard is not None:
            heard.close()
        settle()
        self.publisher.end()  # nothing of this listening may reach the next one's board

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
        source = self.source
        if source is not None:
            self.stream.arrived()
            if (sent := getattr(source, "last_frame_at", None)) is not None:
                self.publisher.touch(sent)  # its page is there, though a proxy may have cut the WebSocket
            self._check_source(source, now)
        elif self.stream.overdue(now) and self.board.state.text != NO_FIRST_FRAME:
            self._say("failed", NO_FIRST_FRAME)
        self._refresh_people()
        return self.source is not None or self.publisher.watched

    def _refresh_people(self) -> None:
        """Take in who was enrolled; while their folder cannot be read, say so and go on with those known."""
        try:
            self.people.refresh()
            trouble = ""
        except SpeakerIdError as error:
            trouble = f"{error} Until then the page goes on with the people it knew before."
        if trouble != self.board.state.remarks.get("people", ""):
            self.board.state.remarks["people"] = trouble
            self.publisher.publish({"kind": "update", **self.board.around()})

    def _check_source(self, source: Source, now: float) -> None:
        heard = self._heard
        if source.error:
            self._fail(source.error)
        elif heard is not None and heard.closed:
            self._fail(heard.error)
        elif gone_silent(source, now):
            self._fail(NO_MORE_FRAMES)
            if not self.publisher.viewers:  # a page that is still there may send again
                self.stream.hang_up()
        elif source.closed and self._source_ended is None:
            self._source_ended = now
        elif self._source_ended is not None and now - self._source_ended > _DRAIN_S:
            with self._lock:
                if self.source is not source:
                    return
                self._end_listening()
            self._say("ended", "The sound has ended.")
