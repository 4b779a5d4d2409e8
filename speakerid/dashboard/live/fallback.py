"""The live page where no WebSocket can be had: the same numbers, polled twice a second.

Drawn as plain HTML: Streamlit mounts charts anew at every update, which flickers, and leaves HTML in place.
"""

from collections.abc import Sequence
from html import escape
from typing import Any

import streamlit as st

from speakerid.dashboard.live.session import LiveSession
from speakerid.dashboard.shared import access

_POLL_S = 0.5
_LOG_ROWS = 12
_TURNS = 300  # of the timeline; HTML is sent whole at each poll
_LEAST_MS = 60_000  # that the timeline shows


def draw(session: LiveSession) -> None:
    """Say that live updates are not available here, and draw the board twice a second."""
    st.info(
        "Live updates are not available here, so this page refreshes twice a second, without the chart of "
        "the last minute, the map of voices, the reasons and the sound of turns, and names cannot be "
        "corrected in it. To see everything, start the app with `streamlit run app.py`; a proxy in between "
        "has to pass WebSockets under /api/live/ on and to leave the Host header as it is.",
        icon=":material/sync_problem:",
    )
    _poll(session)


@st.fragment(run_every=_POLL_S)
def _poll(session: LiveSession) -> None:
    session.watch(editing=access.may("operator"))
    board = session.board.hello()
    now, bars, turns = board["now"], board["bars"], board["turns"]
    with st.container(key="now-speaking"):
        color = now["color"] or "currentColor"
        st.html(
            f'<div style="font-size:4.5rem;font-weight:700;line-height:1.1;border-left:.6rem solid {color};'
            f'padding-left:1rem">{escape(now["name"])}</div><div>{escape(now["detail"])}</div>'
        )
    with st.container(key="latency"):
        level = ", ".join(board["signal"]["text"])
        st.html(f"<div>{escape(level)} · this view lags up to {_POLL_S + 0.2:.1f} s</div>")
    with st.container(key="confidence-bars"):
        rows = zip(bars["labels"], bars["colors"], bars["p"], bars["text"], strict=True)
        st.html("".join(_bar(*row) for row in rows))
    with st.container(key="timeline"):
        st.html(_timeline(turns["rows"][-_TURNS:], board["rows"], turns["totals"]))
    with st.container(key="event-log"):
        cells = (
            f"<tr><td>{row['cells'][0]}</td><td>{row['cells'][1]}</td><td>{escape(row['name'])}</td>"
            f"<td>{row['cells'][2]}</td><td>{escape(row['heard'])}</td></tr>"
            for row in reversed(turns["rows"][-_LOG_ROWS:])
        )
        st.html(
            '<table cellpadding="6" style="text-align:left"><thead>'
            "<tr><th>From</th><th>To</th><th>Who</th><th>Sure</th><th></th></tr></thead>"
            f"<tbody>{''.join(cells)}</tbody></table>"
        )


_LINE = '<div style="display:grid;grid-template-columns:10rem 1fr 4.5rem;gap:.6rem;align-items:center">'


def _bar(label: str, color: str, probability: float, text: str) -> str:
    return (
        f"{_LINE}<span>{label}</span><span style='background:{color};height:1.1rem;"  # a harmless label
        f"width:{100 * probability:.1f}%;border-radius:.3rem'></span><span>{text}</span></div>"
    )


def _timeline(turns: Sequence[dict[str, Any]], names: Sequence[str], totals: Sequence[dict[str, Any]]) -> str:
    """Who spoke when: a line a person, with speaking time; all of it, or what the latest `_TURNS` take."""
    first = turns[0]["start"] if len(turns) == _TURNS else 0
    last = max((turn["start"] + turn["length"] for turn in turns), default=0)
    whole = max(_LEAST_MS, last - first)
    spoken = {total["name"]: total["text"] for total in totals}
    pieces = dict.fromkeys(names, "")
    for turn in turns:
        when = f"{turn['name']}, {turn['cells'][0]} to {turn['cells'][1]}"
        left, width = (100 * part / whole for part in (turn["start"] - first, turn["length"]))
        pieces[turn["name"]] += (
            f'<i title="{escape(when)}" style="position:absolute;top:0;bottom:0;left:{left:.2f}%;'
            f'width:{max(0.2, width):.2f}%;background:{turn["color"]}"></i>'
        )
    return "".join(
        f"{_LINE}<span>{escape(name)}</span><span style='position:relative;height:1.1rem;background:#8883;"
        f"overflow:hidden;border-radius:.3rem'>{own}</span><span>{spoken.get(name, '')}</span></div>"
        for name, own in pieces.items()
    )
