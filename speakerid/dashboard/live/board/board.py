"""Everything that the live page shows of one session, in the numbers and words that the browser draws.

A `Board` takes the Engine's snapshots and decisions and makes two kinds of message: `hello`, the whole state
for a browser that starts, and `update`, what changed. It owns no thread, no socket and no Streamlit.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from speakerid.conversation.conversation import KINDS, Conversation
from speakerid.conversation.entry import Entry
from speakerid.conversation.kept_sound import KeptSound
from speakerid.conversation.log import SessionLog
from speakerid.dashboard.live import figures
from speakerid.dashboard.live.board.bars import Bars
from speakerid.dashboard.live.board.cast import Cast
from speakerid.dashboard.live.board.rolling import Rolling
from speakerid.dashboard.live.board.space import SpaceView
from speakerid.dashboard.live.board.speaking import Speaking
from speakerid.dashboard.live.board.state import State
from speakerid.dashboard.shared.colors import UNKNOWN
from speakerid.dashboard.shared.words import corrected, latency, not_listening, signal
from speakerid.identify.scoring import Scorer
from speakerid.model import companions

if TYPE_CHECKING:
    from speakerid.conversation.strangers import Voice
    from speakerid.gallery import Voiceprint
    from speakerid.identify import Decision, Snapshot

Message = dict[str, Any]

_LATENCIES = 300  # measurements, half a minute of speech: the median and 95th percentile are taken over them


class Board:
    """One session's picture. Thread-safe: the Engine updates it, the server's event loop asks for `hello`.

    Args:
        people: who is enrolled and takes part.
        sound: what is kept of the sound, for what the page says about it.
        everybody: who is enrolled; colors follow from it, so that they are the same on every page.

    Attributes:
        state: what the session as a whole does.
        gender: says in words what a decision's voice sounds like; None while nobody asks.
        model: id of the model that listens, once it is loaded.
    """

    def __init__(
        self,
        people: "Sequence[Voiceprint]",
        sound: KeptSound | None = None,
        everybody: "Sequence[Voiceprint] | None" = None,
    ):
        self._lock = threading.RLock()
        self.state = State(sound or KeptSound())
        self.gender: Callable[[Decision], Message | None] | None = None
        self.model = ""
        self._space = SpaceView(people)
        self._reset()
        self._set_cast(Cast(people, everybody))

    def _reset(self) -> None:
        self._speaking = Speaking()
        self._snapshot: Snapshot | None = None
        self._rolling = Rolling()
        self._log = SessionLog()
        self._latencies: deque[float] = deque(maxlen=_LATENCIES)
        self._space.forget()

    # -- who is enrolled ---------------------------------------------------------------------------------

    def set_people(
        self, people: "Sequence[Voiceprint]", everybody: "Sequence[Voiceprint] | None" = None
    ) -> None:
        """The gallery changed: new bars, colours and view. Send `hello` afterwards."""
        with self._lock:
            before, later = self._cast, Cast(people, everybody)
            renamed = before.renamed(later)
            self._log.rename(renamed, later.names)
            self._rolling.reorder([renamed.get(name, name) for name in before.names], later.names)
            self._set_cast(later)
            self._space.fit(people)

    def _set_cast(self, cast: Cast) -> None:
        self._cast = cast
        self._bars = Bars(cast.names, cast.color)
        self._rows = cast.rows(())

    def color(self, name: str) -> str:
        """The CSS color of this person."""
        return self._cast.color(name)

    # -- what happens ------------------------------------------------------------------------------------

    def set_status(self, kind: str, text: str) -> Message:
        """What the session as a whole does: idle, waiting, listening, ended or failed; `text` for people."""
        with self._lock:
            self.state.kind, self.state.text = kind, text
            if kind != "listening":
                self._nobody()
            return {
                "kind": "update",
                "now": self._now(),
                "bars": self._bars_message(),
                "space": self._space.message(),
                "signal": self._signal(),
                **self.around(),
            }

    def _nobody(self) -> None:
        self._speaking.nobody()
        self._space.voice = None

    def around(self) -> Message:
        """What the page says beside the answers."""
        return self.state.message() | {"guessing": {"on": self.gender is not None}}

    def start_again(self) -> None:
        """Forget everything heard."""
        with self._lock:
            self._reset()

    @property
    def heard(self) -> float:
        """Seconds of audio that the session has heard, in all its listenings."""
        with self._lock:
            return self._log.offset + (self._snapshot.at if self._snapshot else 0.0)

    def new_listening(self) -> None:
        """Another stream begins in the same session: its times go on where the last one ended."""
        with self._lock:
            self._log.new_listening(self._snapshot.at if self._snapshot else 0.0)
            self._snapshot = None
            self._nobody()
            self._space.trail.clear()

    def update(self, snapshot: "Snapshot", pending: "Sequence[Decision]") -> Message:
        """Take in what the Engine says; returns the message for the browsers."""
        with self._lock:
            self._snapshot = snapshot
            self._speaking.take(snapshot, pending, self.gender)
            if pending and self._speaking.decision is not None:
                self._bars.take(self._scores())
            for decision in pending:
                self._log.strangers.hear(decision, self._log.offset, Scorer.for_model(self.model))
                self._space.place(decision, self._log.offset, self.color(decision.speaker or UNKNOWN))
            strangers = self._space.news()
            at = self._log.offset + snapshot.at
            point = self._rolling.add(at, self._scores())
            first = self._log.take(snapshot.turns)
            answers = self._answers()
            if not pending:  # what only decisions change need not be drawn again
                for part in ("bars", "space", "explain"):
                    del answers[part]
            if first is not None and self._heard_names() != self._rows:
                return self.hello()  # somebody was heard who has no row in the timeline yet
            return {
                "kind": "update",
                **answers,
                "point": point,
                "strangers": strangers,
                "turns": None if first is None else self._turns_message(first),
            }

    def correct(self, start: float, name: str) -> Message | None:
        """A person says that the turn that began at `start` (s) was somebody else's; None without sense."""
        with self._lock:
            index = self._log.correct(start, name) if name in self._cast.names else None
            if index is None:
                return None
            if self._heard_names() != self._rows:
                return self.hello()
            return {"kind": "update", "now": self._now(), "turns": self._turns_message(index)}

    def unknown_voices(self) -> "list[Voice]":
        """What unknown voices sounded like, in the log's time."""
        with self._lock:
            return self._space.unknown()

    def took(self, milliseconds: float) -> None:
        """One measured time from audio in the ring to drawn on the screen."""
        with self._lock:
            self._latencies.append(milliseconds)

    # -- messages ----------------------------------------------------------------------------------------

    def hello(self) -> Message:
        """The whole state."""
        with self._lock:
            self._rows = self._heard_names()
            return {
                "kind": "hello",
                "people": self._cast.messages(),
                "rows": self._rows,
                "figures": figures.all_figures(
                    self._cast, self._rows, self._bars_message(), self._space.projection
                ),
                "rolling": self._rolling.message(),
                "strangers": {"from": 0, "points": list(self._space.strangers)},
                "turns": self._turns_message(0),
                **self._answers(),
            }

    def _heard_names(self) -> list[str]:
        return self._cast.rows(entry.speaker for entry in self._log.entries)

    def _answers(self) -> Message:
        return {
            "now": self._now(),
            "bars": self._bars_message(),
            "space": self._space.message(),
            "signal": self._signal(),
            "latency": latency(self._latencies),
            "explain": self._speaking.reasons(self._cast.names),
            **self.around(),
        }

    def _signal(self) -> Message:
        """Of the sound that comes in; once none does, what was lost of it is all that is still said."""
        said = signal(self._snapshot)
        return said if self.state.kind == "listening" else signal(None) | {"lost": said["lost"]}

    def _scores(self) -> list[float]:
        return self._speaking.scores(self._cast.names)

    def _now(self) -> Message:
        if self.state.kind != "listening" or self._snapshot is None:
            return not_listening(self.state.text)
        now = self._speaking.message(self.color)
        latest = self._log.latest
        if latest is not None and latest.corrected and latest.named == now["name"]:
            now = corrected(now, latest.speaker, self.color(latest.speaker))
        return now

    def _bars_message(self) -> Message:
        return self._bars.message(self._scores(), told=self._speaking.told)

    def _turns_message(self, first: int) -> Message:
        return self._log.message(first, self.color, self._cast.names)

    # -- exports -----------------------------------------------------------------------------------------

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The log, corrections applied."""
        with self._lock:
            return tuple(self._log.entries)

    def export(self, kind: str) -> tuple[str, str, str] | None:
        """(file name, media type, text) of the log in one of `KINDS`; None for anything else."""
        if kind not in KINDS:
            return None
        conversation = self.conversation()
        if kind == "html":
            text = conversation.html(
                "Who spoke when", {name: self.color(name) for name in self._heard_names()}
            )
        else:
            text = KINDS[kind].write(conversation)
        return f"speakers.{kind}", KINDS[kind].media, text

    def conversation(self) -> Conversation:
        """The session so far, corrections applied."""
        with self._lock:
            calibrated = not self.model or Scorer.for_model(self.model).calibrated
            how = companions.told(self.model) if self.model else ""
            return Conversation("live", self.heard, self.entries, self.model, calibrated, calibration=how)
