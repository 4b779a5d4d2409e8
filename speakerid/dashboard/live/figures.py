"""The live charts as plain Plotly figures (data and layout). The browser sets colours and numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

from speakerid.dashboard.live import space_figures as figures_space
from speakerid.dashboard.live.board.cast import Cast
from speakerid.dashboard.live.projection import Projection
from speakerid.dashboard.shared.colors import Look
from speakerid.dashboard.shared.figure_parts import Figure, bare_layout, short
from speakerid.dashboard.shared.timeline import timeline

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


def _faint(color: str) -> str:
    red, green, blue = (int(color[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.16)"
