"""The embedding space as plain Plotly figures: enrolled people as clusters, in 2-D and in 3-D."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from speakerid.dashboard.live.projection import Projection
from speakerid.dashboard.shared.colors import UNKNOWN_LOOK, Look
from speakerid.dashboard.shared.figure_parts import Figure, bare_layout, short

if TYPE_CHECKING:
    from speakerid.gallery import Voiceprint


def space(
    people: "Sequence[Voiceprint]", looks: Mapping[str, Look], view: Projection | None, *, flat: bool
) -> Figure:
    """Enrolled people as clusters, a trace each; the last four traces are names, strangers, trail and current
    voice. The browser moves the names out of each other's way."""
    kind = "scatter" if flat else "scatter3d"
    size = 10 if flat else 5
    traces: list[Figure] = []
    centers = np.zeros((0, 3))
    for person in people if view is not None else ():
        assert view is not None
        points = view(person.embeddings)
        centers = np.concatenate([centers, view(person.embeddings.mean(axis=0))[None]])
        look = looks[person.name]
        hover = [
            f"{short(person.name, 60)}<br>{short(source, 60)}, {seconds:.0f} s of speech"
            f"<br>{near:.2f} alike the person's others"
            for source, seconds, near in zip(
                person.sources, person.seconds, _nearness(person.embeddings), strict=True
            )
        ]
        marker = {
            "color": look.color,
            "symbol": look.symbol if flat else "circle",
            "size": size,
            "opacity": 0.75,
        }
        traces.append(
            _points(kind, points, flat)
            | {"mode": "markers", "marker": marker, "hovertext": hover, "hoverinfo": "text"}
        )
    names = [short(person.name) for person in people] if view is not None else []
    traces.append(
        _points(kind, centers, flat)
        | {
            "mode": "text",
            "text": names if flat else [name + "<br> " for name in names],  # above the points
            "textposition": "middle center" if flat else "top center",
            # In the person's color, so that it is seen whose name it is where clusters lie close.
            "textfont": {"size": 15, "color": [looks[person.name].color for person in people]},
            "hoverinfo": "skip",
        }
    )
    empty: Figure = {"type": kind, "x": [], "y": [], "hoverinfo": "skip"} | ({} if flat else {"z": []})
    # Plotly's 3-D crosses are boxes with thick edges; small dots there.
    stranger = {"color": UNKNOWN_LOOK.color, "symbol": "x" if flat else "circle", "size": size * 0.7}
    traces.append(empty | {"mode": "markers", "marker": stranger | {"opacity": 0.55}, "hoverinfo": "text"})
    traces.append(empty | {"mode": "lines+markers", "marker": {"size": size * 0.6}, "line": {"width": 1.5}})
    now = {"size": size * 2, "line": {"width": 3 if flat else 1}}
    traces.append(empty | {"mode": "markers", "marker": now, "hoverinfo": "text"})
    layout = bare_layout(l=6, r=6, t=6, b=6)
    axis = {"range": [-1.4, 1.4], "showticklabels": False, "zeroline": False}
    if flat:
        # Room above the highest cluster for its name.
        layout |= {"xaxis": dict(axis), "yaxis": axis | {"range": [-1.4, 1.7]}, "dragmode": "pan"}
    else:
        plain = axis | {"title": {"text": ""}, "showspikes": False}
        layout["scene"] = {
            "xaxis": dict(plain),
            "yaxis": dict(plain),
            "zaxis": dict(plain),
            "aspectmode": "cube",
            "camera": {"eye": {"x": 0.92, "y": 0.92, "z": 0.55}, "center": {"x": 0, "y": 0, "z": -0.08}},
            "uirevision": "keep",
        }
    return {"data": traces, "layout": layout}


def _points(kind: str, points: Any, flat: bool) -> Figure:
    rows = [[round(float(v), 4) for v in column] for column in points.T]
    return {"type": kind, "x": rows[0], "y": rows[1]} | ({} if flat else {"z": rows[2]})


def _nearness(embeddings: Any) -> list[float]:
    """Cosine of each exemplar to the mean of the person's others (1 where it is the only one)."""
    if len(embeddings) == 1:
        return [1.0]
    others = embeddings.sum(axis=0) - embeddings
    lengths = ((others**2).sum(axis=1)) ** 0.5
    return [float(v) for v in (others * embeddings).sum(axis=1) / lengths]
