"""Everything that the live page shows of one session, in the numbers and words that the browser draws.

A `Board` takes the Engine's snapshots and decisions and makes two kinds of message: `hello`, the whole state
for a browser that starts, and `update`, what changed. It owns no thread, no socket and no Streamlit.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from speakerid.audio.format import RATE
from speakerid.dashboard import eventlog, figures
from speakerid.dashboard.board_log import SessionLog
from speakerid.dashboard.board_rolling import Rolling
from speakerid.dashboard.board_space import SpaceView
from speakerid.dashboard.colors import UNKNOWN, UNKNOWN_LOOK, Look, looks
from speakerid.dashboard.eventlog import Entry
from speakerid.dashboard.live_sound import KeptSound
from speakerid.dashboard.words import detail, explanation, kept, latency, signal

if TYPE_CHECKING:
    from speakerid.dashboard.recordings import Voice
    from speakerid.gallery import Voiceprint
    from speakerid.identify import Decision, Snapshot

Message = dict[str, Any]

NOBODY = "nobody"
_LATENCIES = 100  # measurements that the median and the 95th percentile are taken over


class Board:
    """One session's picture. Thread-safe: the Engine updates it, the server's event loop asks for `hello`.

    Args:
        people: who is enrolled and takes part.
        sound: what is kept of the sound, for what the page says about it.
        everybody: who is enrolled; colors follow from it, so that they are the same on every page.

    Attributes:
        gender: says in words what a decision's voice sounds like; None while nobody asks.
        playing: the number of the recording that is played audibly beside the board; None for none.
        remark: a sentence about the model that the page shows all the time; "" for none.
    """

    def __init__(
        self,
        people: "Sequence[Voiceprint]",
        sound: KeptSound | None = None,
        everybody: "Sequence[Voiceprint] | None" = None,
    ):
        self._lock = threading.RLock()
        self._status: Message = {"kind": "idle", "text": ""}
        self._sound = sound or KeptSound()
        self.gender: Callable[[Decision], Message | None] | None = None
        self.playing: int | None = None
        self.remark = ""
        self._space = SpaceView(people)
        self._reset()
        self._set_people(people, everybody)

    def _reset(self) -> None:
        self._decision: Decision | None = None
        self._explained: Decision | None = None  # the latest that has reasons
        self._snapshot: Snapshot | None = None
        self._gendered: Message | None = None
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
            names = self._names
            self._set_people(people, everybody)
            self._rolling.reorder(names, self._names)
            self._space.fit(people)

    def _set_people(self, people: "Sequence[Voiceprint]", everybody: "Sequence[Voiceprint] | None") -> None:
        self._people = list(people)
        self._looks = looks(self._people if everybody is None else everybody)
        self._names = [person.name for person in self._people] + [UNKNOWN]

    def look(self, name: str | None) -> Look:
        """How this person is drawn; people who are no longer enrolled look unknown."""
        return self._looks.get(name or UNKNOWN, UNKNOWN_LOOK)

    def color(self, name: str) -> str:
        """The CSS color of this person."""
        return self.look(name).color

    @property
    def idle(self) -> bool:
        """Whether nothing has been listened to yet, or the last listening has ended well."""
        return self._status["kind"] in ("idle", "ended")

    @property
    def status(self) -> str:
        """What the session as a whole does, in words."""
        return self._status["text"]

    # -- what happens ------------------------------------------------------------------------------------

    def set_status(self, kind: str, text: str) -> Message:
        """What the session as a whole does: idle, waiting, listening, ended or failed; `text` for people."""
        with self._lock:
            self._status = {"kind": kind, "text": text}
            if kind != "listening":
                self._decision = self._gendered = None
            return {
                "kind": "update",
                "status": self._status,
                "now": self._now(),
                "bars": self._bars(),
                **self.around(),
            }

    def around(self) -> Message:
        """What the page says beside the answers: the sound it keeps or plays, and the remark."""
        return {
            "kept": kept(self._sound.on, self._sound.ranges(), self._sound.limit),
            "play": self._play(),
            "remark": {"text": self.remark},
            "guessing": {"on": self.gender is not None},
        }

    def _play(self) -> Message:
        on = self.playing is not None and self._status["kind"] in ("waiting", "listening")
        # The recording went on while sound was lost.
        at = self._snapshot.at + self._snapshot.dropped / RATE if self._snapshot else 0.0
        return {"number": self.playing if on else None, "at": round(at, 2)}

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
            self._decision = self._gendered = None
            self._space.trail.clear()

    def update(self, snapshot: "Snapshot", pending: "Sequence[Decision]") -> Message:
        """Take in what the Engine says; returns the message for the browsers."""
        with self._lock:
            self._snapshot = snapshot
            self._decision = snapshot.decision
            if snapshot.decision is not None and snapshot.decision.details is not None:
                self._explained = snapshot.decision
            if pending and self._decision is not None:
                self._gendered = self.gender(self._decision) if self.gender else None
            strangers = [point for decision in pending if (point := self._place(decision)) is not None]
            at = self._log.offset + snapshot.at
            point = self._rolling.add(at, self._scores())
            state = self._state()
            if not pending:  # what only decisions change need not be drawn again
                for part in ("bars", "trail", "explain"):
                    del state[part]
            first = self._log.take(snapshot.turns)
            return {
                "kind": "update",
                **state,
                "point": point,
                "strangers": strangers,
                "turns": None if first is None else self._turns_message(first),
            }

    def _place(self, decision: "Decision") -> Message | None:
        return self._space.place(decision, self._log.offset, self.look(decision.speaker).color)

    def correct(self, start: float, name: str) -> Message | None:
        """A person says that the turn that began at `start` (s) was somebody else's; None without sense."""
        with self._lock:
            index = self._log.correct(start, name) if name in self._names else None
            return None if index is None else {"kind": "update", "turns": self._turns_message(index)}

    def unknown_voices(self) -> "list[Voice]":
        """What unknown voices sounded like, in the log's time."""
        from speakerid.dashboard.recordings import Voice

        with self._lock:
            heard = self._space.unknown()
        return [
            Voice(offset + said.at, said.details.seconds, said.embedding)
            for said, offset in heard
            if said.details is not None and said.embedding is not None
        ]

    def took(self, milliseconds: float) -> None:
        """One measured time from audio in the ring to drawn on the screen."""
        with self._lock:
            self._latencies.append(milliseconds)

    # -- messages ----------------------------------------------------------------------------------------

    def hello(self) -> Message:
        """The whole state."""
        with self._lock:
            people = [
                {"name": name, "color": look.color, "dash": look.dash, "symbol": look.symbol}
                for name in self._names
                if (look := self.look(name))
            ]
            return {
                "kind": "hello",
                "people": people,
                "figures": figures.all_figures(self._people, self._looks, self._space.projection),
                "rolling": self._rolling.message(),
                "strangers": list(self._space.strangers),
                "turns": self._turns_message(0),
                **self._state(),
            }

    def _state(self) -> Message:
        return {
            "status": self._status,
            "now": self._now(),
            "bars": self._bars(),
            "trail": list(self._space.trail),
            "signal": signal(self._snapshot),
            "latency": latency(self._latencies),
            "explain": explanation(self._explained, self._names),
            **self.around(),
        }

    def _scores(self) -> list[float]:
        scores = self._decision.scores if self._decision else {}
        return [round(float(scores.get(name, 0.0)), 4) for name in self._names]

    def _now(self) -> Message:
        if self._status["kind"] != "listening" or self._snapshot is None:
            return {"kind": "idle", "name": "not listening", "detail": self._status["text"], "color": None}
        decision = self._decision
        speaker = decision.speaker if decision else None
        if speaker is None:
            return {"kind": NOBODY, "name": NOBODY, "detail": detail(decision), "color": None}
        return {
            "kind": UNKNOWN if speaker == UNKNOWN else "person",
            "name": speaker,
            "detail": detail(decision),
            "color": self.color(speaker),
            "gender": self._gendered,
        }

    def _bars(self) -> Message:
        scores = self._scores()
        shown = bool(self._decision and self._decision.scores)
        return {"p": scores, "text": [f"{p:.0%}" if shown else "" for p in scores]}

    def _turns_message(self, first: int) -> Message:
        return self._log.message(first, self.color, self._names)

    # -- exports -----------------------------------------------------------------------------------------

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The log, corrections applied."""
        with self._lock:
            return tuple(self._log.entries)

    def export(self, kind: str) -> tuple[str, str, str] | None:
        """(file name, media type, text) of the log as csv, rttm, json or html; None for anything else."""
        entries = self.entries

        def page() -> str:
            with self._lock:
                charts = figures.report(entries, self._names, self._looks)
            return eventlog.to_html(entries, "Who spoke when", charts, figures.plotly_source())

        return eventlog.export(kind, entries, page)
