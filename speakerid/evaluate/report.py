"""What an evaluation leaves behind: metrics.json, scores.csv and det.html, each written in one step."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import IO, Any

from speakerid.atomic import written
from speakerid.evaluate import EvaluationError, figures, metrics, tables
from speakerid.evaluate.verification import LLR, Result

DIGITS = 5  # behind the point in metrics.json


def write(out: str | Path, summary: dict, results: Sequence[Result]) -> list[Path]:
    """Write the files of an evaluation; scores.csv only where recordings were compared.

    Args:
        summary: what goes into metrics.json beside the results: models, conversations, and so on.

    Raises:
        EvaluationError: the folder cannot be written.
    """
    out = Path(out)
    rows = [{**one.key(), **one.figures} for one in results]
    content: dict = _rounded({**summary, "verification": rows})
    jobs: dict[str, Callable[[IO[str]], object]] = {
        "metrics.json": lambda file: json.dump(content, file, indent=1, ensure_ascii=False, allow_nan=False),
        "det.html": lambda file: file.write(page(content, results)),
    }
    if results:
        jobs["scores.csv"] = lambda file: _scores(file, results)
    try:
        out.mkdir(parents=True, exist_ok=True)
        return [_replace(out / name, job) for name, job in jobs.items()]
    except OSError as error:
        raise EvaluationError(
            f"The results cannot be written to {out} ({error.strerror}); choose another folder with --out."
        ) from error


def page(content: dict, results: Sequence[Result]) -> str:
    """One HTML page that needs nothing else: tables, the DET curves, the reliability of the confidence."""
    parts = []
    if results:
        curves = []
        for one in results:
            target = one.trials.target
            rates = metrics.Scores(one.scores[target], one.scores[~target]).rates()
            curves.append((" · ".join(one.key()[name] for name in _telling(results)), rates))
        parts += [
            "<h2>Is it the same person?</h2>",
            "<p>Every pair of recordings of a corpus is compared. Brackets hold the 95 % interval over draws "
            "of speakers.</p>",
            tables.table(content["verification"], tables.VERIFICATION),
            "<h2>Detection error tradeoff</h2>",
            figures.det(curves).to_html(full_html=False, include_plotlyjs=False),
        ]
    if content.get("groups"):
        parts += [
            "<h2>Who is served worse?</h2>",
            "<p>At the one threshold at which the whole corpus errs equally often on both sides: how often a "
            "group's own voices are missed, and how often two of its people are taken for one. The worst "
            "come first.</p>",
            tables.table(content["groups"], tables.GROUPS),
        ]
    if content.get("closed_set"):
        parts += [
            "<h2>Which of the enrolled people?</h2>",
            "<p>Rooms of people in which nobody else speaks; the gain of the classification head over plain "
            "voiceprints, in brackets the 95 % interval over draws of rooms.</p>",
            tables.table(content["closed_set"], tables.CLOSED_SET),
        ]
    if content.get("gender"):
        parts += [
            "<h2>Gender, 2 s of adults' speech</h2>",
            "<p>Brackets hold the 95 % interval over draws of speakers.</p>",
            tables.table(content["gender"], tables.GENDER),
        ]
    live = content.get("conversations") or {}
    if live:
        rows = [{"model": model, **values} for model, values in live.items()]
        parts += [
            "<h2>Live conversations</h2>",
            "<p>Shares of time with the wrong thing on the screen; brackets hold the 95 % interval over "
            "draws of conversations.</p>",
            tables.table(rows, tables.LIVE),
            "<h2>Who spoke when, after all was heard</h2>",
            "<p>Shares of all that was spoken; no collar, people who speak at once count each.</p>",
            tables.table(
                [{"model": model, **values["diarization"]} for model, values in live.items()],
                tables.DIARIZATION,
            ),
        ]
    if under := content.get("conversations_under"):
        parts += [
            "<h2>Live conversations under worse conditions</h2>",
            "<p>The sound that is heard is spoilt; people are enrolled without it.</p>",
            tables.table(under, tables.LIVE_UNDER),
        ]
    if met := content.get("meetings"):
        parts += [
            "<h2>Live meetings</h2>",
            "<p>Everybody who is said to speak, against who does; shares of speech, of strangers' time and "
            "of the time in which two speak at once.</p>",
            tables.table([{"model": model, **values} for model, values in met.items()], tables.MEETINGS),
        ]
    for model, values in live.items():
        if values["reliability"]:
            parts += [
                f"<h2>Is the confidence shown right as often as it says? {escape(model)}</h2>",
                figures.reliability(values["reliability"]).to_html(full_html=False, include_plotlyjs=False),
            ]
    from plotly.offline import get_plotlyjs

    return _PAGE.format(
        script=get_plotlyjs(), body="\n".join(parts), made=escape(str(content.get("made", "")))
    )


def _telling(results: Sequence[Result]) -> list[str]:
    """The parts of a result's key that tell the results apart."""
    keys = [one.key() for one in results]
    return [name for name in keys[0] if len({key[name] for key in keys}) > 1] or ["model"]


def _scores(file: IO[str], results: Sequence[Result]) -> None:
    """One row a trial; one column for each model, condition, length and scoring."""
    columns = list(dict.fromkeys(_column(one) for one in results))
    writer = csv.writer(file)
    writer.writerow(["corpus", "enroll", "test", "target", *columns])
    for corpus in dict.fromkeys(one.corpus for one in results):
        by_column = {_column(one): one for one in results if one.corpus == corpus}
        first = next(iter(by_column.values()))
        scores = [by_column[name].scores.tolist() if name in by_column else None for name in columns]
        pairs = zip(
            first.trials.enroll.tolist(), first.trials.test.tolist(), first.trials.target, strict=True
        )
        for row, (enroll, test, target) in enumerate(pairs):
            values = ["" if one is None else f"{one[row]:.5f}" for one in scores]
            writer.writerow([corpus, first.labels[enroll], first.labels[test], int(target), *values])


def _column(result: Result) -> str:
    end = "llr" if result.scoring == LLR else "cosine"
    return " | ".join([result.model, result.condition, result.length, end])


def _rounded(value) -> Any:
    """Floats cut to DIGITS; what is not a number becomes null, as JSON wants it."""
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(one) for one in value]
    if isinstance(value, float):
        return round(value, DIGITS) if math.isfinite(value) else None
    return value


def _replace(path: Path, job: Callable[[IO[str]], object]) -> Path:
    with written(path) as file:
        job(file)
    return path


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Speaker identification: evaluation</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 1200px; margin: 2rem auto; padding: 0 1rem; }}
table {{ border-collapse: collapse; font-size: 13px; display: block; overflow-x: auto; }}
th, td {{ border-bottom: 1px solid #ccc; padding: 4px 10px; text-align: left; white-space: nowrap; }}
</style>
<script>{script}</script></head>
<body><h1>Speaker identification: evaluation</h1><p>{made}</p>
{body}
</body></html>
"""
