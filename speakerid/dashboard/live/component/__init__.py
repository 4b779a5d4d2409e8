"""The live board: one component that draws what a channel sends. Python owns every number and word."""

from functools import cache
from importlib.resources import files
from typing import Any

from speakerid.dashboard.shared.assets import BOARD_URL, PLOTLY_URL

WORDS = {
    "connecting": "Connecting to the live session …",
    "lost": "The connection to the server is lost. Trying again …",
    "insecure": (
        "The browser gives no microphone to a page over plain http. Open the page as http://localhost on the "
        "computer that runs it, or serve it with https (see the README)."
    ),
    "denied": (
        "The browser was told not to share the microphone with this page. Allow it with the lock or "
        "microphone sign beside the address, then press START again."
    ),
    "unplugged": "The microphone is gone: plug it in again, or choose another, then press STOP and START.",
    "plotly": "The charts could not be loaded; reload the page.",
    "kept": "The sound of this turn was not kept. “Keep sound” keeps what is said from then on.",
    "viewer": "Hearing turns again is for operators.",
    "unheard": "The sound could not be played.",
    "present": "Present",
    "leave": "Leave",
    "mute": "Mute",
    "unmute": "Hear it",
    "new": "somebody new …",
    "start": "Start",
    "stop": "Stop",
    "wrong": "This was wrong: one click corrects the turn",
    "not": "Not",
    "who": "Who was it?",
    "undo": "Undo",
    "keep": "Keep …",
    "kept_for": "Keep who spoke when, to be opened again on the page Recordings; with its sound if all agree",
    "learned": (
        "Corrected in the log, the timeline and the downloads. Nothing is learned from it: “somebody new …” "
        "makes a voiceprint, with the person's consent."
    ),
    "none": "nothing yet",
}


def _text(name: str) -> str:
    return files("speakerid.dashboard.live.component").joinpath(name).read_text("utf-8")


@cache
def _board() -> Any:
    from streamlit.components import v2

    return v2.component(
        "speakerid_live_board",
        html=_text("board.html"),
        css=_text("board.css"),
        js=_text("loader.js"),
        isolate_styles=False,
    )


def live_board(token: str, *, microphone: bool, editing: bool = True, key: str = "live-board") -> Any:
    """Draw the board of the channel with this token.

    Args:
        token: of a channel that is open.
        microphone: whether the browser's microphone is the source, so that its troubles are explained.
        editing: whether the visitor may correct names and enroll.

    Returns:
        The component's state; `.failed` is "" or why the push channel cannot be had: "gone" (the token is not
        good any more: take a new one) or "blocked" (the page is reached, but no live channel: the server
        serves none, or something in between lets none through), each with the token after it.
        `.name_turn` is, in the run after somebody asked to name a voice, the millisecond of the session at
        which it spoke; else None. `.keep` is a number in the run after somebody asked to keep the session.
    """
    return _board()(
        key=key,
        data={
            "token": token,
            "script": BOARD_URL,
            "plotly": PLOTLY_URL,
            "words": WORDS,
            "microphone": microphone,
            "editing": editing,
        },
        default={"failed": ""},
        on_failed_change=lambda: None,
        on_name_turn_change=lambda: None,
        on_keep_change=lambda: None,
    )
