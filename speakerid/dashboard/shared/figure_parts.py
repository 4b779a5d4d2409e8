"""What the figures of the dashboard have in common."""

from typing import Any

Figure = dict[str, Any]


def bare_layout(**margin: int) -> Figure:
    """What all live charts have in common; margins in pixels."""
    return {
        "margin": margin,
        "showlegend": False,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "autosize": True,
        "uirevision": "keep",  # zoom, pan and camera survive every update
        "hoverlabel": {"align": "left"},
    }


def short(name: str, longest: int = 18) -> str:
    """The name as an axis shows it: cut where it is long, and never read as markup by Plotly."""
    return plain(name if len(name) <= longest else name[: longest - 1] + "…")


def plain(name: str) -> str:
    """Text that Plotly does not read as markup."""
    return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
