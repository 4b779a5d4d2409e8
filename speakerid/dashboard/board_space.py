"""The live board's view into the embedding space: where the current voice is, and where strangers were."""

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from speakerid.dashboard import projection
from speakerid.dashboard.colors import UNKNOWN
from speakerid.dashboard.eventlog import clock
from speakerid.dashboard.words import sure

if TYPE_CHECKING:
    from speakerid.dashboard.strangers import Voice
    from speakerid.gallery import Voiceprint
    from speakerid.identify import Decision

Message = dict[str, Any]

_TRAIL = 14  # points of the current voice that stay visible
_STRANGERS = 200  # points of unknown voices that stay visible


class SpaceView:
    """A projection that stays put for the same people, and the points that were heard in it.

    Attributes:
        voice: where the voice is that speaks now, its color and what is said about it; None for nobody.
    """

    def __init__(self, people: "Sequence[Voiceprint]"):
        self.projection = projection.fit([p.embeddings for p in people]) if people else None
        self.voice: Message | None = None
        self.trail: deque[Message] = deque(maxlen=_TRAIL)
        self.strangers: deque[Message] = deque(maxlen=_STRANGERS)
        self._unknown: deque[tuple[Decision, float]] = deque(maxlen=_STRANGERS)

    def fit(self, people: "Sequence[Voiceprint]") -> None:
        """Others are enrolled: another view. Voices that were unknown are shown where they are in it."""
        self.projection = projection.fit([p.embeddings for p in people]) if people else None
        self.voice = None
        self.trail.clear()
        self.strangers.clear()
        self.strangers.extend(point for d, at in self._unknown if (point := self._stranger(d, at)))

    def forget(self) -> None:
        """Keep the view, drop the points."""
        self.voice = None
        self.trail.clear()
        self.strangers.clear()
        self._unknown.clear()

    def message(self) -> Message:
        """The current voice and the way it came."""
        return {"voice": self.voice, "trail": list(self.trail)}

    def unknown(self) -> "list[Voice]":
        """What unknown voices sounded like, in seconds of the session."""
        from speakerid.dashboard.strangers import Voice

        return [
            Voice(offset + said.at, said.details.seconds, said.embedding)
            for said, offset in self._unknown
            if said.details is not None and said.embedding is not None
        ]

    def place(self, decision: "Decision", offset: float, color: str) -> Message | None:
        """Move the current point, or take it away; the point to keep if this was an unknown voice.

        Args:
            offset: seconds of the session before this listening.
            color: of who was named.
        """
        if self.projection is None or decision.embedding is None or decision.speaker is None:
            self.voice = None
            return None
        step = {"at": self._point(decision.embedding), "color": color}
        self.trail.append(step)
        self.voice = step | {"text": _nearest(decision)}
        if decision.speaker != UNKNOWN:
            return None
        self._unknown.append((decision, offset))
        point = self._stranger(decision, offset)
        if point:
            self.strangers.append(point)
        return point

    def _stranger(self, decision: "Decision", offset: float) -> Message | None:
        if self.projection is None:
            return None
        at = offset + decision.at
        near = max(((p, name) for name, p in decision.scores.items() if name != UNKNOWN), default=(0.0, ""))
        nearest = f"<br>nearest: {_plain(near[1])}, {sure(near[0])}" if near[1] else ""
        text = f"unknown at {clock(at)}{nearest}<br>click to name this voice"
        return {"at": self._point(decision.embedding), "t": round(at * 1000), "text": text}

    def _point(self, embedding: Any) -> list[float]:
        assert self.projection is not None
        return [round(float(v), 4) for v in self.projection(embedding)]


def _nearest(decision: "Decision") -> str:
    """Who the current voice is taken for, and whom it is nearest to."""
    said = f"now: {_plain(decision.speaker or UNKNOWN)}, {sure(decision.confidence)}"
    if decision.details is None or not decision.details.cosine:
        return said
    name, cosine = max(decision.details.cosine.items(), key=lambda item: item[1])
    return f"{said}<br>nearest: {_plain(name)}, {cosine:.2f} alike".replace("-", "−")


def _plain(name: str) -> str:
    """Text that Plotly does not read as markup."""
    return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
