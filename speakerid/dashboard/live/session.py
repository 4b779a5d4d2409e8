"""A live session: what one visitor hears, sees and may turn.

Frames of the browser's microphone come on a thread of streamlit-webrtc, everything else here is called by the
page's script; see `live_listening` for the other threads.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from speakerid.conversation.conversation import Conversation
from speakerid.conversation.kept_sound import KeepingRing
from speakerid.dashboard.live.demo_people import DemoPeople
from speakerid.dashboard.live.listening import Listening
from speakerid.dashboard.shared import resources
from speakerid.dashboard.shared.engine import supervise
from speakerid.dashboard.shared.sources import OpenMicrophone

if TYPE_CHECKING:
    from speakerid.dashboard.live.listening import PeopleFor
    from speakerid.gallery import Gallery
    from speakerid.model import Encoder

_AFTER_STOP_S = 0.5  # frames that still arrive after STOP do not start a new session


class LiveSession:
    """What one visitor hears and sees. Outlives the page: its log and timeline are there on return.

    Attributes:
        people, sound, board, publisher, stream: those of its `Listening`.
        choices: of the page's controls, which Streamlit forgets with the page.

    Raises:
        GalleryError: the folder of voiceprints cannot be read.
    """

    def __init__(self) -> None:
        self._listening = heard = Listening()
        self.people, self.sound, self.board = heard.people, heard.sound, heard.board
        self.publisher, self.stream = heard.publisher, heard.stream
        self.choices: dict[str, Any] = {}
        self._demo: DemoPeople | None = None  # holds its folder

    def watch(self, *, editing: bool = True) -> str:
        """The token under which a browser may watch; call at every run of the page.

        Args:
            editing: whether this visitor may correct the log and hear what is kept.
        """
        token = self.publisher.watch(editing=editing)
        supervise(self._listening)
        return token

    # -- what its Listening does ---------------------------------------------------------------------------

    @property
    def listening(self) -> bool:
        """Whether a source is on."""
        return self._listening.listening

    @property
    def by_browser(self) -> bool:
        """Whether the source that is on is the browser's microphone, which has a STOP of its own."""
        return self._listening.by_browser

    @property
    def model(self) -> str | None:
        """Id of the encoder, once it is loaded."""
        return self._listening.model

    @property
    def settings(self) -> dict[str, Any]:
        """Fields of `ListenerConfig`; the others are at their defaults."""
        return self._listening.settings

    def hint(self, sentence: str) -> None:
        """What to do to begin, shown until something is heard."""
        self._listening.hint(sentence)

    def configure(self, settings: dict[str, Any]) -> None:
        """Decide by these fields of `ListenerConfig` from now on; the others stay at their defaults."""
        self._listening.configure(settings)

    def guess_gender(self, on: bool) -> bool:
        """Say beside the name what a voice sounds like, or stop; False where the model has no head for it."""
        return self._listening.guess_gender(on)

    def start_again(self) -> None:
        """Forget what was heard, its sound included; a source that is on goes on."""
        self._listening.start_again()

    def stop(self) -> None:
        """End the source. What was heard stays."""
        self._listening.stop()

    def leave(self) -> None:
        """The visitor has gone: end the source, free the sound. The log stays."""
        self._listening.leave()

    # -- who and how -------------------------------------------------------------------------------------

    def keep_sound(self, on: bool) -> None:
        """Keep the sound from now on, or stop and free what was kept."""
        if on != self.sound.on:
            self.sound.keep(on)
            self.publisher.publish({"kind": "update", **self.board.around()})

    def named(self, name: str, starts: Sequence[float]) -> None:
        """Somebody was enrolled from the turns that began at these seconds: the log says so now.

        Raises:
            GalleryError: the folder of voiceprints cannot be read.
        """
        self.people.refresh()
        for start in starts:
            answer = self.board.correct(start, name)
            if answer is not None:
                self.publisher.publish(answer)

    def conversation(self) -> Conversation:
        """What was heard so far, by a name of its own."""
        return replace(self.board.conversation(), name=f"Session of {datetime.now():%Y-%m-%d %H:%M}")

    @property
    def demonstrating(self) -> bool:
        """Whether the demo's people are the ones to compare with."""
        return self._demo is not None and self.people.gallery is self._demo.gallery

    # -- sources -----------------------------------------------------------------------------------------

    async def on_frames(self, frames: list) -> list:
        """Frames of the browser's microphone, for `queued_audio_frames_callback`; the first ones start it."""
        from speakerid.audio.browser import BrowserSource

        source = self._listening.source
        if not isinstance(source, BrowserSource) or source.closed:
            if time.monotonic() - self._listening.stopped_at < _AFTER_STOP_S:
                return frames
            source = BrowserSource(KeepingRing(self.sound))
            self._listening.begin(source)
        return await source.on_frames(frames)

    def on_browser_ended(self) -> None:
        """The browser's stream has ended; only sets a flag, as this runs on the server's event loop."""
        from speakerid.audio.browser import BrowserSource

        source = self._listening.source
        if isinstance(source, BrowserSource):
            self._listening.stopped_at = time.monotonic()
            source.close()

    def end_browser(self) -> None:
        """Another source was chosen, and with the button of the browser's microphone its stream goes."""
        if self.by_browser:
            self.stop()
        self.stream.hang_up()
        self.stream.use(None)

    def start_microphone(self, device: Any = None) -> None:
        """Listen to a microphone of the computer that runs this.

        Raises:
            AudioError: it cannot be opened.
        """
        self.stop()
        self._listening.begin(OpenMicrophone(device, KeepingRing(self.sound)))

    def start_replay(self, recording: bytes | Path, people: "PeopleFor | None" = None) -> None:
        """Listen to a recording, a path or a file's bytes, in real time; browsers play it along.

        Args:
            people: whom an encoder compares with, instead of everybody who is enrolled.
        """
        from speakerid.audio.replay import Replay

        self.stop()
        self._listening.begin(Replay(recording, ring=KeepingRing(self.sound)).start(), people, recording)

    def start_demo(self) -> None:
        """Play the demo conversation to people who are enrolled for it alone, in a folder that goes with it.

        Raises:
            SpeakerIdError: the demo's voices cannot be enrolled.
        """
        from speakerid.dashboard import demo

        self._demo = DemoPeople(resources.loaded())
        self.stop()
        self.people.use(self._demo.gallery)
        self.start_again()
        self.start_replay(demo.CONVERSATION, self._demo_for)

    def _demo_for(self, encoder: "Encoder") -> "Gallery":
        """The demo's people as this encoder knows them, which was still loading when the demo began."""
        if self._demo is None or self._demo.model != encoder.id:
            self._demo = DemoPeople(encoder)
        return self._demo.gallery

    def end_demo(self) -> None:
        """Forget a demo that has ended, its people and its log: the visitors' own people are back.

        Raises:
            GalleryError: the folder of voiceprints cannot be read.
        """
        if self.demonstrating and not self.listening:
            self.people.use(resources.gallery())
            self._demo = None
            self.start_again()
            self._listening.hint("")
