"""What several pages share: the frame around a page, measures, waveform, level meter.

Everything that carries a person's name or a file's name into HTML goes through `html.escape` here.
"""

from collections.abc import Callable, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import numpy as np
import streamlit as st
from PIL import Image
from streamlit.errors import StreamlitAPIException

from speakerid.dashboard.shared import access, resources, state
from speakerid.dashboard.shared.escaping import escaped

Tone = Literal["", "good", "warn", "bad"]

# In the order of the navigation; a page whose file is not there gets no link.
PAGES = (
    ("app.py", "Home", ":material/home:"),
    ("pages/1_Enroll.py", "Enroll", ":material/record_voice_over:"),
    ("pages/2_Live.py", "Live", ":material/graphic_eq:"),
    ("pages/3_Recordings.py", "Recordings", ":material/audio_file:"),
    ("pages/4_Evaluate.py", "Evaluate", ":material/monitoring:"),
    ("pages/5_Models.py", "Models", ":material/memory:"),
)

_LOOK = Path(__file__).with_name("theme.css")
_BARS = (7, 14, 20, 11, 6)  # heights of the mark's bars, px of 20
_MARK = "".join(f'<b style="height:{height}px"></b>' for height in _BARS)


def page(name: str, *, lead: str = "", title: str | None = None) -> None:
    """Begin a page: browser title, look, navigation, heading. Call it first on every page.

    Ends the run where the visitor may not see the page (see `access`).

    Leaving a page drops what that page kept (see `state`), and the first page starts loading the model.

    Args:
        name: one of the names in PAGES; the browser's title and the highlighted link.
        lead: one sentence under the heading.
        title: the heading where it is not the name; "" for none.
    """
    st.set_page_config(page_title=f"{name} · Speaker ID", page_icon=_icon(), layout="wide")
    state.enter(name)
    st.html(_LOOK)
    follow_scheme()
    with st.container(horizontal=True, vertical_alignment="center", key="sid-nav"):
        st.html(f'<div class="sid-brand"><i>{_MARK}</i>Speaker ID</div>', width="content")
        for path, label, link_icon in PAGES:
            if access.may_open(label):
                link(path, label, link_icon)
        access.account()
    access.page(name)
    heading = name if title is None else title
    if heading:
        below = f"<p>{escape(lead)}</p>" if lead else ""
        size = " big" if name == "Home" else ""
        st.html(f'<div class="sid-title{size}"><h1>{escape(heading)}</h1>{below}</div>')
    resources.warm()


def follow_scheme() -> None:
    """Give dialogs and popovers the scheme, light or dark, of the page: Streamlit puts them outside the part
    of the page that has it. A dialog, which is drawn by itself, calls this too."""
    scheme = st.context.theme.type or "light"
    outside = '[data-testid="stDialog"], [data-testid="stPopoverBody"]'
    st.html(f"<style>{outside} {{ color-scheme: {scheme}; }}</style>")


def link(
    path: str, label: str, icon: str | None = None, *, width: Literal["content", "stretch"] = "content"
) -> None:
    """A link to another page of the app; nothing where that page is not part of the running app."""
    try:
        st.page_link(path, label=label, icon=icon, width=width)
    except (StreamlitAPIException, KeyError):  # the page is missing, or a page script runs alone
        return


def go(path: str, text: str, icon: str, *, first: bool = False) -> None:
    """A link to another page that looks like a button; the first choice stands out."""
    name = path.rpartition("_")[2].removesuffix(".py").lower()
    with st.container(key=f"go-{'first-' if first else ''}{name}", width="content"):
        link(path, text, icon)


def somebody_else(name: str, *, key: str, on_click: Callable[..., None], args: tuple[Any, ...]) -> None:
    """The button that says of a voice taken for somebody enrolled that it is not theirs."""
    who = escaped(name.strip()) or "It"
    st.button(f"{who} is somebody else", key=key, icon=":material/group:", on_click=on_click, args=args)


@cache
def _icon() -> Image.Image:
    """The mark; drawn here, since Streamlit has the browser fetch a named icon from the network."""
    icon = np.zeros((64, 64, 4), np.uint8)
    for number, height in enumerate(_BARS):
        half = round(1.5 * height)
        icon[32 - half : 32 + half, 3 + 12 * number : 11 + 12 * number] = (20, 150, 138, 255)
    return Image.fromarray(icon)


def label(text: str) -> None:
    """A small heading within a card."""
    st.html(f'<div class="sid-label">{escape(text)}</div>')


def status_rows(rows: Sequence[tuple[Tone, str, str]]) -> None:
    """Rows of (tone, what, how it stands), each with a colored dot."""
    parts = (
        f'<div class="sid-row"><i class="sid-dot {tone}"></i><div><strong>{escape(what)}</strong>'
        f"<span>{escape(how)}</span></div></div>"
        for tone, what, how in rows
    )
    st.html(f"<div>{''.join(parts)}</div>")


def tiles(measures: Sequence[tuple[str, str, str, Tone]]) -> None:
    """Measures as tiles: (what, value, what to think of it, tone)."""
    parts = (
        f'<div class="sid-tile {tone}"><em>{escape(what)}</em><strong>{escape(value)}</strong>'
        f"<small>{escape(note)}</small></div>"
        for what, value, note, tone in measures
    )
    st.html(f'<div class="sid-tiles">{"".join(parts)}</div>')


def person(name: str, detail: str, color: str) -> None:
    """A person's initial, name and one line about the voiceprint."""
    st.html(
        f'<div class="sid-person"><div class="sid-face" style="background:{color}">'
        f"{escape(name[:1].upper())}</div><div><strong>{escape(name)}</strong><span>{escape(detail)}</span></div></div>"
    )


def waveform(
    samples: np.ndarray, speech: Sequence[tuple[float, float]], *, rate: int, points: int = 480
) -> None:
    """Draw a recording's shape with its speech marked.

    Args:
        samples: float32 [n].
        speech: (start, end) in seconds.
        rate: samples a second.
    """
    seconds = len(samples) / rate
    outline = envelope(samples, points)
    count = len(outline)
    upper = [
        f"{100 * i / max(count - 1, 1):.2f}% {50 - 50 * height:.1f}%" for i, height in enumerate(outline)
    ]
    lower = [
        f"{100 * i / max(count - 1, 1):.2f}% {50 + 50 * outline[i]:.1f}%" for i in range(count - 1, -1, -1)
    ]
    stops, at = [], 0.0
    for start, end in [*speech, (seconds, seconds)]:
        left, right = (f"{100 * t / max(seconds, 1e-6):.2f}%" for t in (start, end))
        stops += [f"var(--sid-idle) {at:.2f}% {left}", f"var(--sid-accent) {left} {right}"]
        at = 100 * end / max(seconds, 1e-6)
    st.html(
        f'<div class="sid-wave"><div style="background:linear-gradient(90deg,{",".join(stops)});'
        f'clip-path:polygon({",".join(upper + lower)})"></div></div>'
        '<div class="sid-legend"><div><i></i>speech<i class="idle"></i>pause</div>'
        f"<div>{seconds:.1f} s</div></div>"
    )


def envelope(samples: np.ndarray, points: int) -> np.ndarray:
    """Heights 0.02..1 of a waveform's outline, [at most `points`]; the loudest is 1, so quiet ones show."""
    count = max(2, min(points, len(samples)))
    padded = np.pad(np.abs(samples), (0, -len(samples) % count))
    if not len(padded):
        return np.full(2, 0.02)
    peaks = padded.reshape(count, -1).max(axis=1)
    return np.maximum(0.02, peaks / max(float(peaks.max()), 1e-4))


def collected(speech_seconds: float, *, needed: float, wanted: float) -> None:
    """Seconds of speech so far against what is needed at least (a mark) and what is wanted (the full bar)."""
    share = min(1.0, speech_seconds / wanted)
    tone = "good" if speech_seconds >= needed else ""
    st.html(
        f'<div class="sid-count"><strong>{speech_seconds:.1f}</strong>'
        f"<span>of {wanted:.0f} seconds of speech</span></div>"
        f'<div class="sid-bar {tone}"><b style="width:{100 * share:.1f}%"></b>'
        f'<u style="left:{100 * needed / wanted:.1f}%"></u></div>'
    )


def meter(level_dbfs: float, tone: Tone, hint: str) -> None:
    """The level as a bar from −60 to 0 dBFS, with a sentence on what to do about it."""
    share = min(1.0, max(0.0, (level_dbfs + 60) / 60))
    st.html(
        f'<div class="sid-label">Level</div><div class="sid-bar {tone or "good"}">'
        f'<b style="width:{100 * share:.1f}%"></b></div><div class="sid-hint {tone}">{escape(hint)}</div>'
    )


def reading(text: str, *, right_to_left: bool = False) -> None:
    """A text to read aloud, large."""
    direction = "rtl" if right_to_left else "ltr"
    st.html(f'<div class="sid-read" dir="{direction}">{escape(text)}</div>')


def chips(names: Sequence[tuple[str, str]]) -> None:
    """Names as small labels: (name, CSS color)."""
    parts = (f'<span><i style="background:{color}"></i>{escape(name)}</span>' for name, color in names)
    st.html(f'<div class="sid-chips">{"".join(parts)}</div>')


def insecure_page() -> str:
    """Why the browser will hand out no microphone on this page's address; "" where it will."""
    address = urlsplit(st.context.url or "")
    host = address.hostname or ""
    if address.scheme != "http" or host in ("localhost", "127.0.0.1", "::1") or host.endswith(".localhost"):
        return ""
    return (
        f"Browsers allow a microphone only on https or on the computer itself, and this page was opened as "
        f"http://{host}: open it with https, or as http://localhost on the computer that runs it."
    )
