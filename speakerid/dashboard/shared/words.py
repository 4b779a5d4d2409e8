"""The live page's words for what the Engine says: short, plain, and never more certain than it is."""

import math
from collections.abc import Callable, Collection, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

from speakerid.dashboard.shared.colors import UNKNOWN
from speakerid.identify.decision import sure
from speakerid.plural import counted

if TYPE_CHECKING:
    from speakerid.identify import Decision, Snapshot

NOBODY = "nobody"
FIRM_S = 1.0
"""Seconds of speech from which on an answer is no first impression any more. In conversations of the people
in tests/voices, 91 to 95 % of what is shown before it is right, 98 to 99 % from there to 3 s."""
_FLOOR_DBFS = -60.0  # the level meter's left end

UNCALIBRATED = (
    "Uncalibrated: nobody has measured yet how sure this voice model's answers are, so take the percentages "
    "as rough. Remedy: python -m speakerid calibrate MANIFEST, with recordings of people whom you know."
)


def not_listening(why: str) -> dict[str, Any]:
    """The big name while there is no source."""
    return {
        "kind": "idle",
        "name": "not listening",
        "also": [],
        "detail": why,
        "told": why,
        "color": None,
        "firm": 1.0,
    }


def now_speaking(
    decision: "Decision | None", color: Callable[[str], str], firm: float = 1.0
) -> dict[str, Any]:
    """The big name, who speaks at the same time, what stands below (`told`: for an audience), and the color.

    Args:
        firm: how far the answer is from a first impression, 0..1 (see `firmness`).
    """
    speaker = decision.speaker if decision else None
    if decision is None or speaker is None:
        return {
            "kind": NOBODY,
            "name": NOBODY,
            "also": [],
            "detail": "no speech",
            "told": "",
            "color": None,
            "firm": 1.0,
        }
    told = f"{sure(decision.confidence)} sure"
    if speaker == UNKNOWN:
        told = f"none of the enrolled voices · {told}"
    if firm < 1.0:
        told = f"first impression · {told}"
    return {
        "kind": UNKNOWN if speaker == UNKNOWN else "person",
        "name": speaker,
        "also": [{"name": name, "color": color(name)} for name in decision.also],
        "detail": f"{told} · {decision.details.seconds:.1f} s heard" if decision.details else told,
        "told": told,
        "color": color(speaker),
        "firm": round(firm, 2),
    }


def firmness(decision: "Decision | None", before: "Decision | None", firm: float) -> float:
    """How far an answer is from a first impression, 0..1, by the seconds of speech that it was judged by.

    Args:
        before: what was shown before it, which was so `firm`: a name that goes on after a breath stays so.
    """
    if decision is None or decision.speaker is None or decision.details is None:
        return 1.0
    now = min(1.0, decision.details.seconds / FIRM_S)
    return max(now, firm) if before is not None and before.speaker == decision.speaker else now


def signal(snapshot: "Snapshot | None") -> dict[str, Any]:
    """The level meter (0..1) and what is written beside it."""
    if snapshot is None:
        return {"level": 0.0, "clipped": False, "speech": False, "text": [], "lost": ""}
    level = min(1.0, max(0.0, 1 - snapshot.level_dbfs / _FLOOR_DBFS))
    text = [
        "speech" if snapshot.speech else "no speech",
        f"{max(snapshot.level_dbfs, -99):.0f} dB".replace("-", "−"),
    ]
    if snapshot.clipped:
        text.append("too loud: clipped")
    if not math.isnan(snapshot.snr_db):
        text.append(f"speech {snapshot.snr_db:.0f} dB above the noise")
    lost = []
    if snapshot.dropped:
        lost.append(f"{snapshot.dropped / 16_000:.1f} s of sound lost")
    if snapshot.skipped:
        lost.append(f"{counted(snapshot.skipped, 'step')} skipped, the computer is busy")
    return {
        "level": round(level, 3),
        "clipped": bool(snapshot.clipped),
        "speech": bool(snapshot.speech),
        "text": text,
        "lost": ", ".join(lost),
    }


def latency(measured: Collection[float]) -> dict[str, Any]:
    """How long it takes until a sound that the app has is on the screen, of the latest measurements in ms.

    What a browser's microphone and its connection take before that is not in it: it cannot be measured here.
    """
    way = "until a sound is on the screen"
    if not measured:
        detail = f"{way}: measured while somebody speaks"
        return {"text": "—", "detail": detail, "median": None, "slow": None}
    ordered = sorted(measured)
    slow = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return {
        "text": f"{median(ordered):.0f} ms",
        "detail": f"{way}, 19 times in 20 under {slow:.0f} ms",
        "median": round(median(ordered), 1),
        "slow": round(slow, 1),
    }


def kept(on: bool, ranges: Sequence[tuple[float, float]], limit: float) -> dict[str, Any]:
    """What the page says about the sound that is kept, and which stretches (ms) can be heard."""
    seconds = sum(end - start for start, end in ranges)
    return {
        "on": on,
        "ranges": [[round(start * 1000), round(end * 1000)] for start, end in ranges],
        "text": (
            f"the last {int(seconds) // 60}:{int(seconds) % 60:02d} of sound kept, click a turn to hear it"
            if on
            else ""
        ),
        "help": f"In memory only, at most the last {limit / 60:.0f} minutes, until this page is left.",
    }


def gender(label: str, probability: float) -> dict[str, str]:
    """What a voice sounds like, for beside the name, and what that can and cannot know."""
    from speakerid.identify.gender import ABOUT

    guess = "not sure" if label == "not sure" else f"{label}, {drawn(probability):.0%}"
    return {"text": f"Sounds: {guess}", "help": ABOUT}


def corrected(now: dict[str, Any], name: str, color: str) -> dict[str, Any]:
    """The same where a person said that this stretch is somebody else's (`name`)."""
    kind = UNKNOWN if name == UNKNOWN else "person"
    detail = f"corrected · heard as {now['name']}"
    return {**now, "kind": kind, "name": name, "detail": detail, "told": "", "color": color, "firm": 1.0}


def explanation(decision: "Decision | None", names: Sequence[str]) -> dict[str, Any]:
    """Why the last decision came out as it did: a sentence, and a table with a row for each name.

    Each column is its heading, what the heading means, and a cell for each name.
    """
    if decision is None or decision.details is None:
        return {"lead": "Nothing has been decided yet.", "columns": []}
    details = decision.details
    lead = f"{decision.speaker}: {details.reason}."
    if details.runner_up:
        lead += f" Second among the enrolled: {details.runner_up}."
    lead += f" Judged by {details.seconds:.1f} s of sound."
    measures = [
        ("Alike", "How alike the voices are, −1 to 1, as measured", details.cosine, _signed(".2f")),
        ("Among others", "The same, against how alike any two are here", details.normalized, _signed("+.1f")),
        ("Evidence", "How much the sound speaks for this person; 0: undecided", details.llr, _signed("+.1f")),
        ("Sure", "The probability that the bars show", decision.scores, sure),
    ]
    columns = [{"head": "Voice", "help": "Who takes part", "cells": list(names)}]
    columns += [
        {
            "head": head,
            "help": help_text,
            "cells": [write(values[name]) if name in values else "—" for name in names],
        }
        for head, help_text, values, write in measures
        if values
    ]
    return {"lead": lead, "columns": columns}


def drawn(probability: float) -> float:
    """A probability for a chart that writes numbers by itself: it calls nothing certain either."""
    return min(probability, 0.99)


def _signed(form: str) -> Callable[[float], str]:
    return lambda number: format(number, form).replace("-", "−")
