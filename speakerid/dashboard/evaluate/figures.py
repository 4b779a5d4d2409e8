"""The Evaluate page's picture of who is taken for whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from speakerid.dashboard.shared.figure_parts import short

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

LABELED = 14  # people up to whom each cell shows its number
_ROW = 34  # px
_LEAST = 0.8  # of the color, where there is any: white numbers are read on it in light and dark


def matrix(counts: np.ndarray, names: Sequence[str]) -> Figure:
    """Who is shown for whom.

    Args:
        counts: [people, people + 1] pieces of each person by the name that they got, "unknown" last. People
            without a piece have no row.
    """
    from plotly import graph_objects

    rows = [i for i in range(len(names)) if counts[i].sum()]
    columns = [short(name) for name in (*names, "unknown")]
    shares = counts[rows] / counts[rows].sum(axis=1, keepdims=True)
    numbers: dict[str, Any] = {}
    if len(columns) <= LABELED:  # a nought everywhere else would only be in the way
        texts = [[str(count) if count else "" for count in row] for row in counts[rows]]
        numbers = {"text": texts, "texttemplate": "%{text}", "textfont": {"color": "#ffffff"}}
    drawn = graph_objects.Figure(
        graph_objects.Heatmap(
            z=np.where(shares > 0, _LEAST + (1 - _LEAST) * shares, 0.0),
            x=list(range(len(columns))),
            y=list(range(len(rows))),
            customdata=np.stack([counts[rows], shares], axis=-1),
            hovertemplate="%{customdata[0]} pieces, %{customdata[1]:.0%}<extra></extra>",
            colorscale=[[0, "rgba(15,118,110,0.04)"], [1, "rgba(15,118,110,0.95)"]],
            zmin=0,
            zmax=1,
            showscale=False,
            xgap=2,
            ygap=2,
            **numbers,
        )
    )
    drawn.update_layout(
        xaxis=_axis(columns, "shown as"),
        yaxis=_axis([short(names[i]) for i in rows], "really") | {"autorange": "reversed"},
        height=170 + _ROW * max(len(rows), 3),
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    return drawn


def _axis(labels: Sequence[str], title: str) -> dict[str, Any]:
    return {
        "tickmode": "array",
        "tickvals": list(range(len(labels))),
        "ticktext": list(labels),
        "title": title,
        "automargin": True,
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
    }
