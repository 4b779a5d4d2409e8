"""The live page where no WebSocket can be had: the same numbers, polled twice a second."""

from html import escape

import streamlit as st

from speakerid.dashboard import access
from speakerid.dashboard.live import LiveSession

_POLL_S = 0.5
_LOG_ROWS = 12


def draw(session: LiveSession) -> None:
    """Say that live updates are not available here, and draw the board twice a second."""
    st.info(
        "Live updates are not available here, so this page refreshes twice a second and shows less. To see "
        "everything, start the app with `streamlit run app.py`; a proxy in between has to pass WebSockets "
        "under /api/live/ on and to leave the Host header as it is.",
        icon=":material/sync_problem:",
    )
    _poll(session)


@st.fragment(run_every=_POLL_S)
def _poll(session: LiveSession) -> None:
    session.watch(editing=access.may("operator"))
    board = session.board.hello()
    now, bars = board["now"], board["bars"]
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
        totals = (f"{escape(t['name'])} {t['text']}" for t in board["turns"]["totals"])
        st.html(f"<div>{' · '.join(totals)}</div>")
    with st.container(key="event-log"):
        rows = reversed(board["turns"]["rows"][-_LOG_ROWS:])
        cells = (
            f"<tr><td>{row['cells'][0]}</td><td>{row['cells'][1]}</td><td>{escape(row['name'])}</td>"
            f"<td>{row['cells'][2]}</td></tr>"
            for row in rows
        )
        st.html(f"<table>{''.join(cells)}</table>")


def _bar(label: str, color: str, probability: float, text: str) -> str:
    return (
        '<div style="display:grid;grid-template-columns:10rem 1fr 3.5rem;gap:.6rem;align-items:center">'
        f"<span>{label}</span><span style='background:{color};height:1.1rem;"  # the label is harmless already
        f"width:{100 * probability:.1f}%;border-radius:.3rem'></span><span>{text}</span></div>"
    )
