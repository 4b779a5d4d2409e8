"""A Conversation: who spoke when, as every door shows it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from speakerid.conversation import formats, report
from speakerid.conversation.entry import Entry, is_stranger


@dataclass(frozen=True)
class Conversation:
    """Who spoke when in one recording; immutable.

    Attributes:
        name: of the recording, for the formats that carry one.
        seconds: of audio heard.
        turns: in the order of their beginnings; they overlap where people speak at once.
            Strangers who were told apart are "unknown 1", "unknown 2" …
        model: id of the model that heard it.
        calibrated: whether its confidences can be taken at their word.
        warnings: what was lost of the recording, as sentences.
        calibration: how the model was calibrated, in words.
    """

    name: str
    seconds: float
    turns: tuple[Entry, ...]
    model: str
    calibrated: bool
    warnings: tuple[str, ...] = ()
    calibration: str = field(default="", compare=False)

    @property
    def speaking_seconds(self) -> dict[str, float]:
        """Seconds spoken by each speaker, in the order in which they are first heard."""
        spoken: dict[str, float] = {}
        for turn in self.turns:
            spoken[turn.speaker] = spoken.get(turn.speaker, 0.0) + turn.end - turn.start
        return spoken

    @property
    def strangers(self) -> list[str]:
        """Names of the voices that nobody enrolled has, in the order in which they are first heard."""
        return list(dict.fromkeys(turn.speaker for turn in self.turns if is_stranger(turn.speaker)))

    def corrected(self, name: str, starts: Collection[float]) -> "Conversation":
        """The same, where a person says who speaks in the turns that begin at these seconds."""
        turns = (replace(turn, speaker=name) if turn.start in starts else turn for turn in self.turns)
        return replace(self, turns=tuple(turns))

    def answer(self) -> dict[str, Any]:
        """What programs are told that ask who speaks when, by the command line and the REST API alike."""
        return {
            "model": self.model,
            "calibrated": self.calibrated,
            "calibration": self.calibration,
            "seconds": round(self.seconds, 2),
            "turns": [formats.turn_row(turn) for turn in self.turns],
            "warnings": list(self.warnings),
        }

    def rttm(self) -> str:
        """RTTM, a line a turn."""
        return formats.to_rttm(self.turns, self.name)

    def csv(self) -> str:
        """A table with a header line; each line says which model it is from, and how that was calibrated."""
        about = {"model": self.model, "calibration": self.calibration} if self.model else {}
        return formats.to_csv(self.turns, {key: [value] * len(self.turns) for key, value in about.items()})

    def json(self) -> str:
        """The turns as a JSON list, each with its model and how that was calibrated."""
        about = {"model": self.model, "calibration": self.calibration} if self.model else {}
        return formats.to_json(self.turns, about)

    def srt(self) -> str:
        """SubRip subtitles: who speaks."""
        return formats.to_srt(self.turns)

    def vtt(self) -> str:
        """WebVTT subtitles: who speaks."""
        return formats.to_vtt(self.turns)

    def html(self, title: str = "", colors: Mapping[str, str] | None = None) -> str:
        """The report: a page with figures. `title` is its heading, `colors` are CSS colors by name."""
        return report.to_html(self, title, colors)


@dataclass(frozen=True)
class Kind:
    """A format that a conversation is written in: what people call it, its media type, its writer."""

    label: str
    media: str
    write: Callable[[Conversation], str]


KINDS: Mapping[str, Kind] = {
    "csv": Kind("CSV", "text/csv; charset=utf-8", Conversation.csv),
    "rttm": Kind("RTTM", "text/x-rttm; charset=utf-8", Conversation.rttm),
    "json": Kind("JSON", "application/json", Conversation.json),
    "srt": Kind("SRT", "application/x-subrip; charset=utf-8", Conversation.srt),
    "vtt": Kind("WebVTT", "text/vtt; charset=utf-8", Conversation.vtt),
    "html": Kind("Report", "text/html; charset=utf-8", Conversation.html),
}
"""By the end of a file's name, in the order in which doors offer them."""
