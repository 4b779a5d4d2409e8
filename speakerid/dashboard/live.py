"""A live session: a source of sound, the Engine that listens to it, and the channel that browsers watch.

Threads: a page's script starts and stops sources; frames of the browser's microphone come on a thread of
streamlit-webrtc; `_on_update` runs on the Engine's thread; one supervisor thread for the whole process ends what
nobody uses any more. PyTorch is imported only once a session really listens.
"""

import logging
import threading
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from speakerid.dashboard import resources
from speakerid.dashboard.board import Board
from speakerid.dashboard.channel import CHANNELS, Channel, Message
from speakerid.errors import SpeakerIdError

if TYPE_CHECKING:
    import numpy as np

    from speakerid.audio.ring import Ring
    from speakerid.gallery import Voiceprint
    from speakerid.identify import Decision, Engine, ListenerConfig, Session, Snapshot

_log = logging.getLogger(__name__)

PUBLISH_S = 0.09  # at most about ten updates a second; a change of the name is sent at once
SILENT_SOURCE_S = 3.0  # a browser's stream without frames for so long has ended without telling
_DRAIN_S = 1.0  # what the Engine may need to hear the last of a source that has ended
_AFTER_STOP_S = 0.5  # frames that still arrive after STOP do not start a new session
_TICK_S = 0.4

_engine: "Engine | None" = None
_engine_lock = threading.Lock()
_sessions: "set[LiveSession]" = set()
_sessions_lock = threading.Lock()
_supervisor: threading.Thread | None = None


class Source(Protocol):
    """What the session needs of a source of sound."""

    ring: "Ring"

    @property
    def closed(self) -> bool: ...
    @property
    def error(self) -> Any: ...
    def close(self) -> Any: ...


def engine() -> "Engine":
    """The Engine of this process; waits until the encoder is loaded.

    Raises:
        ModelError: the encoder could not be loaded.
    """
    global _engine
    encoder = resources.encoder()
    with _engine_lock:
        if _engine is None:
            from speakerid.identify import Engine

            _engine = Engine(encoder)
        return _engine


def shutdown() -> None:
    """End every session and the Engine, for the server's end."""
    global _engine
    with _sessions_lock:
        sessions = tuple(_sessions)
    for session in sessions:
        session.stop()
    with _engine_lock:
        running, _engine = _engine, None
    if running is not None:
        running.close()


class LiveSession:
    """What one visitor hears and sees. Outlives the page: its log and timeline are there on return."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._publish_lock = threading.Lock()
        self._people, self._revision = _read_gallery()
        self._left_out: frozenset[str] = frozenset()
        self._config: ListenerConfig | None = None
        self.board = Board(self.speakers())
        self.channel: Channel | None = None
        self._source: Source | None = None
        self._heard: Session | None = None
        self._opening = 0  # number of the latest attempt to listen; an older one gives up
        self._source_ended: float | None = None
        self._stopped_at = 0.0
        self._pending: list[Decision] = []
        self._first_pending = 0.0
        self._published = 0.0
        self._latest: Snapshot | None = None
        self._shown: str | None = None
        self._sent: dict[int, tuple[float, float]] = {}  # message → (decided at, ms from ring to decision)

    # -- watching ----------------------------------------------------------------------------------------

    def watch(self) -> str:
        """The token under which a browser may watch; call at every run of the page."""
        with self._lock:
            if self.channel is None or self.channel.closed:
                self.channel = CHANNELS.add(Channel(self.board.hello, self._received, self.stop))
                self.channel.exports = self.board.export
            self.channel.touch()
            _supervise(self)
            return self.channel.token

    def renew(self) -> None:
        """Give the channel up; the next `watch` opens another one."""
        with self._lock:
            channel, self.channel = self.channel, None
        if channel is not None:
            CHANNELS.close(channel)

    def _publish(self, message: Message) -> int | None:
        channel = self.channel
        return None if channel is None or channel.closed else channel.publish(message)

    def _received(self, message: Message) -> None:
        number, held = message.get("drawn"), message.get("held")
        if isinstance(number, int) and isinstance(held, int | float):
            sent = self._sent.pop(number, None)
            if sent is not None:
                # The browser held the message for `held` ms until it was on the screen; half of what is left of
                # the round trip was the way there.
                since = (time.monotonic() - sent[0]) * 1000
                self.board.took(sent[1] + held + max(0.0, since - held) / 2)
        index, name = message.get("correct"), message.get("name")
        if isinstance(index, int) and isinstance(name, str):
            answer = self.board.correct(index, name)
            if answer is not None:
                self._publish(answer)

    # -- who and how -------------------------------------------------------------------------------------

    def speakers(self) -> "Sequence[Voiceprint]":
        """The enrolled people who take part, by name; what the Listener compares with."""
        return [person for person in self._people if person.name not in self._left_out]

    def everybody(self) -> "Sequence[Voiceprint]":
        """All enrolled people, by name."""
        return self._people

    def leave_out(self, names: Collection[str]) -> None:
        """Let these people take no part."""
        if frozenset(names) != self._left_out:
            self._left_out = frozenset(names)
            self._people_changed()

    def configure(self, config: "ListenerConfig") -> None:
        """Decide in another way from now on."""
        with self._lock:
            if config == self._config:
                return
            self._config = config
            listener = self._heard.listener if self._heard else None
        if listener is not None:
            listener.configure(config)

    def _people_changed(self) -> None:
        self.board.set_people(self.speakers())
        heard = self._heard
        if heard is not None:
            heard.listener.reload()
        self._publish(self.board.hello())

    # -- sources -----------------------------------------------------------------------------------------

    @property
    def listening(self) -> bool:
        """Whether a source is on."""
        return self._source is not None

    async def on_frames(self, frames: list) -> list:
        """Frames of the browser's microphone, for `queued_audio_frames_callback`; the first one starts listening."""
        from speakerid.audio.browser import BrowserSource

        source = self._source
        if not isinstance(source, BrowserSource) or source.closed:
            if time.monotonic() - self._stopped_at < _AFTER_STOP_S:
                return []
            source = BrowserSource()
            self._begin(source)
        return await source.on_frames(frames)

    def on_browser_ended(self) -> None:
        """The browser's stream has ended; only sets a flag, as this runs on the server's event loop."""
        self._stopped_at = time.monotonic()
        source = self._source
        if source is not None:
            source.close()

    def start_microphone(self, device: Any = None) -> None:
        """Listen to a microphone of the computer that runs this.

        Raises:
            AudioError: it cannot be opened.
        """
        from speakerid.audio.microphone import Microphone

        self.stop()
        microphone = Microphone(device)
        microphone.__enter__()
        self._begin(_OpenMicrophone(microphone))

    def start_replay(self, recording: "np.ndarray | str | Path") -> None:
        """Listen to a recording (a path, or samples [n]), in real time.

        Raises:
            AudioError: it cannot be decoded.
        """
        from speakerid.audio.replay import Replay

        self.stop()
        replay = Replay(recording)
        replay.start()
        self._begin(replay)

    def _begin(self, source: Source) -> None:
        with self._lock:
            self._end_listening()
            self._source = source
            self._source_ended = None
            _supervise(self)
        self._listen()

    def _listen(self) -> None:
        """Let the Engine listen to the source, in the background: the encoder may still be loading."""
        with self._lock:
            self._opening += 1
            attempt = self._opening
        self.board.new_listening()
        self._say("waiting", "Getting the voice model ready; what is said meanwhile is kept.")
        threading.Thread(target=self._open, args=(attempt,), name="live-open", daemon=True).start()

    def _open(self, attempt: int) -> None:
        try:
            running = engine()
            from speakerid.identify import Listener, ListenerConfig

            config = self._config or ListenerConfig()
            listener = Listener(resources.encoder(), self, config)  # this session is the gallery: .speakers()
        except SpeakerIdError as error:
            self._fail(str(error))
            return
        except Exception:
            _log.exception("a live session could not start")
            self._fail(
                "The live session could not start; the server's log says why. Reload the page to try again."
            )
            return
        with self._lock:
            if attempt != self._opening or self._source is None:
                return
            self._heard = running.open(listener, self._source.ring, self._on_update)
        self._say("listening", "")

    def start_again(self) -> None:
        """Forget what was heard; a source that is on goes on."""
        with self._lock:
            heard, self._heard = self._heard, None
        if heard is not None:
            heard.close()
        self.board.start_again()
        self._publish(self.board.hello())
        if self._source is not None:
            self._listen()

    def stop(self) -> None:
        """End the source. What was heard stays."""
        with self._lock:
            was_on = self._source is not None
            self._stopped_at = time.monotonic()
            self._end_listening()
        if was_on:
            self._say("ended", "Stopped.")

    def _end_listening(self) -> None:
        self._opening += 1
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
        self._publish(self.board.set_status(kind, sentence))

    # -- what the Engine says ----------------------------------------------------------------------------

    def _on_update(self, snapshot: "Snapshot", decisions: "list[Decision]") -> None:
        now = time.monotonic()
        with self._publish_lock:
            if decisions and not self._pending:
                self._first_pending = now
            self._pending.extend(decisions)
            self._latest = snapshot
            shown = snapshot.decision.speaker if snapshot.decision else None
            if now - self._published < PUBLISH_S and shown == self._shown:
                return
            self._shown = shown
            self._flush(now)

    def _flush(self, now: float) -> None:
        snapshot, self._latest = self._latest, None
        if snapshot is None:
            return
        pending, self._pending = self._pending, []
        self._published = now
        number = self._publish(self.board.update(snapshot, pending))
        if number is not None and pending and snapshot.latency_ms is not None:
            self._sent[number] = (self._first_pending, snapshot.latency_ms)
            self._sent.pop(number - 50, None)  # answers that never came

    # -- the supervisor's part ---------------------------------------------------------------------------

    def check(self, now: float) -> bool:
        """Look after the session; False when there is nothing left to look after."""
        with self._publish_lock:
            if self._latest is not None and now - self._published > PUBLISH_S:
                self._flush(now)
        source = self._source
        if source is not None:
            self._check_source(source, now)
        if _gallery_revision() != self._revision:
            self._people, self._revision = _read_gallery()
            self._people_changed()
        return self._source is not None or (self.channel is not None and not self.channel.closed)

    def _check_source(self, source: Source, now: float) -> None:
        if source.error:
            self._fail(str(source.error))
            return
        last = getattr(source, "last_frame_at", None)
        if not source.closed and last is not None and now - last > SILENT_SOURCE_S:
            self._fail("No sound has come from the browser for some seconds; press STOP and START to go on.")
        elif source.closed and self._source_ended is None:
            self._source_ended = now
        elif self._source_ended is not None and now - self._source_ended > _DRAIN_S:
            with self._lock:
                if self._source is source:
                    self._end_listening()
            self._say("ended", "The sound has ended.")


class _OpenMicrophone:
    """A microphone that is open, in the shape of the other sources."""

    def __init__(self, microphone: Any):
        self._microphone = microphone
        self.ring: Ring = microphone.ring
        self.closed = False

    @property
    def error(self) -> Any:
        return self._microphone.error

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._microphone.__exit__(None, None, None)


def _read_gallery() -> "tuple[list[Voiceprint], Any]":
    gallery = resources.gallery()
    revision = gallery.revision()
    return list(gallery.speakers()), revision


def _gallery_revision() -> Any:
    return resources.gallery().revision()


def _supervise(session: LiveSession) -> None:
    global _supervisor
    with _sessions_lock:
        _sessions.add(session)
        if _supervisor is None:
            _supervisor = threading.Thread(target=_look_after, name="live-supervisor", daemon=True)
            _supervisor.start()


def _look_after() -> None:
    while True:
        time.sleep(_TICK_S)
        CHANNELS.reap()
        with _sessions_lock:
            sessions = tuple(_sessions)
        for session in sessions:
            try:
                needed = session.check(time.monotonic())
            except Exception:
                _log.exception("a live session could not be looked after")
                continue
            if not needed:
                with _sessions_lock:
                    _sessions.discard(session)
