"""Who spoke from when to when, as text for other programs.

RTTM is the format of the NIST diarization evaluations, one SPEAKER line a turn:
`SPEAKER <file> 1 <start> <duration> <NA> <NA> <name> <confidence> <NA>`, names without blanks.
"""

import csv
import html
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from speakerid.conversation.entry import Entry, clock
from speakerid.identify.decision import sure

if TYPE_CHECKING:
    from speakerid.identify import Decision, Turn


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
        writer.writerow([*times, names[0], f"{entry.confidence:.3f}", names[1], *words])
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
    """SubRip subtitles: numbered, `00:00:01,500 --> 00:00:03,000`, and the name."""
    cues = [
        f"{number}\n{_subtitle_clock(e.start, ',')} --> {_subtitle_clock(e.end, ',')}\n{_line(e.speaker)}\n"
        for number, e in enumerate(entries, 1)
    ]
    return "\n".join(cues)


def to_vtt(entries: Sequence[Entry]) -> str:
    """WebVTT (W3C): the name as a voice span, with its markup escaped."""
    cues = [
        f"\n{_subtitle_clock(e.start, '.')} --> {_subtitle_clock(e.end, '.')}\n"
        f"<v {html.escape(_line(e.speaker), quote=False)}>{html.escape(_line(e.speaker), quote=False)}</v>\n"
        for e in entries
    ]
    return "WEBVTT\n" + "".join(cues)


def to_json(entries: Sequence[Entry]) -> str:
    """A list of turns."""
    rows = [{**turn_row(entry), "named": entry.named, "corrected": entry.corrected} for entry in entries]
    return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"


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
    }


def as_json(decision: "Decision") -> str:
    """A decision as one line of JSON."""
    return json.dumps(decision_row(decision), ensure_ascii=False)


def to_html(entries: Sequence[Entry], title: str, figures: Sequence[dict], plotly_js: str) -> str:
    """One page that opens anywhere, offline: the figures (Plotly, as plain dicts) and the table."""
    rows = "".join(
        f"<tr><td>{clock(e.start)}</td><td>{clock(e.end)}</td><td>{html.escape(e.speaker)}</td>"
        f"<td>{sure(e.confidence)}</td><td>{html.escape(e.named) if e.corrected else ''}</td></tr>"
        for e in entries
    )
    # "</" would end the script element inside a name.
    data = json.dumps(list(figures), ensure_ascii=False).replace("</", "<\\/")
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>
<style>body{{font:16px system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}}
table{{border-collapse:collapse}}
td,th{{padding:.3rem .8rem;border-bottom:1px solid #ddd;text-align:left}}</style>
<h1>{html.escape(title)}</h1><div id="figures"></div>
<table><thead><tr><th>Start</th><th>End</th><th>Speaker</th><th>Confidence</th><th>Heard as</th></tr></thead>
<tbody>{rows}</tbody></table>
<script>{plotly_js}</script>
<script>for (const figure of {data}) {{
  const box = document.getElementById("figures").appendChild(document.createElement("div"));
  Plotly.newPlot(box, figure.data, figure.layout, {{responsive: true, displaylogo: false}});
}}</script></html>
"""


def export(kind: str, entries: Sequence[Entry], page: Callable[[], str]) -> tuple[str, str, str] | None:
    """(file name, media type, text) of a live log as csv, rttm, json or html; None for anything else.

    Args:
        page: makes the text of the html.
    """
    if kind == "csv":
        return "speakers.csv", "text/csv; charset=utf-8", to_csv(entries)
    if kind == "rttm":
        return "speakers.rttm", "text/plain; charset=utf-8", to_rttm(entries, "live")
    if kind == "json":
        return "speakers.json", "application/json", to_json(entries)
    if kind == "html":
        return "speakers.html", "text/html; charset=utf-8", page()
    return None


def _subtitle_clock(seconds: float, mark: str) -> str:
    milliseconds = round(1000 * seconds)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}{mark}{rest % 1000:03d}"


def _line(text: str) -> str:
    return " ".join(text.split())


def _word(text: str) -> str:
    return re.sub(r"\s+", "_", text.strip()) or "_"


def harmless(text: str) -> str:
    """Text for a cell of a table: what a spreadsheet would run as a formula gets a ' in front."""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
