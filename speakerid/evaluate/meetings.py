"""Live figures where people talk at once: everybody whom a listener says to speak, against who does.

A meeting is a folder as labelled.py has it; strangers are labelled "unknown", "stranger-1" and so
on. What is said at time t is the last decision published at or before t, with everybody named in it: a late
answer costs as much as a wrong one. Grid of 10 ms, no collar. Beside that stand the figures of who spoke when
as the second look has it (diarization.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from speakerid.evaluate.conversations import UNKNOWN
from speakerid.evaluate.diarization import STEP, Turn
from speakerid.evaluate.diarization import strange as is_strange
from speakerid.evaluate.labelled import Progress, all_heard, second_look

if TYPE_CHECKING:
    from speakerid.model.embedder import Embedder

LEAST = 5  # meetings, for intervals

Said = tuple[float, tuple[str, ...]]  # at s, everybody who is said to speak from then on


@dataclass
class Outcome:
    """Seconds in one meeting, or summed over several.

    Attributes:
        speech: of everybody, so that a second in which two speak counts twice.
        error: missed, false alarm or called otherwise: an enrolled person must be called by their name, a
            stranger must be "unknown".
        stranger, stranger_named: in which a stranger speaks; in which somebody is named there who does not.
        two, two_found: in which two or more speak; in which as many are said to.
    """

    speech: float = 0.0
    error: float = 0.0
    stranger: float = 0.0
    stranger_named: float = 0.0
    two: float = 0.0
    two_found: float = 0.0


def score(turns: Sequence[Turn], said: Sequence[Said]) -> Outcome:
    """Compare who was said to speak with who did."""
    grid = np.arange(0, max(turn[1] for turn in turns) + 1.0, STEP)
    truth: dict[str, np.ndarray] = {}
    strange_turns: dict[str, np.ndarray] = {}
    for start, end, who in turns:
        kind = strange_turns if is_strange(who) else truth
        kind.setdefault(who, np.zeros(len(grid), bool))[(grid >= start) & (grid < end)] = True
    said = sorted(said, key=lambda one: one[0])
    last = np.searchsorted([one[0] for one in said], grid, side="right") - 1
    shown = [(), *(names for _, names in said)]
    names = sorted({name for one in shown for name in one} - {UNKNOWN})
    # Counts of each name in each decision, then in each 10 ms.
    by_name = {name: np.array([one.count(name) for one in shown])[last + 1] for name in [*names, UNKNOWN]}
    zero = np.zeros(len(grid), int)
    strange = sum((row.astype(int) for row in strange_turns.values()), zero)
    count = sum((row.astype(int) for row in truth.values()), strange)
    count_said = sum(by_name.values(), zero)
    right = np.minimum(strange, by_name[UNKNOWN])
    wrong_names = np.zeros(len(grid), bool)
    for name in names:
        speaks = truth.get(name, wrong_names & False)
        right = right + (speaks & (by_name[name] > 0))
        wrong_names |= (by_name[name] > 0) & ~speaks
    two = count > 1
    return Outcome(
        speech=float(count.sum()) * STEP,
        error=float((np.maximum(count, count_said) - right).sum()) * STEP,
        stranger=float((strange > 0).sum()) * STEP,
        stranger_named=float(((strange > 0) & wrong_names).sum()) * STEP,
        two=float(two.sum()) * STEP,
        two_found=float((two & (count_said > 1)).sum()) * STEP,
    )


def add(outcomes: Sequence[Outcome]) -> Outcome:
    """The sum of several meetings."""
    return Outcome(**{field.name: sum(getattr(o, field.name) for o in outcomes) for field in fields(Outcome)})


def figures(outcomes: Sequence[Outcome], rounds: int = 300, seed: int = 0) -> dict:
    """named_error is a share of speech, stranger_named of the strangers' time, overlap_found of the time in
    which two speak; None where there is nothing to divide by. Intervals are over draws of meetings (95 %,
    percentile), None with fewer than 5."""
    out: dict = {"meetings": len(outcomes), **_figures(add(outcomes)), "named_error_interval": None}
    if len(outcomes) >= LEAST and rounds:
        rng = np.random.default_rng(seed)
        draws = [
            _figures(add([outcomes[k] for k in rng.integers(len(outcomes), size=len(outcomes))]))
            for _ in range(rounds)
        ]
        errors = [draw["named_error"] for draw in draws if draw["named_error"] is not None]
        out["named_error_interval"] = [float(x) for x in np.quantile(errors, [0.025, 0.975])]
    return out


def _figures(total: Outcome) -> dict:
    def share(part: float, whole: float) -> float | None:
        return part / whole if whole else None

    return {
        "speech_s": total.speech,
        "named_error": share(total.error, total.speech),
        "stranger_named": share(total.stranger_named, total.stranger),
        "overlap_found": share(total.two_found, total.two),
    }


def run(
    folders: Sequence[Path],
    encoder: Embedder,
    *,
    rounds: int = 300,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict:
    """Listen to all meetings with one encoder; the figures, with `diarization` and `named_error_each`."""
    outcomes, every = [], []
    for one in all_heard(folders, encoder, "listening to meetings", progress):
        said = [(float(d.at), () if d.speaker is None else (d.speaker, *d.also)) for d in one.decisions]
        outcomes.append(score(one.turns, said))
        every.append(one)
    return {
        **figures(outcomes, rounds, seed),
        **second_look(every),
        "named_error_each": {
            one.name: _figures(outcome)["named_error"] for one, outcome in zip(every, outcomes, strict=True)
        },
    }
