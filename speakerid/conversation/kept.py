"""Conversations that are kept: from turns with names to what the gallery keeps, and back."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from speakerid.audio.format import RATE, Block
from speakerid.conversation.conversation import Conversation
from speakerid.conversation.entry import Entry, is_stranger
from speakerid.conversation.kept_sound import KeptSound
from speakerid.conversation.recorded_sound import RecordedSound
from speakerid.errors import GalleryError
from speakerid.gallery import sessions
from speakerid.gallery.kept_session import (
    PIECE_S,
    REMOVED,
    KeptSession,
    SessionPiece,
    SessionTurn,
    SessionVoice,
)

if TYPE_CHECKING:
    from speakerid.gallery import Gallery, Voiceprint

_GONE = SessionVoice(person="gone")  # nobody's id: `sessions.keep` leaves no name and no sound of them


def to_keep(conversation: Conversation, people: "Sequence[Voiceprint]", source: str) -> KeptSession:
    """A conversation in the form in which it is kept; its name is the title.

    Args:
        people: who is enrolled now; whoever else has a name in the turns was removed meanwhile.
        source: "live" or "recording".
    """
    known = {person.name: SessionVoice(person=person.id) for person in people}
    voices: dict[SessionVoice, int] = {}

    def place(name: str) -> int:
        voice = known.get(name) or (SessionVoice(label=name) if is_label(name) else _GONE)
        return voices.setdefault(voice, len(voices))

    turns = tuple(
        SessionTurn(turn.start, turn.end, place(turn.speaker), place(turn.named), turn.confidence)
        for turn in conversation.turns
    )
    return KeptSession(
        id="",
        title=conversation.name,
        kept_at="",
        source=source,
        seconds=conversation.seconds,
        model=conversation.model,
        calibrated=conversation.calibrated,
        voices=tuple(voices),
        turns=turns,
        warnings=conversation.warnings,
    )


def conversation_of(session: KeptSession, people: "Sequence[Voiceprint]") -> Conversation:
    """A kept conversation, with the names that people have now."""
    names = {person.id: person.name for person in people}
    called = [names.get(one.person, REMOVED) if one.person else one.label for one in session.voices]
    turns = tuple(
        Entry(turn.start, turn.end, called[turn.voice], turn.confidence, called[turn.heard])
        for turn in session.turns
    )
    return Conversation(
        session.title, session.seconds, turns, session.model, session.calibrated, session.warnings
    )


def removed_since(conversation: Conversation, people: "Sequence[Voiceprint]") -> list[str]:
    """Names in the turns that nobody enrolled has any more."""
    known = {person.name for person in people}
    named = dict.fromkeys(name for turn in conversation.turns for name in (turn.speaker, turn.named))
    return [name for name in named if name not in known and not is_label(name)]


def is_label(name: str) -> bool:
    """Whether it is what a voice without a name is called: "unknown", "unknown 2", REMOVED."""
    return name == REMOVED or is_stranger(name)


def stretches(sound: KeptSound | RecordedSound) -> Iterator[tuple[float, Block, float]]:
    """What there is of a sound, as `sessions.keep` takes it."""
    ranges = sound.ranges() if isinstance(sound, KeptSound) else [(0.0, sound.seconds)]
    for begin, until in ranges:
        start = begin
        while start < until:
            end = min(start + PIECE_S, until)
            samples = sound.cut(start, end)
            if samples is not None:
                yield start, samples.astype(np.float32) / np.float32(32767), sound.gain_db(start, end)
            start = end


class SessionSound:
    """The sound of a kept conversation, read from the gallery as it is heard. What was not kept is silent."""

    def __init__(self, gallery: "Gallery", session: KeptSession):
        self._gallery, self._session = gallery, session
        self._last: tuple[object, int, np.ndarray] | None = None  # revision, number, samples

    @property
    def seconds(self) -> float:
        """How much there is to hear, gaps included; 0.0 where no sound was kept."""
        return max((piece.end for piece in self._session.sound), default=0.0)

    def cut(self, start: float, end: float) -> np.ndarray | None:
        """int16 [n] at 16 kHz from `start` to `end` (s); None where nothing of it was kept."""
        first, last = round(start * RATE), round(min(end, self.seconds) * RATE)
        if last <= first:
            return None
        out, found = np.zeros(last - first, np.int16), False
        for number, piece in enumerate(self._session.sound, 1):
            at = round(piece.start * RATE)
            if at >= last or round(piece.end * RATE) <= first:
                continue
            samples = self._piece(number)
            low, high = max(first, at), min(last, at + len(samples))
            if low < high:
                out[low - first : high - first] = samples[low - at : high - at]
                found = True
        return out if found else None

    def gain_db(self, start: float, end: float) -> float:
        """By how much the sound from `start` to `end` (s) was raised when it came in, on average."""
        found = [piece for piece in self._session.sound if piece.start < end and start < piece.end]
        weights = [_overlap(piece, start, end) for piece in found]
        return float(np.average([piece.gain_db for piece in found], weights=weights)) if found else 0.0

    def _piece(self, number: int) -> np.ndarray:
        """int16 [n]; nothing where it cannot be read any more. The last one is remembered."""
        revision = self._gallery.revision()
        if self._last is None or self._last[:2] != (revision, number):
            try:
                samples = sessions.piece(self._gallery, self._session.id, number)
            except GalleryError:
                samples = np.zeros(0, np.float32)
            self._last = (revision, number, (np.clip(samples, -1, 1) * 32767).astype(np.int16))
        return self._last[2]


def _overlap(piece: SessionPiece, start: float, end: float) -> float:
    return max(1e-6, min(end, piece.end) - max(start, piece.start))
