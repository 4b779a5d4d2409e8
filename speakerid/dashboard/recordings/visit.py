"""What one visitor's session remembers of the Recordings page, on whatever page they are."""

import threading
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING
from weakref import WeakSet

from speakerid.audio.container import Sound
from speakerid.audio.decode import stream
from speakerid.conversation.analysis import Analysis
from speakerid.conversation.conversation import Conversation
from speakerid.dashboard.shared import heard
from speakerid.errors import AudioError
from speakerid.gallery import Gallery
from speakerid.identify import Listener
from speakerid.plural import counted

if TYPE_CHECKING:
    from speakerid.model import Encoder

LONGEST_HOURS = 4
MOST_AT_ONCE = 3
"""Recordings that are analyzed at once, of all visitors: each takes a core."""

_analyses: WeakSet[Analysis] = WeakSet()
_starting = threading.Lock()


class RecordingPage:
    """The recording that a visitor chose last; the analysis goes on while they look at other pages.

    Attributes:
        analysis: of the recording that was chosen last; None before.
        name: the recording's.
        duration: seconds that its header promises; 0.0 if it does not say.
    """

    def __init__(self) -> None:
        self.analysis: Analysis | None = None
        self.name = ""
        self.duration = 0.0
        self._conversation: Conversation | None = None
        self._token = ""

    def start(self, data: bytes, name: str, encoder: "Callable[[], Encoder]", gallery: Gallery) -> None:
        """Begin to analyze a recording, instead of the one before.

        Raises:
            AudioError: it is no recording or too long, or too many are analyzed already.
        """
        sound = Sound(data, name)
        duration = sound.told
        sound.close()
        longest = LONGEST_HOURS * 3600.0
        if duration > longest:
            raise AudioError(
                f"{name} is {duration / 3600:.1f} hours long, and {LONGEST_HOURS} hours are the most: cut it "
                "into parts and analyze one after the other."
            )
        with _starting:
            others = [one for one in _analyses if one is not self.analysis and one.heard.running]
            if len(others) >= MOST_AT_ONCE:
                raise AudioError(
                    f"{counted(len(others), 'recording is', 'recordings are')} being analyzed on this "
                    "computer, the most at once: try again when one of them has ended."
                )
            self.close()
            self.duration, self.name = duration, name
            recording = stream(data, name=name, max_seconds=longest)
            self.analysis = Analysis(recording, lambda: Listener(encoder(), gallery), PurePath(name).stem)
            _analyses.add(self.analysis)
            self._token = heard.offer(self.analysis.sound)

    @property
    def sound_url(self) -> str:
        """Where the browser hears the whole recording."""
        return f"/api/recording/{self._token}/sound.wav"

    @property
    def conversation(self) -> Conversation:
        """Who spoke when in the recording of a finished analysis, with what a person corrected."""
        if self._conversation is None:
            if self.analysis is None or self.analysis.heard.running:
                return Conversation(self.name, 0.0, (), "", True)
            self._conversation = self.analysis.conversation
        return self._conversation

    def named(self, name: str, starts: Sequence[float]) -> None:
        """A person says who speaks in the turns that begin at these seconds."""
        self._conversation = self.conversation.corrected(name, starts)

    def close(self) -> None:
        """End the analysis and forget it."""
        if self.analysis:
            self.analysis.close()
        self.analysis = self._conversation = None
