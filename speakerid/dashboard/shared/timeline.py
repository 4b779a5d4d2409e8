"""Who spoke when as a plain Plotly figure.

Times on the timeline are milliseconds since the session began, drawn as dates from 2 January 1970 on: Plotly
writes minutes and seconds on date axes only, and takes small numbers there for years.
"""

from collections.abc import Mapping, Sequence

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


def whole(entries: Sequence[Entry], names: Sequence[str], looks: Mapping[str, Look]) -> Figure:
    """The timeline of everything that was said."""
    order = rows(entries, names)
    figure = timeline(order, {name: looks.get(name, UNKNOWN_LOOK) for name in order})
    for row, (name, trace) in enumerate(zip(order, figure["data"], strict=True)):
        own = [entry for entry in entries if entry.speaker == name]
        trace["base"] = [_DAY + round(entry.start * 1000) for entry in own]
        trace["x"] = [round((entry.end - entry.start) * 1000) for entry in own]
        trace["y"] = [row] * len(own)
        trace["hovertext"] = [f"{name}, {sure(entry.confidence)}" for entry in own]
    end = max((entry.end for entry in entries), default=60.0)
    figure["layout"] |= {"height": 90 + 40 * len(order)}
    figure["layout"]["margin"]["t"] = 50
    figure["layout"]["xaxis"]["range"] = [_DAY, _DAY + round(end * 1000)]
    return figure


def rows(entries: Sequence[Entry], names: Sequence[str]) -> list[str]:
    """Who has a row, and a trace, in the timeline: the given names, then who else was heard."""
    return list(dict.fromkeys([*names, *(entry.speaker for entry in entries)]))


def _time_axis() -> Figure:
    return {"type": "date", "tickformat": _CLOCK, "zeroline": False, "automargin": True}
