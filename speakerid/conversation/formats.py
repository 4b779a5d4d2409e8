"""Who spoke from when to when, as text for other programs: one writer a format, for every door.

RTTM is the format of the NIST diarization evaluations, one SPEAKER line a turn:
`SPEAKER <file> 1 <start> <duration> <NA> <NA> <name> <confidence> <NA>`, names without blanks.
Turns may overlap. RTTM, CSV, JSON and WebVTT have them as they are; SubRip, whose players show one subtitle
at a time, has one with both names while two people speak. `report.py` writes the page with figures.
"""

import csv
import html
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from speakerid.conversation.entry import Entry, clock

if TYPE_CHECKING:
    from speakerid.identify import Decision, Turn

_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # the wide ones in East Asian settings
_MARKUP = str.maketrans("<>{}", "‹›()")  # SubRip players take tags and {\commands} for formatting


def to_csv(entries: Sequence[Entry], more: Mapping[str, Sequence[str]] | None = None) -> str:
    """A table with a header line; a name that a spreadsheet would run as a formula is quoted with '.

    Args:
        more: further columns: a word for each entry, by the column's name.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    more = more or {}
    writer.writerow(["start", "end", "speaker", "confidence", "heard_as", *more])
    for entry, *words in zip(entries, *more.values(), strict=True):
        names = (harmless(entry.speaker), harmless(entry.named))
        times = (f"{entry.start:.2f}", f"{entry.end:.2f}")
        writer.writerow([*times, names[0], f"{entry.confidence:.3f}", names[1], *map(harmless, words)])
    return out.getvalue()


def to_rttm(entries: Sequence[Entry], file_id: str) -> str:
    """RTTM lines; blanks in names become underscores, as the format demands."""
    lines = [
        f"SPEAKER {_word(file_id)} 1 {entry.start:.3f} {entry.end - entry.start:.3f} <NA> <NA> "
        f"{_word(entry.speaker)} {entry.confidence:.3f} <NA>\n"
        for entry in entries
    ]
    return "".join(lines)


def to_srt(entries: Sequence[Entry]) -> str:
    """SubRip subtitles: numbered, `00:00:01,500 --> 00:00:03,000`, and the name.

    Where several speak at once a subtitle names each on a line of its own, as subtitlers do: "- Ana", "- Bo".
    """
    cues: list[str] = []
    for number, (start, end, names) in enumerate(_moments(entries), 1):
        lines = [_line(name).translate(_MARKUP) for name in names]
        text = lines[0] if len(lines) == 1 else "\n".join(f"- {line}" for line in lines)
        cues.append(f"{number}\n{_subtitle_clock(start, ',')} --> {_subtitle_clock(end, ',')}\n{text}\n")
    return "\n".join(cues)


def to_vtt(entries: Sequence[Entry]) -> str:
    """WebVTT (W3C): the name as a voice span, with its markup escaped; who speaks at once has a cue each."""
    cues = [
        f"\n{_subtitle_clock(e.start, '.')} --> {_subtitle_clock(e.end, '.')}\n"
        f"<v {html.escape(_line(e.speaker), quote=False)}>{html.escape(_line(e.speaker), quote=False)}</v>\n"
        for e in sorted(entries, key=lambda entry: entry.start)
    ]
    return "WEBVTT\n" + "".join(cues)


def to_json(entries: Sequence[Entry], more: Mapping[str, str] | None = None) -> str:
    """A list of turns; `more` is in each of them."""
    rows = [
        {**turn_row(entry), "named": entry.named, "corrected": entry.corrected, **(more or {})}
        for entry in entries
    ]
    return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"


def to_lines(entries: Sequence[Entry]) -> list[str]:
    """A line a turn, as a terminal shows them."""
    return [
        f"{clock(entry.start):>9} – {clock(entry.end):>9}  {entry.confidence:4.0%}  {entry.speaker}"
        for entry in entries
    ]


def turn_row(turn: "Turn | Entry") -> dict[str, Any]:
    """A turn as JSON shows it: times in seconds to the hundredth."""
    return {
        "start": round(turn.start, 2),
        "end": round(turn.end, 2),
        "speaker": turn.speaker,
        "confidence": round(turn.confidence, 3),
    }


def decision_row(decision: "Decision") -> dict[str, Any]:
    """A decision as JSON shows it."""
    return {
        "at": round(decision.at, 3),
        "speaker": decision.speaker,
        "confidence": round(float(decision.confidence), 4),
        "scores": {name: round(float(score), 4) for name, score in decision.scores.items()},
        "also": list(decision.also),
    }


def as_json(decision: "Decision") -> str:
    """A decision as one line of JSON."""
    return json.dumps(decision_row(decision), ensure_ascii=False)


def harmless(text: str) -> str:
    """Text for a cell of a table: what a spreadsheet would run as a formula gets a ' in front."""
    return "'" + text if _visible(text)[:1] in _FORMULA or text[:1] in ("\t", "\r") else text


def _visible(text: str) -> str:
    """From the first character on that a spreadsheet shows."""
    return text[next((n for n, c in enumerate(text) if c.isprintable() and not c.isspace()), len(text)) :]


def _moments(entries: Sequence[Entry]) -> Iterator[tuple[float, float, list[str]]]:
    """(start, end, names) of each stretch in which the same people speak, in order, without overlap."""
    edges = sorted({round(at, 3) for entry in entries for at in (entry.start, entry.end)})
    waiting = sorted(entries, key=lambda entry: entry.start)[::-1]
    speaking: list[Entry] = []
    last: tuple[float, float, list[str]] | None = None
    for start, end in pairwise(edges):
        speaking = [entry for entry in speaking if round(entry.end, 3) > start]
        while waiting and round(waiting[-1].start, 3) <= start:
            speaking.append(waiting.pop())
        names = list(dict.fromkeys(entry.speaker for entry in speaking))
        beginning = any(round(entry.start, 3) == start for entry in speaking)
        if last and last[1] == start and last[2] == names and not beginning:
            last = (last[0], end, names)
            continue
        if last:
            yield last
        last = (start, end, names) if names else None
    if last:
        yield last


def _subtitle_clock(seconds: float, mark: str) -> str:
    milliseconds = round(1000 * seconds)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}{mark}{rest % 1000:03d}"


def _line(text: str) -> str:
    return " ".join(text.split())


def _word(text: str) -> str:
    return re.sub(r"\s+", "_", text.strip()) or "_"
