"""The live charts as plain Plotly figures (data and layout). The browser sets theme colours and new numbers.

Times on the timeline are milliseconds since the session began, drawn as dates from 2 January 1970 on: Plotly
writes minutes and seconds on date axes only, and takes small numbers there for years.
"""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from speakerid.dashboard import figures_space
from speakerid.dashboard.board_people import Cast
from speakerid.dashboard.colors import UNKNOWN_LOOK, Look
from speakerid.dashboard.eventlog import Entry
from speakerid.dashboard.figure_parts import Figure, bare_layout, short
from speakerid.dashboard.projection import Projection
from speakerid.identify.decision import sure

_CLOCK = "%-M:%S"
_DAY = 86_400_000  # ms
_SHARES = {"tickformat": ".0%", "tickvals": [0, 0.5, 1], "fixedrange": True}


def all_figures(
    cast: Cast, timeline_rows: Sequence[str], bars_message: Mapping[str, Any], view: Projection | None
) -> dict[str, Figure]:
    """Every figure of the live page, empty of what is heard; traces are in the order of the people.

    Args:
        timeline_rows: names of the timeline's rows.
        bars_message: labels and colors of the bars, as `Bars.message` gives them.
        view: into the embedding space; None without people.
    """
    return {
        "bars": bars(bars_message["labels"], bars_message["colors"]),
        "rolling": rolling(cast.names, cast.looks),
        "space": figures_space.space(cast.people, cast.looks, view, flat=True),
        "space3d": figures_space.space(cast.people, cast.looks, view, flat=False),
        "timeline": timeline(timeline_rows, {name: cast.look(name) for name in timeline_rows}),
    }


def bars(labels: Sequence[str], colors: Sequence[str]) -> Figure:
    """How probable each person is now, in a fixed order."""
    trace = {
        "type": "bar",
        "orientation": "h",
        "x": [0] * len(labels),
        "y": list(range(len(labels))),
        "text": [""] * len(labels),
        "textposition": "outside",
        "constraintext": "none",  # as large as the names, however thin the bars are
        "textfont": {"size": 13},
        "cliponaxis": False,
        "marker": {"color": list(colors)},
        "hoverinfo": "skip",
    }
    layout = bare_layout(l=8, r=8, t=4, b=4)
    layout |= {
        "bargap": 0.35,
        "xaxis": {"range": [0, 1.22], "visible": False, "fixedrange": True},
        "yaxis": {
            "tickvals": list(range(len(labels))),
            "ticktext": list(labels),
            "autorange": "reversed",
            "automargin": True,
            "ticklabelstandoff": 8,
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
    }
    return {"data": [trace], "layout": layout}


def rolling(names: Sequence[str], looks: Mapping[str, Look]) -> Figure:
    """The last minute of the same probabilities; x is seconds, now is 0."""
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": short(name),
            "x": [],
            "y": [],
            "line": {"color": looks[name].color, "dash": looks[name].dash, "width": 2.5, "shape": "hv"},
            "fill": "tozeroy",
            "fillcolor": _faint(looks[name].color),
            "hovertemplate": "%{fullData.name}: %{y:.0%}, %{x:.0f} s<extra></extra>",
        }
        for name in names
    ]
    # Above the lines: whose they are.
    traces.append({"type": "scatter", "mode": "text", "x": [], "y": [], "text": [], "textfont": {"size": 13}})
    traces[-1] |= {"cliponaxis": False, "hoverinfo": "skip"}
    layout = bare_layout(l=44, r=18, t=12, b=24)
    ago = {"tickvals": [-60, -45, -30, -15, 0], "ticktext": ["−60 s", "−45 s", "−30 s", "−15 s", "now"]}
    layout |= {
        "xaxis": {"range": [-60, 0], "zeroline": False, "fixedrange": True, "automargin": True} | ago,
        "yaxis": dict(_SHARES) | {"zeroline": False, "automargin": True, "range": [0, 1.18]},
    }
    return {"data": traces, "layout": layout}


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


def _faint(color: str) -> str:
    red, green, blue = (int(color[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.16)"
