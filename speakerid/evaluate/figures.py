"""Figures of an evaluation, as plotly figures: the DET curve and the reliability diagram."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from speakerid.evaluate import metrics

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

TICKS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8)
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")  # Okabe and Ito
DASHES = ("solid", "dash", "dot", "dashdot")


def det(curves: Sequence[tuple[str, metrics.Rates]], shown: int = 8) -> Figure:
    """Detection error tradeoff: miss over false alarm on normal-deviate axes, the equal error rate marked.

    Args:
        curves: name and rates; beyond the first `shown`, a curve waits in the legend for a click.
    """
    from plotly import graph_objects

    figure = graph_objects.Figure()
    for number, (name, rates) in enumerate(curves):
        alarm, miss, threshold = metrics.det_points(rates)
        eer, _ = metrics.equal_error(rates)
        color, dash = COLORS[number % len(COLORS)], DASHES[number // len(COLORS) % len(DASHES)]
        label = f"{name} · {eer:.2%}"
        visible = True if number < shown else "legendonly"
        figure.add_scatter(
            x=metrics.probit(alarm),
            y=metrics.probit(miss),
            customdata=np.stack([alarm * 100, miss * 100, threshold], axis=1),
            hovertemplate="threshold %{customdata[2]:.3f}<br>strangers accepted %{customdata[0]:.2f} %"
            "<br>right people refused %{customdata[1]:.2f} %",
            mode="lines" if len(alarm) > 1 else "markers",
            line={"color": color, "dash": dash, "shape": "hv"},
            name=label,
            legendgroup=label,
            visible=visible,
        )
        if 0 < eer < 1:
            at = metrics.probit([eer])
            figure.add_scatter(
                x=at,
                y=at,
                mode="markers",
                marker={"color": color, "size": 9, "symbol": "circle-open"},
                hovertemplate=f"equal error rate {eer:.2%}",
                name=label,
                legendgroup=label,
                showlegend=False,
                visible=visible,
            )
    axis = {
        "tickvals": metrics.probit(TICKS).tolist(),
        "ticktext": [f"{100 * tick:g}" for tick in TICKS],
        "range": metrics.probit([0.0008, 0.7]).tolist(),
        "zeroline": False,
    }
    figure.update_layout(
        xaxis={**axis, "title": {"text": "other people accepted (false alarms), %"}},
        yaxis={**axis, "title": {"text": "the right person refused (misses), %"}},
        height=520,
        margin={"l": 70, "r": 20, "t": 20, "b": 60},
        legend={"title": {"text": "equal error rate"}},
    )
    return figure


def reliability(rows: Sequence[dict], name: str = "") -> Figure:
    """How often each level of confidence is right, beside the diagonal of a perfect one."""
    from plotly import graph_objects

    figure = graph_objects.Figure()
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"dash": "dot", "color": "#888888"},
        name="right as often as it says",
        hoverinfo="skip",
    )
    figure.add_bar(
        x=[(row["from"] + row["to"]) / 2 for row in rows],
        y=[row["right"] for row in rows],
        width=[0.9 * (row["to"] - row["from"]) for row in rows],
        customdata=[[row["weight"], row["confidence"]] for row in rows],
        hovertemplate="said %{customdata[1]:.0%}, right %{y:.0%}, over %{customdata[0]:.1f} s",
        marker={"color": COLORS[0], "opacity": 0.75},
        name=name or "confidence shown",
    )
    figure.update_layout(
        xaxis={"title": {"text": "confidence shown"}, "range": [0, 1], "tickformat": ".0%"},
        yaxis={"title": {"text": "right"}, "range": [0, 1], "tickformat": ".0%"},
        height=360,
        margin={"l": 70, "r": 20, "t": 20, "b": 60},
    )
    return figure
