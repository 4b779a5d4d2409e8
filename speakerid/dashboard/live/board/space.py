"""The live board's view into the embedding space: where the current voice is, and where strangers were."""

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from speakerid.conversation.entry import clock
from speakerid.dashboard.live import projection
from speakerid.dashboard.live.board.strangers import Stranger, Strangers
from speakerid.dashboard.shared.colors import UNKNOWN
from speakerid.dashboard.shared.figure_parts import plain
from speakerid.identify.decision import sure

if TYPE_CHECKING:
    from speakerid.conversation.strangers import Voice
    from speakerid.gallery import Voiceprint
    from speakerid.identify import Decision

Message = dict[str, Any]

_TRAIL = 14  # points of the current voice that stay visible


class SpaceView:
    """A projection that stays put for the same people, and the points that were heard in it.

    Attributes:
        voice: where the voice is that speaks now, its color and what is said about it; None for nobody.
        strangers: points of unknown voices, in the order of their times.
    """

    def __init__(self, people: "Sequence[Voiceprint]"):
        self.projection = projection.fit([p.embeddings for p in people]) if people else None
        self.voice: Message | None = None
        self.trail: deque[Message] = deque(maxlen=_TRAIL)
        self.strangers: list[Message] = []
        self._unknown = Strangers()
        self._told = 0  # points that the browsers have

    def fit(self, people: "Sequence[Voiceprint]") -> None:
        """Others are enrolled: another view. Voices that were unknown are shown where they are in it."""
        self.projection = projection.fit([p.embeddings for p in people]) if people else None
        self.voice = None
        self.trail.clear()
        self._place_strangers()

    def forget(self) -> None:
        """Keep the view, drop the points."""
        self.voice = None
        self.trail.clear()
        self.strangers, self._unknown, self._told = [], Strangers(), 0

    def message(self) -> Message:
        """The current voice and the way it came."""
        return {"voice": self.voice, "trail": list(self.trail)}

    def unknown(self) -> "list[Voice]":
        """What unknown voices sounded like, in seconds of the session."""
        from speakerid.conversation.strangers import Voice

        return [
            Voice(one.at, one.seconds, one.decision.embedding, one.offset + one.decision.start)
            for one in self._unknown.kept
            if one.decision.details is not None and one.decision.embedding is not None
        ]

    def place(self, decision: "Decision", offset: float, color: str) -> None:
        """Move the current point, or take it away; that of an unknown voice stays.

        Args:
            offset: seconds of the session before this listening.
            color: of who was named.
        """
        if self.projection is None or decision.embedding is None or decision.speaker is None:
            self.voice = None
            return
        step = {"at": self._point(decision.embedding), "color": color}
        self.trail.append(step)
        self.voice = step | {"text": _nearest(decision)}
        if decision.speaker == UNKNOWN:
            stranger = Stranger(decision, offset)
            if self._unknown.add(stranger):
                self._place_strangers()
            else:
                self.strangers.append(self._stranger(stranger))

    def news(self) -> Message | None:
        """Points of unknown voices that browsers do not have yet, and after how many; None without."""
        first, self._told = self._told, len(self.strangers)
        return {"from": first, "points": self.strangers[first:]} if first < self._told else None

    def _place_strangers(self) -> None:
        self.strangers = (
            [] if self.projection is None else [self._stranger(one) for one in self._unknown.kept]
        )
        self._told = 0

    def _stranger(self, stranger: Stranger) -> Message:
        decision, at = stranger.decision, stranger.at
        near = max(((p, name) for name, p in decision.scores.items() if name != UNKNOWN), default=(0.0, ""))
        nearest = f"<br>nearest: {plain(near[1])}, {sure(near[0])}" if near[1] else ""
        text = f"unknown at {clock(at)}{nearest}<br>click to name this voice"
        return {"at": self._point(decision.embedding), "t": round(at * 1000), "text": text}

    def _point(self, embedding: Any) -> list[float]:
        assert self.projection is not None
        return [round(float(v), 4) for v in self.projection(embedding)]


def _nearest(decision: "Decision") -> str:
    """Who the current voice is taken for, and whom it is nearest to."""
    said = f"now: {plain(decision.speaker or UNKNOWN)}, {sure(decision.confidence)}"
    if decision.details is None or not decision.details.cosine:
        return said
    name, cosine = max(decision.details.cosine.items(), key=lambda item: item[1])
    return f"{said}<br>nearest: {plain(name)}, {cosine:.2f} alike".replace("-", "−")
