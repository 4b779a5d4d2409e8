"""Who spoke when, against the truth: diarization error rate, with and without the names.

The rate is that of NIST's md-eval (Rich Transcription 2009 evaluation plan): missed speech, false alarms and
confusion, as a share of all that was spoken, where people who speak at once count each. Grid of 10 ms.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from speakerid.conversation.entry import Entry

Turn = tuple[float, float, str]  # start s, end s, who
STEP = 0.01  # s
FORGIVEN = 0.25
"""Seconds around each boundary that "fair" figures leave out, together with overlapped speech."""

_STRANGE = ("unknown", "stranger")


@dataclass(frozen=True)
class Errors:
    """Seconds, of one recording or summed over several.

    Attributes:
        speech: spoken, by everybody.
        missed, false_alarm, confused: with the answer's voices matched to the true ones in the best way.
        fair_error, fair_speech: all three and what was spoken, less FORGIVEN around boundaries and overlap.
        named_error: the same as the three where an enrolled person has to be called by name, and a stranger
            must not be called by anybody's; how strangers are numbered does not matter.
        stranger, stranger_named: strangers' time; what of it carries a name that nobody who speaks there has.
        overlap, overlap_found: time in which two or more speak; what of it two or more are said to.
        voices, voices_found: how many there are, and how many are said to be.
    """

    speech: float = 0.0
    missed: float = 0.0
    false_alarm: float = 0.0
    confused: float = 0.0
    fair_error: float = 0.0
    fair_speech: float = 0.0
    named_error: float = 0.0
    stranger: float = 0.0
    stranger_named: float = 0.0
    overlap: float = 0.0
    overlap_found: float = 0.0
    voices: float = 0.0
    voices_found: float = 0.0


def compare(truth: Sequence[Turn], said: Sequence[Turn]) -> Errors:
    """Score the turns that were said, (start s, end s, who), against the true ones.

    Strangers are called "unknown…" or "stranger…" on both sides.
    """
    frames = round((max(turn[1] for turn in truth) + 1) / STEP)
    true, answer = _grid(truth, frames), _grid(said, frames)
    spoken, told = _count(true, frames), _count(answer, frames)
    right = _matched(true, answer, frames)
    calm = spoken < 2
    for edge in {edge for start, end, _ in truth for edge in (start, end)}:
        calm[max(0, round((edge - FORGIVEN) / STEP)) : round((edge + FORGIVEN) / STEP)] = False
    wrong = np.maximum(spoken, told) - right
    nobody = np.zeros(frames, bool)
    named = sum((true[who] & answer[who] for who in true if who in answer and not strange(who)), nobody * 0)
    stranger, stranger_told = (
        _count({who: on for who, on in voices.items() if strange(who)}, frames) for voices in (true, answer)
    )
    false_name = nobody.copy()
    for who, on in answer.items():
        if not strange(who):
            false_name |= on & ~true.get(who, nobody)
    named_right = named + np.minimum(stranger, stranger_told)
    seconds = {
        "speech": spoken.sum(),
        "missed": np.maximum(spoken - told, 0).sum(),
        "false_alarm": np.maximum(told - spoken, 0).sum(),
        "confused": (np.minimum(spoken, told) - right).sum(),
        "fair_error": wrong[calm].sum(),
        "fair_speech": spoken[calm].sum(),
        "named_error": (np.maximum(spoken, told) - named_right).sum(),
        "stranger": (stranger > 0).sum(),
        "stranger_named": ((stranger > 0) & false_name).sum(),
        "overlap": (spoken > 1).sum(),
        "overlap_found": ((spoken > 1) & (told > 1)).sum(),
    }
    return Errors(
        **{name: float(value) * STEP for name, value in seconds.items()},
        voices=len(true),
        voices_found=len(answer),
    )


def figures(errors: Iterable[Errors]) -> dict[str, float | None]:
    """The rates of several recordings together; None where there is nothing to divide by."""
    parts = list(errors)
    total = Errors(**{f.name: sum(getattr(one, f.name) for one in parts) for f in fields(Errors)})
    wrong = total.missed + total.false_alarm + total.confused
    return {
        "recordings": len(parts),
        "speech_s": total.speech,
        "der": _share(wrong, total.speech),
        "missed": _share(total.missed, total.speech),
        "false_alarm": _share(total.false_alarm, total.speech),
        "confused": _share(total.confused, total.speech),
        "der_fair": _share(total.fair_error, total.fair_speech),
        "named_error": _share(total.named_error, total.speech),
        "stranger_named": _share(total.stranger_named, total.stranger),
        "overlap_found": _share(total.overlap_found, total.overlap),
        "voices": total.voices,
        "voices_found": total.voices_found,
    }


def turns_of(entries: Iterable[Entry]) -> list[Turn]:
    """Turns of a Conversation in the form that `compare` takes."""
    return [(entry.start, entry.end, entry.speaker) for entry in entries]


def _grid(turns: Iterable[Turn], frames: int) -> dict[str, np.ndarray]:
    """Who → bool [frames]."""
    voices: dict[str, np.ndarray] = {}
    for start, end, who in turns:
        if start < frames * STEP:
            voices.setdefault(who, np.zeros(frames, bool))[round(start / STEP) : round(end / STEP)] = True
    return voices


def _count(voices: dict[str, np.ndarray], frames: int) -> np.ndarray:
    return sum((on.astype(int) for on in voices.values()), np.zeros(frames, int))


def _matched(true: dict[str, np.ndarray], answer: dict[str, np.ndarray], frames: int) -> np.ndarray:
    """int [frames]: how many are said rightly, by the best one-to-one matching of voices."""
    import networkx

    graph = networkx.Graph()
    for who, on in true.items():
        for told, also in answer.items():
            if shared := int((on & also).sum()):
                graph.add_edge((0, who), (1, told), weight=shared)
    right = np.zeros(frames, int)
    for pair in networkx.max_weight_matching(graph):
        (_, who), (_, told) = sorted(pair)
        right += true[who] & answer[told]
    return right


def strange(who: str) -> bool:
    """Whether a label is a stranger's."""
    return who.startswith(_STRANGE)


def _share(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None
