"""The live board's log: who spoke when in a session of several listenings, with what a person corrected."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from speakerid.conversation.entry import Entry, clock
from speakerid.conversation.live_strangers import LiveStrangers
from speakerid.gallery import UNKNOWN
from speakerid.identify.decision import sure

if TYPE_CHECKING:
    from speakerid.identify import Turn

Message = dict[str, Any]

_SAME = 1e-3  # s; browsers name turns by milliseconds


class SessionLog:
    """The turns of one session, its times in seconds of audio heard since the session began.

    Attributes:
        strangers: tells unknown voices apart; whoever hears decisions tells it of them.
    """

    def __init__(self) -> None:
        self.strangers = LiveStrangers()
        self._told_apart = False
        self.entries: list[Entry] = []
        self.offset = 0.0  # seconds of audio heard in earlier listening
        self._turns: tuple[Turn, ...] = ()
        self._first: list[int] = []  # index of each turn's first entry
        self._before = 0  # entries of earlier listening
        self._corrections: dict[float, str] = {}  # second at which what was corrected begins → who spoke
        self._beside: dict[float, str] = {}  # the same of what was said beside somebody
        self._renamed: dict[str, str] = {}

    def new_listening(self, heard: float) -> None:
        """Another stream begins, after one of `heard` seconds: its times go on where that one ended."""
        self.offset += heard
        self._before = len(self.entries)
        self._turns, self._first = (), []

    def take(self, turns: "tuple[Turn, ...]") -> int | None:
        """Take in the listening's turns; the index of the first entry that is new or has changed."""
        if self.strangers.several and not self._told_apart:
            self._told_apart = True
            self._turns = turns
            self.entries = [self._numbered(entry) for entry in self.entries[: self._before]]
            self._first = []
            self._make(0)
            return 0
        first = next(
            (k for k, (a, b) in enumerate(zip(self._turns, turns, strict=False)) if a != b),
            min(len(self._turns), len(turns)),
        )
        if first == len(self._turns) == len(turns):
            return None
        self._turns = turns
        return self._make(first)

    def _make(self, turn: int) -> int:
        """Make the entries from this turn on anew; the index of the first of them."""
        index = self._first[turn] if turn < len(self._first) else len(self.entries)
        del self.entries[index:], self._first[turn:]
        for made in self._turns[turn:]:
            self._first.append(len(self.entries))
            self.entries += self._of(made)
        return index

    def _numbered(self, entry: Entry) -> Entry:
        """The entry, of an unknown voice with its number."""
        if entry.speaker != UNKNOWN or entry.named != UNKNOWN:
            return entry
        return replace(entry, speaker=self.strangers.name(entry.start, entry.end))

    def correct(self, start: float, name: str) -> int | None:
        """A person says who spoke in the turn that began at `start` (s); its index, None without one."""
        for index, entry in enumerate(self.entries[: self._before]):
            if abs(entry.start - start) < _SAME:
                self.entries[index] = replace(entry, speaker=name)
                return index
        for number, turn in enumerate(self._turns):
            if turn.beside and abs(self.offset + turn.start - start) < _SAME:
                self._beside[round(start, 3)] = name
                return self._make(number)
        for number, turn in enumerate(self._turns):
            # The turn may have been joined to the one before it while the person chose.
            if not turn.beside and self.offset + turn.start - _SAME < start < self.offset + turn.end:
                self._corrections[round(start, 3)] = name
                return self._make(number)
        return None

    @property
    def latest(self) -> Entry | None:
        """Who has the word now, or had it last."""
        return next((entry for entry in reversed(self.entries) if not entry.beside), None)

    def rename(self, renamed: Mapping[str, str], enrolled: Collection[str]) -> None:
        """People are called otherwise now (old name → new), and so they are in their turns.

        Args:
            enrolled: names that somebody has now; an old name among them is its new owner's.
        """

        def now(name: str) -> str:
            return renamed.get(name, name)

        chain = {before: now(later) for before, later in self._renamed.items()} | dict(renamed)
        self._renamed = {before: later for before, later in chain.items() if before not in enrolled}
        self._corrections = {start: now(name) for start, name in self._corrections.items()}
        self._beside = {start: now(name) for start, name in self._beside.items()}
        self.entries = [
            replace(entry, speaker=now(entry.speaker), named=now(entry.named)) for entry in self.entries
        ]

    def message(self, first: int, color: Callable[[str], str], order: Sequence[str]) -> Message:
        """The rows from `first` on, and the speaking time of everybody, in the given order of names."""
        rows = [
            {
                "start": round(entry.start * 1000),
                "length": round((entry.end - entry.start) * 1000),
                "name": entry.speaker,
                "color": color(entry.speaker),
                "cells": [clock(entry.start), clock(entry.end), sure(entry.confidence)],
                "heard": f"heard as {entry.named}" if entry.corrected else "",
            }
            for entry in self.entries[first:]
        ]
        spoken: dict[str, float] = dict.fromkeys(order, 0.0)
        for entry in self.entries:
            spoken[entry.speaker] = spoken.get(entry.speaker, 0.0) + entry.end - entry.start
        totals = [
            {"name": name, "text": clock(seconds), "color": color(name)}
            for name, seconds in spoken.items()
            if seconds
        ]
        return {"from": first, "rows": rows, "totals": totals}

    def _of(self, turn: "Turn") -> list[Entry]:
        """The entries of a turn: one, unless turns that a person corrected were joined to it afterwards. What
        the person said holds for its stretch."""
        start, end = round(self.offset + turn.start, 3), round(self.offset + turn.end, 3)
        named = self._renamed.get(turn.speaker, turn.speaker)
        if turn.beside:
            said = next((name for at, name in self._beside.items() if abs(at - start) < _SAME), named)
            return [Entry(start, end, said, turn.confidence, named, beside=True)]
        inside = {at: name for at, name in sorted(self._corrections.items()) if start - _SAME < at < end}
        whole = next(iter(inside), end) > start + _SAME
        stretches = ([(start, named)] if whole else []) + list(inside.items())
        ends = [at for at, _ in stretches[1:]] + [end]
        entries = [
            Entry(at, until, name, turn.confidence, named)
            for (at, name), until in zip(stretches, ends, strict=True)
        ]
        return [entry if entry.start in inside else self._numbered(entry) for entry in entries]
