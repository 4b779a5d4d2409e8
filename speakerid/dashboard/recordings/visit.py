"""What one visit to the Recordings page remembers."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from speakerid.audio.container import Sound
from speakerid.audio.decode import stream
from speakerid.conversation.analysis import Analysis
from speakerid.conversation.entry import Entry
from speakerid.gallery import Gallery
from speakerid.identify import Listener

if TYPE_CHECKING:
    from speakerid.model import Encoder


class RecordingPage:
    """What one visit to the Recordings page remembers.

    Attributes:
        analysis: of the recording that was chosen last; None before.
        name: the recording's.
        duration: seconds that its header promises; 0.0 if it does not say.
    """

    def __init__(self) -> None:
        self.analysis: Analysis | None = None
        self.name = ""
        self.duration = 0.0
        self._entries: list[Entry] | None = None

    def start(self, data: bytes, name: str, encoder: "Callable[[], Encoder]", gallery: Gallery) -> None:
        """Begin to analyze a recording, instead of the one before.

        Raises:
            AudioError: it is no recording.
        """
        self.close()
        sound = Sound(data, name)
        self.duration = sound.told
        sound.close()
        self.name = name
        self.analysis = Analysis(stream(data, name=name), lambda: Listener(encoder(), gallery))

    def entries(self) -> list[Entry]:
        """The turns of a finished analysis."""
        if self._entries is None:
            self._entries = self.analysis.entries() if self.analysis else []
        return self._entries

    def named(self, name: str, starts: Sequence[float]) -> None:
        """A person says who speaks in the turns that begin at these seconds."""
        self._entries = [
            replace(entry, speaker=name) if entry.start in starts else entry for entry in self.entries()
        ]

    def close(self) -> None:
        """End the analysis and forget it."""
        if self.analysis:
            self.analysis.close()
        self.analysis = self._entries = None
