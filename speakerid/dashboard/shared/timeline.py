"""Who spoke when as plain Plotly figures: the timeline, and the figures of the standalone report.

Times on the timeline are milliseconds since the session began, drawn as dates from 2 January 1970 on: Plotly
writes minutes and seconds on date axes only, and takes small numbers there for years.
"""

from collections.abc import Mapping, Sequence
from importlib.resources import files

from speakerid.conversation.entry import Entry
from speakerid.dashboard.shared.colors import UNKNOWN_LOOK, Look
from speakerid.dashboard.shared.figure_parts import Figure, bare_layout, short
from speakerid.identify.decision import sure

_CLOCK = "%-M:%S"
_DAY = 86_400_000  # ms


def timeline(names: Sequence[str], looks: Mapping[str, Look]) -> Figure:
    """Who spoke when, a row and a trace a person."""
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": short(name),
            "base": [],
            "x": [],
            "y": [],
            "width": 0.72,
            "marker": {"color": looks[name].color, "line": {"width": 0}},
            "hovertext": [],
            "hoverinfo": "text",
        }
        for name in names
    ]
    layout = bare_layout(l=8, r=8, t=4, b=26)
    layout |= {
        "barmode": "overlay",
        "dragmode": "zoom",
        "xaxis": _time_axis() | {"range": [_DAY, _DAY + 60_000]},
        "yaxis": {
            "tickvals": list(range(len(names))),
            "ticktext": [short(name) for name in names],
            "range": [len(names) - 0.5, -0.5],
            "automargin": True,
            "ticklabelstandoff": 8,
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
    }
    return {"data": traces, "layout": layout}


def report(entries: Sequence[Entry], names: Sequence[str], looks: Mapping[str, Look]) -> list[Figure]:
    """The figures of the standalone report: the whole timeline, and speaking time per person."""
    order = rows(entries, names)
    known = {name: looks.get(name, UNKNOWN_LOOK) for name in order}
    whole = timeline(order, known)
    for row, (name, trace) in enumerate(zip(order, whole["data"], strict=True)):
        own = [entry for entry in entries if entry.speaker == name]
        trace["base"] = [_DAY + round(entry.start * 1000) for entry in own]
        trace["x"] = [round((entry.end - entry.start) * 1000) for entry in own]
        trace["y"] = [row] * len(own)
        trace["hovertext"] = [f"{name}, {sure(entry.confidence)}" for entry in own]
    end = max((entry.end for entry in entries), default=60.0)
    whole["layout"] |= {"height": 90 + 40 * len(order), "title": {"text": "Who spoke when"}}
    whole["layout"]["margin"]["t"] = 50
    whole["layout"]["xaxis"]["range"] = [_DAY, _DAY + round(end * 1000)]
    spoken = [sum(e.end - e.start for e in entries if e.speaker == name) for name in order]
    share: Figure = {
        "data": [
            {
                "type": "bar",
                "x": [short(name) for name in order],
                "y": [round(seconds, 2) for seconds in spoken],
                "marker": {"color": [known[name].color for name in order]},
            }
        ],
        "layout": {"title": {"text": "Seconds spoken"}, "height": 320},
    }
    return [whole, share]


def rows(entries: Sequence[Entry], names: Sequence[str]) -> list[str]:
    """Who has a row, and a trace, in the report's timeline: the given names, then who else was heard."""
    return list(dict.fromkeys([*names, *(entry.speaker for entry in entries)]))


def plotly_source() -> str:
    """Plotly.js itself, for a report that opens offline."""
    return files("plotly").joinpath("package_data/plotly.min.js").read_text("utf-8")


def _time_axis() -> Figure:
    return {"type": "date", "tickformat": _CLOCK, "zeroline": False, "automargin": True}
