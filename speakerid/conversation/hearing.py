"""From a recording to a Conversation: a Listener over its blocks, then the strangers told apart."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from speakerid.audio.decode import stream
from speakerid.audio.format import RATE, Block
from speakerid.conversation.conversation import Conversation
from speakerid.conversation.entry import Entry
from speakerid.conversation.strangers import Voice, split_strangers, tell_strangers_apart
from speakerid.gallery import UNKNOWN
from speakerid.identify import Decision, Listener, ListenerConfig, Turn
from speakerid.model import companions

if TYPE_CHECKING:
    from speakerid.gallery import Gallery
    from speakerid.model import Encoder


class Hearing:
    """One recording on its way through a Listener, in whatever thread; every door hears recordings so."""

    def __init__(self, listener: Listener):
        self.listener = listener
        self.seconds = 0.0
        """Of audio heard so far."""
        self._strangers: list[Voice] = []

    @property
    def turns(self) -> list[Turn]:
        """Who spoke when so far; strangers are not told apart yet."""
        return self.listener.turns

    def push(self, block: Block) -> list[Decision]:
        """Hear the next block: float32 [n], 16 kHz."""
        self.seconds += len(block) / RATE
        return self._note(self.listener.push(block))

    def flush(self) -> list[Decision]:
        """The recording has ended: the last decisions."""
        return self._note(self.listener.flush())

    def conversation(
        self,
        name: str = "",
        warnings: Sequence[str] = (),
        progress: Callable[[float], None] = lambda share: None,
    ) -> Conversation:
        """What was heard, with strangers told apart.

        Args:
            name: of the recording.
            warnings: what was lost of it.
            progress: called now and then with the share of the work that is done, 0..1.
        """
        scorer = self.listener.scorer
        turns = split_strangers(self.turns, self._strangers, scorer)
        names = tell_strangers_apart(turns, self._strangers, scorer, progress)
        entries = (
            Entry(t.start, t.end, name, t.confidence, t.speaker) for t, name in zip(turns, names, strict=True)
        )
        model = self.listener.encoder.id
        return Conversation(
            name,
            self.seconds,
            tuple(entries),
            model,
            scorer.calibrated,
            tuple(warnings),
            companions.told(model) if scorer.calibrated else "none",
        )

    def _note(self, decisions: list[Decision]) -> list[Decision]:
        """Keep the voices of strangers."""
        for decision in decisions:
            if decision.speaker == UNKNOWN and decision.embedding is not None and decision.details:
                seconds = decision.details.seconds
                self._strangers.append(Voice(decision.at, seconds, decision.embedding, decision.start))
        return decisions


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
    hearing = Hearing(Listener(encoder, gallery, config))
    for block in recording:
        hearing.push(block)
    hearing.flush()
    return hearing.conversation("" if isinstance(path, bytes) else Path(path).stem, recording.warnings)
