"""Live figures: what a listener shows during labelled conversations, against who really speaks.

Conversations lie in folders as labelled.py has them. What is on the screen at time t is the last decision
published at or before t, so a late answer costs as much as a wrong one. Grid of 10 ms, no collar. Beside that
stand the figures of who spoke when as the second look has it (diarization.py).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from speakerid.evaluate import diarization, metrics
from speakerid.evaluate.diarization import STEP, Turn
from speakerid.evaluate.labelled import Progress, all_heard, second_look

if TYPE_CHECKING:
    from speakerid.model.embedder import Embedder

MARGIN = 0.5  # s from any speech, beyond which a name shown is a false alarm
UNKNOWN = "unknown"

Shown = tuple[float, str | None, float]  # at s, speaker, confidence


@dataclass
class Outcome:
    """Seconds by kind of outcome in one conversation, or summed over several.

    Attributes:
        enrolled, stranger: speech of enrolled people and of strangers.
        wrong_name, missed: enrolled speech shown as somebody else; as "unknown" or nobody.
        stranger_named: strangers' speech shown under an enrolled name.
        false_alarm: a name shown farther than MARGIN from any speech.
        turns: turns of enrolled people; reactions: seconds to the right name, one for each turn that got it.
        confidence, right: [n] for each 10 ms of speech with a name or "unknown" shown.
    """

    enrolled: float = 0.0
    stranger: float = 0.0
    wrong_name: float = 0.0
    missed: float = 0.0
    stranger_named: float = 0.0
    false_alarm: float = 0.0
    turns: int = 0
    reactions: list[float] = field(default_factory=list)
    confidence: np.ndarray = field(default_factory=lambda: np.zeros(0))
    right: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))


def score(turns: Sequence[Turn], shown: Sequence[Shown]) -> Outcome:
    """Compare what was shown with who spoke.

    Where turns overlap, each counts by itself, and any of the people speaking is right for calibration.
    """
    shown = sorted(shown, key=lambda one: one[0])
    grid = np.arange(0, max(turn[1] for turn in turns) + 1.0, STEP)
    last = np.searchsorted([one[0] for one in shown], grid, side="right") - 1
    names = np.array([None, *(one[1] for one in shown)], dtype=object)[last + 1]
    confidence = np.array([0.0, *(one[2] for one in shown)])[last + 1]
    named = np.array([name is not None and name != UNKNOWN for name in names])
    turns = [(start, end, UNKNOWN if diarization.strange(who) else who) for start, end, who in turns]
    outcome = Outcome()
    near, speech, right = (np.zeros(len(grid), bool) for _ in range(3))
    for start, end, who in turns:
        near |= (grid >= start - MARGIN) & (grid <= end + MARGIN)
        span = np.flatnonzero((grid >= start) & (grid < end))
        hit = names[span] == who
        speech[span] = True
        right[span] |= hit
        if who == UNKNOWN:
            outcome.stranger += len(span) * STEP
            outcome.stranger_named += named[span].sum() * STEP
            continue
        outcome.turns += 1
        outcome.enrolled += len(span) * STEP
        outcome.missed += (~named[span]).sum() * STEP
        outcome.wrong_name += (named[span] & ~hit).sum() * STEP
        if hit.any():
            outcome.reactions.append(float(grid[span[hit.argmax()]] - start))
    outcome.false_alarm = float(named[~near].sum() * STEP)
    somebody = speech & np.array([name is not None for name in names])
    outcome.confidence, outcome.right = confidence[somebody], right[somebody]
    return outcome


def add(outcomes: Sequence[Outcome]) -> Outcome:
    """The sum of several conversations."""
    total = Outcome()
    for name in ("enrolled", "stranger", "wrong_name", "missed", "stranger_named", "false_alarm", "turns"):
        setattr(total, name, sum(getattr(one, name) for one in outcomes))
    total.reactions = sorted(seconds for one in outcomes for seconds in one.reactions)
    total.confidence = np.concatenate([one.confidence for one in outcomes])
    total.right = np.concatenate([one.right for one in outcomes])
    return total


def figures(outcomes: Sequence[Outcome], rounds: int = 300, seed: int = 0) -> dict:
    """What is reported of a set of conversations; None where there is nothing to divide by.

    live_error is the share of speech time with the wrong thing on the screen (nobody shown during a
    stranger's turn is not wrong); wrong_name and missed are shares of enrolled speech, stranger_named of
    strangers' speech, false_alarm of all speech; reaction is in seconds; never is the share of enrolled turns
    whose right name never came. calibration_error weighs each confidence by the speech time it was shown for.
    Intervals are over draws of conversations (95 %, percentile), None with fewer than 5.
    """
    out: dict = {"conversations": len(outcomes), **_figures(add(outcomes))}
    if len(outcomes) >= 5 and rounds:
        rng = np.random.default_rng(seed)
        draws = [
            _figures(add([outcomes[i] for i in rng.integers(len(outcomes), size=len(outcomes))]))
            for _ in range(rounds)
        ]
        for name in ("live_error", "wrong_name", "missed", "stranger_named", "calibration_error"):
            values = [draw[name] for draw in draws if draw[name] is not None]
            out[f"{name}_interval"] = (
                [float(x) for x in np.quantile(values, [0.025, 0.975])] if values else None
            )
    total = add(outcomes)
    out["reliability"] = [
        {**row, "weight": row["weight"] * STEP} for row in metrics.reliability(total.confidence, total.right)
    ]
    return out


def _figures(total: Outcome) -> dict:
    speech = total.enrolled + total.stranger
    wrong = total.wrong_name + total.missed + total.stranger_named
    known = len(total.confidence) > 0
    return {
        "speech_s": speech,
        "live_error": _share(wrong, speech),
        "wrong_name": _share(total.wrong_name, total.enrolled),
        "missed": _share(total.missed, total.enrolled),
        "stranger_named": _share(total.stranger_named, total.stranger),
        "false_alarm": _share(total.false_alarm, speech),
        "reaction_median": float(np.median(total.reactions)) if total.reactions else None,
        "reaction_p95": float(np.percentile(total.reactions, 95)) if total.reactions else None,
        "never": 1 - len(total.reactions) / total.turns if total.turns else None,
        "calibration_error": metrics.calibration_error(total.confidence, total.right) if known else None,
        "mean_confidence": float(total.confidence.mean()) if known else None,
        "shown_right": float(total.right.mean()) if known else None,
    }


def _share(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None


def run(
    folders: Sequence[Path],
    encoder: Embedder,
    out: Path | None = None,
    *,
    rounds: int = 300,
    seed: int = 0,
    progress: Progress | None = None,
    condition: str = "clean",
) -> dict:
    """Listen to all conversations with one encoder.

    Args:
        out: where to write NAME/decisions.jsonl for each conversation (one JSON object a line: at, speaker,
            confidence) and NAME/turns.rttm, None to write nothing.
        condition: of the sound that is heard (degrade.py); people are enrolled without it.

    Returns:
        The live figures; beside them `diarization` of the second look, `refused` and `live_error_each`.
    """
    outcomes, every = [], []
    doing = "listening to conversations" + (f" ({condition})" if condition != "clean" else "")
    for one in all_heard(folders, encoder, doing, progress, condition):
        shown = [(float(d.at), d.speaker, float(d.confidence)) for d in one.decisions]
        if out is not None:
            _write(out / one.name / "decisions.jsonl", shown)
            (out / one.name / "turns.rttm").write_text(one.conversation.rttm(), encoding="utf-8")
        outcomes.append(score(one.turns, shown))
        every.append(one)
    return {
        **figures(outcomes, rounds, seed),
        **second_look(every),
        "live_error_each": {
            one.name: _figures(outcome)["live_error"] for one, outcome in zip(every, outcomes, strict=True)
        },
    }


def _write(path: Path, shown: Sequence[Shown]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"at": at, "speaker": who, "confidence": sure}) for at, who, sure in shown]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
