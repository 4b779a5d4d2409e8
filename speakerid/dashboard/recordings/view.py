"""What the Recordings page draws: progress, timeline, speaking time, table, downloads."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import PurePath

import plotly.graph_objects as go
import streamlit as st

from speakerid.conversation.analysis import Analysis, Heard
from speakerid.conversation.conversation import KINDS, Conversation
from speakerid.conversation.entry import Entry, clock, is_stranger
from speakerid.conversation.shares import Share, talking_time
from speakerid.dashboard.recordings import naming as recordings_naming
from speakerid.dashboard.recordings import player
from speakerid.dashboard.recordings.shown import Outcome, Shown
from speakerid.dashboard.shared import widgets
from speakerid.dashboard.shared.colors import Look, looks
from speakerid.dashboard.shared.escaping import escaped
from speakerid.dashboard.shared.timeline import rows, whole
from speakerid.dashboard.shared.words import UNCALIBRATED, drawn
from speakerid.gallery import Gallery, Voiceprint
from speakerid.plural import counted

_STRANGERS = ("#8C8C8C", "#5F6B6B", "#B0A58F", "#7A6F86", "#A3B0A8", "#6E7F5E")
_ROWS = 2000  # of the table; the downloads have all


@st.fragment(run_every=1.0)
def progress(analysis: Analysis, name: str, duration: float) -> None:
    """How far the analysis of a recording is; draws the page anew once it has ended."""
    heard = analysis.heard
    with st.container(key="recording-progress"):
        st.write(f"Analyzing **{escaped(name)}**")
        share = min(1.0, heard.seconds / duration) if duration else None
        where = clock(heard.seconds).split(".")[0]
        if heard.second_look is not None:
            st.progress(heard.second_look, text="All is heard; a second look at who spoke when …")
        elif not heard.seconds:
            st.progress(0.0, text="The model is loading …")
        elif share is None:
            st.progress(0.0, text=f"{where} heard")
        else:
            st.progress(share, text=f"{where} of {clock(duration).split('.')[0]} heard")
        if heard.turns:
            last = heard.turns[-1]
            now = f"at {clock(last.start)} {escaped(last.speaker)} speaks"
            st.caption(f"{counted(len(heard.turns), 'turn')} so far; {now}.")
    if not heard.running:
        st.rerun()


def result(visit: Shown, analysis: Outcome, gallery: Gallery) -> None:
    """The whole answer for one recording.

    Raises:
        GalleryError: the folder of voiceprints cannot be read.
    """
    heard, conversation, name, people = analysis.heard, visit.conversation, visit.name, gallery.speakers()
    entries = conversation.turns
    if heard.error:
        st.error(escaped(heard.error), icon=":material/error:")
    if not conversation.calibrated:
        st.warning(UNCALIBRATED, icon=":material/tune:")
    if conversation.model:
        st.caption(
            f"Heard by `{conversation.model}`, {escaped(f'calibrated {conversation.calibration}'.strip())}."
            if conversation.calibrated
            else f"Heard by `{conversation.model}`, which is not calibrated."
        )
    for warning in heard.warnings:
        st.warning(escaped(warning), icon=":material/info:")
    if not entries:
        if not heard.error:
            st.info(
                f"No speech was found in the {clock(heard.seconds)} of {escaped(name)}. Is it the right "
                "file, and is it loud enough?",
                icon=":material/hearing_disabled:",
            )
        return
    colors, talked = _looks(entries, people), talking_time(entries)
    names = [person.name for person in people if any(e.speaker == person.name for e in entries)]
    with st.container(key="card-timeline"):
        widgets.label(name)
        widgets.tiles(_summary(heard, entries))
        widgets.label("Who spoke when")
        clicked = _chart(whole(entries, names, colors), "recording-timeline")
        if analysis.sound.seconds:
            player.draw(visit.sound_url, entries, chart="recording-timeline")
        voices = counted(len(talked), "voice")
        st.caption(f"{counted(len(entries), 'turn')} of {voices}; the table below has each of them.")
        place = st.container()
        _talking_time(talked, colors)
    _downloads(conversation, name, {one: look.color for one, look in colors.items()})
    ticked = _table(entries)
    picked = [number for point in clicked if (number := _entry_at(point, entries, names)) is not None]
    with place:
        recordings_naming.draw(visit, analysis, list(dict.fromkeys([*picked, *ticked])), gallery)


def _entry_at(point: dict, entries: Sequence[Entry], names: Sequence[str]) -> int | None:
    """The number of the turn that a clicked point of the timeline stands for."""
    order, curve = rows(entries, names), point.get("curve_number", 0)
    own = [n for n, e in enumerate(entries) if curve < len(order) and e.speaker == order[curve]]
    index = point.get("point_index", 0)
    return own[index] if index < len(own) else None


def _summary(heard: Heard, entries: Sequence[Entry]) -> list[tuple[str, str, str, widgets.Tone]]:
    spoken = sum(entry.end - entry.start for entry in entries)
    strangers = sum(e.end - e.start for e in entries if is_stranger(e.speaker))
    known = len({entry.speaker for entry in entries if not is_stranger(entry.speaker)})
    tone: widgets.Tone = "warn" if heard.error or heard.warnings else ""
    how_far = "heard to its end"
    if heard.error:
        how_far = "heard, not the rest"
    elif heard.warnings:
        how_far = "as far as it can be read"
    return [
        ("Recording", clock(heard.seconds).split(".")[0], how_far, tone),
        ("Speech", clock(spoken).split(".")[0], f"{spoken / max(heard.seconds, 0.1):.0%} of it", ""),
        ("Enrolled people heard", str(known), "by name below", ""),
        ("Unknown voices", f"{strangers / max(spoken, 0.1):.0%}", "of the speech", ""),
    ]


def _chart(figure: dict, key: str) -> list[dict]:
    """Draw it; the points that are clicked on."""
    drawn = go.Figure(figure["data"], figure["layout"])
    drawn.update_layout(paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", showlegend=False)
    drawn.update_layout(modebar={"bgcolor": "rgba(0,0,0,0)", "color": "#8a938f", "activecolor": "#14968a"})
    drawn.update_xaxes(tickfont_size=14)
    drawn.update_yaxes(tickfont_size=14)
    config = {"displaylogo": False, "displayModeBar": True}
    event = st.plotly_chart(drawn, key=key, config=config, on_select="rerun", selection_mode="points")
    return list(event["selection"]["points"])


def _talking_time(talked: Sequence[Share], colors: Mapping[str, Look]) -> None:
    """Who talked for how long, as a table: bars to see, numbers to read."""
    rows = "".join(
        f'<tr><td><i class="sid-dot" style="background:{(color := colors[one.name].color)}"></i></td>'
        f"<td>{escape(one.name)}</td><td>{clock(one.seconds)}</td><td>"
        f'<div class="sid-bar"><b style="width:{100 * one.share:.1f}%;background:{color}"></b></div>'
        f"<span>{one.share:.0%}</span></td></tr>"
        for one in talked
    )
    with st.container(key="recording-share"):
        widgets.label("Shares of talking time")
        st.html(
            '<table class="sid-exemplars"><thead><tr><th></th><th>Voice</th><th>Time</th><th>Share</th></tr>'
            f"</thead><tbody>{rows}</tbody></table>"
        )


def _downloads(conversation: Conversation, name: str, colors: Mapping[str, str]) -> None:
    with st.container(horizontal=True, key="recording-downloads"):
        for kind, (file, text, media) in exports(conversation, name, colors).items():
            label, key, icon = KINDS[kind].label, f"recording-{kind}", ":material/download:"
            st.download_button(label, text, file, media, key=key, icon=icon, on_click="ignore")


def exports(
    conversation: Conversation, name: str, colors: Mapping[str, str]
) -> dict[str, tuple[str, str, str]]:
    """Kind → (file name, content, media type) of the turns of the recording called `name`."""
    stem = PurePath(name).stem or "recording"
    texts = {kind: format.write(conversation) for kind, format in KINDS.items() if kind != "html"}
    texts["html"] = conversation.html(name, colors)
    return {kind: (f"{stem}.{kind}", text, KINDS[kind].media) for kind, text in texts.items()}


def _table(entries: Sequence[Entry]) -> list[int]:
    """Draw it; the numbers of the ticked turns."""
    shown = entries[:_ROWS]
    event = st.dataframe(
        {
            "From": [clock(entry.start) for entry in shown],
            "To": [clock(entry.end) for entry in shown],
            "Speaker": [entry.speaker for entry in shown],
            "Confidence": [round(drawn(entry.confidence), 3) for entry in shown],
        },
        hide_index=True,
        key="recording-table",
        on_select="rerun",
        selection_mode="multi-row",
        column_config={
            "Confidence": st.column_config.ProgressColumn(min_value=0.0, max_value=1.0, format="percent")
        },
    )
    if len(entries) > _ROWS:
        st.caption(f"The first {_ROWS} of {len(entries)} turns; the downloads have all.")
    return [row for row in event["selection"]["rows"] if row < len(shown)]


def _looks(entries: Sequence[Entry], people: Sequence[Voiceprint]) -> dict[str, Look]:
    """Colors by name; strangers that were told apart get grays of their own."""
    found = dict(looks(people))
    strangers = sorted({entry.speaker for entry in entries} - set(found))
    for number, stranger in enumerate(strangers):
        found[stranger] = Look(_STRANGERS[number % len(_STRANGERS)], "dot", "x")
    return found
