"""Everything that the live page shows of one session, in the numbers and words that the browser draws.

A `Board` takes the Engine's snapshots and decisions and makes two kinds of message: `hello`, the whole state
for a browser that starts, and `update`, what changed. It owns no thread, no socket and no Streamlit.
"""

import threading
from collections import deque
from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

from speakerid.dashboard import eventlog, figures, projection
from speakerid.dashboard.colors import UNKNOWN, UNKNOWN_LOOK, Look, looks
from speakerid.dashboard.eventlog import Entry, clock
from speakerid.dashboard.words import detail, explanation, signal

if TYPE_CHECKING:
    from speakerid.gallery import Voiceprint
    from speakerid.identify import Decision, Snapshot, Turn

Message = dict[str, Any]

NOBODY = "nobody"
ROLLING_S = 60.0
_ROLLING_STEP_S = 0.2
_TRAIL = 14  # points of the current voice that stay visible
_STRANGERS = 200  # points of unknown voices that stay visible
_LATENCIES = 100  # measurements that the median and the 95th percentile are taken over


class Board:
    """One session's picture. Thread-safe: the Engine updates it, the server's event loop asks for `hello`."""

    def __init__(self, people: "Sequence[Voiceprint]"):
        self._lock = threading.RLock()
        self._status: Message = {"kind": "idle", "text": ""}
        self._reset()
        self._set_people(people)

    def _reset(self) -> None:
        self._decision: Decision | None = None
        self._explained: Decision | None = None  # the latest that has reasons
        self._snapshot: Snapshot | None = None
        self._rolling: deque[tuple[float, list[float]]] = deque(maxlen=int(ROLLING_S / _ROLLING_STEP_S) + 1)
        self._trail: deque[tuple[list[float], str]] = deque(maxlen=_TRAIL)
        self._strangers: deque[list[float]] = deque(maxlen=_STRANGERS)
        self._turns: tuple[Turn, ...] = ()
        self._entries: list[Entry] = []
        self._before = 0  # entries of earlier listening in this session
        self._offset = 0.0  # seconds of audio heard in earlier listening
        self._corrections: dict[float, str] = {}
        self._latencies: deque[float] = deque(maxlen=_LATENCIES)

    # -- who is enrolled ---------------------------------------------------------------------------------

    def set_people(self, people: "Sequence[Voiceprint]") -> None:
        """The gallery changed: new bars, colours and view. Send `hello` afterwards."""
        with self._lock:
            names = self._names
            self._set_people(people)
            moved = [names.index(name) if name in names else None for name in self._names]
            self._rolling = deque(
                ((at, [0.0 if k is None else row[k] for k in moved]) for at, row in self._rolling),
                maxlen=self._rolling.maxlen,
            )
            self._trail.clear()
            self._strangers.clear()

    def _set_people(self, people: "Sequence[Voiceprint]") -> None:
        self._people = list(people)
        self._looks = looks(self._people)
        self._names = [person.name for person in self._people] + [UNKNOWN]
        self._projection = projection.fit([p.embeddings for p in self._people]) if self._people else None

    def look(self, name: str | None) -> Look:
        """How this person is drawn; people who are no longer enrolled look unknown."""
        return self._looks.get(name or UNKNOWN, UNKNOWN_LOOK)

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
                self._decision = None
            return {"kind": "update", "status": self._status, "now": self._now(), "bars": self._bars()}

    def start_again(self) -> None:
        """Forget everything heard."""
        with self._lock:
            self._reset()

    def new_listening(self) -> None:
        """Another stream begins in the same session: its times go on where the last one ended."""
        with self._lock:
            if self._snapshot is not None:
                self._offset += self._snapshot.at
            self._before = len(self._entries)
            self._turns = ()
            self._snapshot = None
            self._decision = None
            self._trail.clear()

    def update(self, snapshot: "Snapshot", pending: "Sequence[Decision]") -> Message:
        """Take in what the Engine says; returns the message for the browsers."""
        with self._lock:
            self._snapshot = snapshot
            self._decision = snapshot.decision
            if snapshot.decision is not None and snapshot.decision.details is not None:
                self._explained = snapshot.decision
            strangers = [point for decision in pending if (point := self._place(decision)) is not None]
            at = self._offset + snapshot.at
            point = None
            if not self._rolling or at - self._rolling[-1][0] >= _ROLLING_STEP_S - 1e-6:
                self._rolling.append((at, self._scores()))
                point = {"t": round(at * 1000), "p": self._rolling[-1][1]}
            state = self._state()
            if not pending:  # what only decisions change need not be drawn again
                state = {part: state[part] for part in ("status", "now", "signal", "latency")}
            return {
                "kind": "update",
                **state,
                "point": point,
                "strangers": strangers,
                "turns": self._changed_turns(snapshot),
            }

    def _place(self, decision: "Decision") -> list[float] | None:
        """Move the current point; returns the point to keep if this was an unknown voice."""
        if self._projection is None or decision.embedding is None or decision.speaker is None:
            return None
        point = [round(float(v), 4) for v in self._projection(decision.embedding)]
        self._trail.append((point, self.look(decision.speaker).color))
        if decision.speaker != UNKNOWN:
            return None
        self._strangers.append(point)
        return point

    def _changed_turns(self, snapshot: "Snapshot") -> Message | None:
        """The rows from the first one that is new or has changed."""
        first = next(
            (k for k, (a, b) in enumerate(zip(self._turns, snapshot.turns, strict=False)) if a != b),
            min(len(self._turns), len(snapshot.turns)),
        )
        if first == len(self._turns) == len(snapshot.turns):
            return None
        self._turns = snapshot.turns
        self._entries[self._before + first :] = [self._entry(turn) for turn in snapshot.turns[first:]]
        return self._turns_message(self._before + first)

    def _entry(self, turn: "Turn") -> Entry:
        start, end = round(self._offset + turn.start, 3), round(self._offset + turn.end, 3)
        named = turn.speaker
        return Entry(start, end, self._corrections.get(start, named), turn.confidence, named)

    def correct(self, index: int, name: str) -> Message | None:
        """A person says that turn number `index` was somebody else; None where that makes no sense."""
        with self._lock:
            if not 0 <= index < len(self._entries) or name not in self._names:
                return None
            entry = self._entries[index]
            self._corrections[entry.start] = name
            self._entries[index] = Entry(entry.start, entry.end, name, entry.confidence, entry.named)
            return {"kind": "update", "turns": self._turns_message(index)}

    def took(self, milliseconds: float) -> None:
        """One measured time from audio in the ring to drawn on the screen."""
        with self._lock:
            self._latencies.append(milliseconds)

    # -- messages ----------------------------------------------------------------------------------------

    def hello(self) -> Message:
        """The whole state."""
        with self._lock:
            points = list(self._rolling)
            people = [
                {"name": name, "color": look.color, "dash": look.dash, "symbol": look.symbol}
                for name in self._names
                if (look := self.look(name))
            ]
            return {
                "kind": "hello",
                "people": people,
                "figures": figures.all_figures(self._people, self._looks, self._projection),
                "rolling": {"t": [round(t * 1000) for t, _ in points], "p": [row for _, row in points]},
                "strangers": list(self._strangers),
                "turns": self._turns_message(0),
                **self._state(),
            }

    def _state(self) -> Message:
        return {
            "status": self._status,
            "now": self._now(),
            "bars": self._bars(),
            "trail": [{"at": point, "color": color} for point, color in self._trail],
            "signal": signal(self._snapshot),
            "latency": self._latency(),
            "explain": explanation(self._explained, self._names),
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
        kind = UNKNOWN if speaker == UNKNOWN else "person"
        return {"kind": kind, "name": speaker, "detail": detail(decision), "color": self.look(speaker).color}

    def _bars(self) -> Message:
        scores = self._scores()
        shown = bool(self._decision and self._decision.scores)
        return {"p": scores, "text": [f"{p:.0%}" if shown else "" for p in scores]}

    def _latency(self) -> Message:
        if not self._latencies:
            return {"text": "—", "detail": "from sound to screen: measured while somebody speaks"}
        ordered = sorted(self._latencies)
        slow = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
        return {
            "text": f"{median(ordered):.0f} ms",
            "detail": f"from sound to screen, measured; 19 times in 20 under {slow:.0f} ms",
        }

    def _turns_message(self, first: int) -> Message:
        rows = [
            {
                "start": round(entry.start * 1000),
                "length": round((entry.end - entry.start) * 1000),
                "name": entry.speaker,
                "color": self.look(entry.speaker).color,
                "cells": [clock(entry.start), clock(entry.end), f"{entry.confidence:.0%}"],
                "heard": f"heard as {entry.named}" if entry.corrected else "",
            }
            for entry in self._entries[first:]
        ]
        totals: dict[str, float] = {}
        for entry in self._entries:
            totals[entry.speaker] = totals.get(entry.speaker, 0.0) + entry.end - entry.start
        spoken = sorted(totals.items(), key=lambda item: -item[1])
        return {
            "from": first,
            "rows": rows,
            "totals": [
                {"name": name, "text": clock(seconds), "color": self.look(name).color}
                for name, seconds in spoken
            ],
        }

    # -- exports -----------------------------------------------------------------------------------------

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The log, corrections applied."""
        with self._lock:
            return tuple(self._entries)

    def export(self, kind: str) -> tuple[str, str, str] | None:
        """(file name, media type, text) of the log as csv, rttm, json or html; None for anything else."""
        entries = self.entries
        if kind == "csv":
            return "speakers.csv", "text/csv; charset=utf-8", eventlog.to_csv(entries)
        if kind == "rttm":
            return "speakers.rttm", "text/plain; charset=utf-8", eventlog.to_rttm(entries, "live")
        if kind == "json":
            return "speakers.json", "application/json", eventlog.to_json(entries)
        if kind == "html":
            with self._lock:
                charts = figures.report(self._entries, self._names, self._looks)
            text = eventlog.to_html(entries, "Who spoke when", charts, figures.plotly_source())
            return "speakers.html", "text/html; charset=utf-8", text
        return None
