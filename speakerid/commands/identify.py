"""`identify`: who speaks when in a recording, by the same Listener as the live page."""

import argparse
import csv
import json
import math
import re
import sys
import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from speakerid.audio.format import RATE
from speakerid.commands.common import Progress, answer, load_encoder, note, open_gallery, options, written
from speakerid.errors import ModelError

if TYPE_CHECKING:
    from speakerid.gallery import Gallery
    from speakerid.identify import Decision, Turn
    from speakerid.identify.gender import Gender
    from speakerid.model import Encoder

BLOCK = 320  # samples: 20 ms, as a browser sends them


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("identify", parents=[options()], help="say who speaks when in a recording")
    parser.add_argument("file", metavar="FILE", help="a recording or a video with sound")
    parser.add_argument("--rttm", metavar="F", type=Path, help="write the turns as RTTM")
    parser.add_argument(
        "--csv", metavar="F", type=Path, help="write the turns as CSV: start, end, speaker, confidence"
    )
    parser.add_argument(
        "--decisions",
        metavar="F.jsonl",
        help="write each decision as it comes, one JSON a line (- prints them)",
    )
    parser.add_argument(
        "--closed-set", action="store_true", help='only enrolled people speak: never say "unknown"'
    )
    parser.add_argument(
        "--gender", action="store_true", help="add a guess, female or male, from the sound of each voice"
    )
    parser.set_defaults(run=identify)


def identify(args: argparse.Namespace) -> None:
    """Stream the file through a Listener; memory does not grow with its length but for the turns."""
    from speakerid.audio.decode import stream
    from speakerid.identify import Listener, ListenerConfig

    source = stream(args.file, block=BLOCK)
    blocks = iter(source)
    block = next(blocks, None)  # what is wrong with a file is told before the model loads
    gallery = open_gallery(args)
    encoder = load_encoder(args)
    warn_of_strangers(gallery, encoder)
    listener = Listener(encoder, gallery, ListenerConfig(closed_set=args.closed_set))
    guesses = _Guesses(encoder.id) if args.gender else None
    started, heard = time.monotonic(), 0
    with ExitStack() as stack:
        rttm = stack.enter_context(_result(args.rttm))  # opened now: a wrong place is told before the work
        table = stack.enter_context(_result(args.csv))
        decisions = stack.enter_context(_lines(args.decisions))
        progress = stack.enter_context(Progress())
        while block is not None:
            heard += len(block)
            _write(decisions, listener.push(block), guesses)
            elapsed = max(time.monotonic() - started, 1e-3)
            progress.show(
                f"{clock(heard / RATE)} heard, {heard / RATE / elapsed:.0f} times faster than real time"
            )
            block = next(blocks, None)
        _write(decisions, listener.flush(), guesses)
        turns = listener.turns
        if rttm:
            rttm.writelines(rttm_lines(turns, Path(args.file).stem))
        if table:
            rows = csv.writer(table)
            rows.writerow(["start", "end", "speaker", "confidence"] + (["gender"] if guesses else []))
            rows.writerows(
                [f"{t.start:.2f}", f"{t.end:.2f}", t.speaker, f"{t.confidence:.3f}"]
                + ([guesses.of(t).label] if guesses else [])
                for t in turns
            )
    for warning in source.warnings:
        note(warning)
    _print(args, turns, heard / RATE, guesses)


class _Guesses:
    """What the gender head says, a turn at a time: the mean of the log-odds heard in it.

    Raises:
        ModelError: the model has no gender head.
    """

    def __init__(self, model: str):
        from speakerid.identify.gender import ABOUT, GenderHead

        head = GenderHead.load(model)
        if head is None:
            raise ModelError(f"There is no gender head for the model {model}: leave out --gender.")
        note(ABOUT)
        self._head = head
        self._heard: list[tuple[float, float]] = []  # at (s), log-odds of "female"

    def hear(self, decisions: "list[Decision]") -> None:
        self._heard += [
            (d.at, float(self._head.log_odds(d.embedding))) for d in decisions if d.embedding is not None
        ]

    def of(self, turn: "Turn") -> "Gender":
        from speakerid.identify.gender import answer_from

        first = bisect_left(self._heard, (turn.start, -math.inf))
        last = bisect_right(self._heard, (turn.end, math.inf))
        odds = [value for _, value in self._heard[first:last]]
        return answer_from(sum(odds) / len(odds) if odds else 0.0)


def warn_of_strangers(gallery: "Gallery", encoder: "Encoder") -> None:
    """Say on standard error who cannot be recognized by this model."""
    people = gallery.speakers()
    others = [person.name for person in people if person.model != encoder.id]
    if not people:
        note(f'Nobody is enrolled in "{gallery.folder}": every voice will be "unknown".')
    elif others:
        names = ", ".join(others[:5]) + (" …" if len(others) > 5 else "")
        count = f"{len(others)} of {len(people)}"
        note(f"{count} people were enrolled with another model and are left out: {names}.")


def decision_row(decision: "Decision") -> dict[str, Any]:
    """A decision as JSON shows it."""
    return {
        "at": round(decision.at, 3),
        "speaker": decision.speaker,
        "confidence": round(float(decision.confidence), 4),
        "scores": {name: round(float(score), 4) for name, score in decision.scores.items()},
    }


def turn_row(turn: "Turn") -> dict[str, Any]:
    """A turn as JSON shows it."""
    return {
        "start": round(turn.start, 2),
        "end": round(turn.end, 2),
        "speaker": turn.speaker,
        "confidence": round(turn.confidence, 3),
    }


def as_json(decision: "Decision") -> str:
    """A decision as one line of JSON."""
    return json.dumps(decision_row(decision), ensure_ascii=False)


def rttm_lines(turns: "list[Turn]", recording: str) -> Iterator[str]:
    """Turns as lines of NIST's RTTM format; its fields hold no spaces, so names get underscores."""
    for turn in turns:
        start, seconds = turn.start, turn.end - turn.start
        yield (
            f"SPEAKER {_field(recording)} 1 {start:.3f} {seconds:.3f} <NA> <NA> {_field(turn.speaker)} "
            f"{turn.confidence:.3f} <NA>\n"
        )


def clock(seconds: float) -> str:
    """Seconds as 1:02:03.4 or 2:03.4."""
    tenths = round(seconds * 10)
    hours, minutes = tenths // 36_000, tenths // 600 % 60
    rest = f"{tenths % 600 / 10:04.1f}"
    return f"{hours}:{minutes:02d}:{rest}" if hours else f"{minutes}:{rest}"


def _field(text: str) -> str:
    return re.sub(r"\s+", "_", text.strip()) or "_"


def _result(path: Path | None) -> Any:
    return written(path) if path else nullcontext(None)


def _lines(path: str | None) -> Any:
    """Where decisions go: a file that others may follow while it grows, standard output, or nowhere."""
    if path is None:
        return nullcontext(None)
    if path == "-":
        return nullcontext(sys.stdout)
    return open(path, "w", encoding="utf-8", buffering=1)


def _write(file: IO[str] | None, decisions: "list[Decision]", guesses: "_Guesses | None") -> None:
    if guesses:
        guesses.hear(decisions)
    if file is not None:
        file.writelines(as_json(decision) + "\n" for decision in decisions)


def _print(args: argparse.Namespace, turns: "list[Turn]", seconds: float, guesses: _Guesses | None) -> None:
    if args.decisions == "-" and not args.json:
        return
    value = {
        "seconds": round(seconds, 2),
        "turns": [{**turn_row(t), **({"gender": guesses.of(t).label} if guesses else {})} for t in turns],
    }
    lines = [
        f"{clock(t.start):>9} – {clock(t.end):>9}  {t.confidence:4.0%}  {t.speaker}"
        + (f"  ({guesses.of(t).label})" if guesses else "")
        for t in turns
    ]
    answer(args, value, "\n".join(lines) or f"Nobody speaks in {seconds:.0f} seconds of recording.")
