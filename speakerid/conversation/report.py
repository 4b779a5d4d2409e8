"""The report: an HTML page that opens anywhere, offline; its figures are SVG, and a table has every turn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from speakerid.conversation.entry import Entry, clock, is_stranger
from speakerid.conversation.shares import talking_time
from speakerid.identify.decision import sure

if TYPE_CHECKING:
    from jinja2 import Template

    from speakerid.conversation.conversation import Conversation

WIDTH, LANE = 900, 30
"""Of the timeline: its width and the height of one voice's lane, in SVG units."""

_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)  # s between two marks of the time axis
_MARKS = 10  # at most so many of them
_COLORS = ("#4890E4", "#D80018", "#187818", "#CC7860", "#7860F0", "#B400A8", "#C01854", "#B478B4")
_GRAYS = ("#8C8C8C", "#5F6B6B", "#B0A58F", "#7A6F86")


@dataclass(frozen=True)
class _Lane:
    name: str
    color: str
    y: float
    time: str
    share: str
    percent: float
    bars: list[dict[str, Any]]


def to_html(
    conversation: "Conversation",
    title: str = "",
    colors: Mapping[str, str] | None = None,
    made: datetime | None = None,
) -> str:
    """The report of a conversation.

    Args:
        title: its heading; the conversation's name unless it is given.
        colors: CSS colors by name; others are picked.
        made: the date that it carries; now unless it is given.
    """
    entries = conversation.turns
    end = max([conversation.seconds, *(entry.end for entry in entries)], default=0.0)
    shares = talking_time(entries)
    strange = [one for one in shares if is_stranger(one.name)]
    return _template().render(
        title=title or conversation.name or "Who spoke when",
        facts=_facts(conversation, end, len(shares), len(strange), made or datetime.now()),
        warnings=conversation.warnings,
        lanes=_lanes(entries, max(end, 0.1), colors or {}),
        marks=_marks(max(end, 0.1)),
        width=WIDTH,
        lane=LANE,
        turns=[
            (clock(e.start), clock(e.end), e.speaker, sure(e.confidence), e.named if e.corrected else "")
            for e in entries
        ],
    )


def _facts(
    conversation: "Conversation", end: float, voices: int, strangers: int, made: datetime
) -> list[tuple[str, str]]:
    model = conversation.model or "none"
    if conversation.model and not conversation.calibrated:
        model += " (not calibrated: do not take confidences at their word)"
    return [
        ("Date", f"{made:%Y-%m-%d %H:%M}"),
        ("Length", clock(end)),
        ("Voices", f"{voices}, {strangers} of them unknown" if strangers else str(voices)),
        ("Turns", str(len(conversation.turns))),
        ("Model", model),
        *([("Calibrated", conversation.calibration)] if conversation.calibration else []),
    ]


def _lanes(entries: Sequence[Entry], end: float, colors: Mapping[str, str]) -> list[_Lane]:
    """One for each voice, in the order in which they are first heard."""
    shares = {one.name: one for one in talking_time(entries)}
    lanes: list[_Lane] = []
    for number, name in enumerate(dict.fromkeys(entry.speaker for entry in entries)):
        palette = _GRAYS if is_stranger(name) else _COLORS
        bars = [
            {
                "x": round(entry.start / end * WIDTH, 2),
                "width": round(max(entry.end - entry.start, 0.0) / end * WIDTH, 2),
                "about": f"{name}, {clock(entry.start)} to {clock(entry.end)}, {sure(entry.confidence)}",
            }
            for entry in entries
            if entry.speaker == name
        ]
        color = colors.get(name, palette[number % len(palette)])
        share = shares[name]
        percent = round(100 * share.share, 1)
        lanes.append(
            _Lane(name, color, number * LANE, clock(share.seconds), f"{share.share:.0%}", percent, bars)
        )
    return lanes


def _marks(end: float) -> list[dict[str, Any]]:
    """The time axis: where a mark stands, and what it says."""
    step = next((step for step in _STEPS if end / step <= _MARKS), _STEPS[-1])
    return [
        {"x": round(at / end * WIDTH, 2), "text": clock(at).split(".")[0]}
        for at in range(0, int(end) + 1, step)
    ]


@cache
def _template() -> "Template":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("speakerid.conversation", "templates")
    return Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True
    ).get_template("report.html")
