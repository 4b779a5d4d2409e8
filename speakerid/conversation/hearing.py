"""From a recording to a Conversation: a Listener over its blocks, then the second look."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from speakerid.audio.decode import stream
from speakerid.audio.format import RATE, Block
from speakerid.conversation.conversation import Conversation
from speakerid.conversation.pieces import Gathering, Pieces
from speakerid.conversation.second_look import second_look
from speakerid.identify import Decision, Listener, ListenerConfig, Turn
from speakerid.model import companions

if TYPE_CHECKING:
    from speakerid.gallery import Gallery
    from speakerid.model import Encoder


class Hearing:
    """One recording on its way to a Conversation, in whatever thread; every door hears recordings so.

    Args:
        listener: says whom to look for, and has the first look.
        first_look: whether its decisions and turns are wanted while the recording is heard. What comes of it
            in the end is the same without, in a fraction of the time.

    Attributes:
        seconds: of audio heard so far.
        pieces: of the recording, once it has ended.
    """

    def __init__(self, listener: Listener, first_look: bool = True):
        self.listener = listener
        self.seconds = 0.0
        self.pieces: Pieces | None = None
        self._first_look = first_look
        self._gathering = Gathering(listener.encoder)

    @property
    def turns(self) -> list[Turn]:
        """Who spoke when so far, by the first look."""
        return self.listener.turns

    def push(self, block: Block) -> list[Decision]:
        """Hear the next block: float32 [n], 16 kHz; the decisions of the first look."""
        self.seconds += len(block) / RATE
        self._gathering.push(block)
        return self.listener.push(block) if self._first_look else []

    def flush(self) -> list[Decision]:
        """The recording has ended: the last decisions of the first look."""
        self.pieces = self._gathering.end()
        return self.listener.flush() if self._first_look else []

    def conversation(
        self,
        name: str = "",
        warnings: Sequence[str] = (),
        progress: Callable[[float], None] = lambda share: None,
    ) -> Conversation:
        """What was heard, by the second look; after `flush`.

        Args:
            name: of the recording.
            warnings: what was lost of it.
            progress: called now and then with the share of the work that is done, 0..1.
        """
        scorer, pieces = self.listener.scorer, self.pieces or self._gathering.end()
        turns = second_look(pieces, scorer, self.listener.profiles, self.listener.config, progress)
        model = self.listener.encoder.id
        return Conversation(
            name,
            self.seconds,
            turns,
            model,
            scorer.calibrated,
            tuple(warnings),
            companions.told(model) if scorer.calibrated else "none",
        )


def identify(
    path: str | Path | bytes,
    gallery: "Gallery",
    encoder: "Encoder | None" = None,
    config: ListenerConfig | None = None,
) -> Conversation:
    """Who speaks when in a recording: a file, or its bytes.

    Args:
        gallery: who can be recognized.
        encoder: the bundled one unless another is given.
        config: what may be turned of the Listener.

    Raises:
        AudioError: it is no recording, or too short, or silent.
        ModelError: the encoder cannot be loaded.
        GalleryError: the gallery cannot be read.
    """
    if encoder is None:
        from speakerid.model import Encoder

        encoder = Encoder.load()
    recording = stream(path)
    hearing = Hearing(Listener(encoder, gallery, config), first_look=False)
    for block in recording:
        hearing.push(block)
    hearing.flush()
    return hearing.conversation("" if isinstance(path, bytes) else Path(path).stem, recording.warnings)
