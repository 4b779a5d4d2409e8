"""`python -m speakerid evaluate`: measure models on labelled recordings and conversations."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from speakerid.evaluate import EvaluationError
from speakerid.evaluate.degrade import CONDITIONS
from speakerid.evaluate.trials import MAX_TRIALS

EPILOG = """\
MANIFEST.csv has the columns path (relative to it), corpus, speaker, split; with sex (f, m) and age
the gender head is measured too, with sex and language also who is served worse than others.
DIR holds one folder for each conversation: enroll/SPEAKER/*.wav, mix.wav, ref.rttm (strangers' names
begin with "unknown" or "stranger").
Models: what --model takes elsewhere, and to compare with: resemblyzer, campplus, speechbrain:NAME
(SpeechBrain's own classes with the weights of NAME).
"""


def add_parser(subparsers) -> argparse.ArgumentParser:
    """The parser of `evaluate`."""
    parser = subparsers.add_parser(
        "evaluate",
        help="measure models on labelled recordings and conversations",
        description="Measure models on labelled recordings: EER, minDCF, Cllr per corpus and length, and "
        "what a live listener shows. Writes metrics.json, scores.csv and det.html.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("manifest", metavar="MANIFEST.csv", nargs="?", type=Path, help="labelled recordings")
    parser.add_argument("--split", help="only the rows of this split")
    parser.add_argument("--corpus", default="", help="only corpora whose name starts with this")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="where the results go")
    parser.add_argument("--model", nargs="+", action="extend", metavar="NAME", help="one or several models")
    parser.add_argument(
        "--conversations", type=Path, metavar="DIR", help="labelled conversations to listen to"
    )
    parser.add_argument("--meetings", type=Path, metavar="DIR", help="the same, in which people talk at once")
    parser.add_argument(
        "--condition",
        nargs="+",
        action="extend",
        choices=list(CONDITIONS),
        metavar="NAME",
        help=f"how recordings and what is heard of conversations are spoilt: {', '.join(CONDITIONS)}",
    )
    parser.add_argument("--bootstrap", type=_count, default=300, metavar="N", help="draws for the intervals")
    parser.add_argument("--seed", type=int, default=0, help="of the draws")
    parser.add_argument("--max-trials", type=_count, default=MAX_TRIALS, metavar="N", help="pairs per corpus")
    parser.add_argument("--voiceprints", help=argparse.SUPPRESS)  # taken by every command; not needed here
    parser.add_argument("--json", action="store_true", help="print metrics.json instead of tables")
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Measure, write, print; progress goes to stderr.

    Raises:
        SpeakerIdError: what was asked for cannot be measured.
    """
    from speakerid.evaluate import (
        closed_set,
        conversations,
        embedding,
        gender,
        groups,
        labelled,
        meetings,
        peers,
        report,
        verification,
    )
    from speakerid.evaluate.trials import read_manifest
    from speakerid.identify.scoring import Scorer
    from speakerid.model import catalog

    if not (args.manifest or args.conversations or args.meetings):
        raise EvaluationError(
            "There is nothing to evaluate; give a MANIFEST.csv, --conversations DIR or --meetings DIR."
        )
    names = list(dict.fromkeys(args.model or [catalog.chosen()]))
    conditions = list(dict.fromkeys(args.condition or ["clean"]))
    utterances = read_manifest(args.manifest, args.split, args.corpus) if args.manifest else []
    folders = labelled.find(args.conversations) if args.conversations else []
    overlapped = labelled.find(args.meetings) if args.meetings else []
    progress = Progress(sys.stderr)
    encoders = [peers.load(name) for name in names]
    scorers = {encoder.id: Scorer.for_model(encoder.id) for encoder in encoders}
    resampling = {"rounds": args.bootstrap, "seed": args.seed, "progress": progress}
    summary: dict = {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "models": {name: encoder.id for name, encoder in zip(names, encoders, strict=True)},
        "calibrated": {model: scorer.calibrated for model, scorer in scorers.items()},
        "manifest": str(args.manifest) if args.manifest else None,
        "split": args.split,
        "bootstrap": args.bootstrap,
        "seed": args.seed,
        "left_out": [],
        "gender": [],
        "groups": [],
        "closed_set": [],
        "conversations": {},
        "conversations_under": [],
        "meetings": {},
    }
    results = []
    if utterances:
        embedded = embedding.embed_recordings(utterances, encoders, conditions, progress=progress)
        summary["left_out"] = embedded.left_out
        summary["closed_set"] = closed_set.measure(embedded, args.bootstrap, args.seed)
        summary["gender"] = gender.measure(embedded, args.bootstrap, args.seed)
        results = verification.verify(embedded, scorers, limit=args.max_trials, **resampling)
        summary["groups"] = groups.measure(results, embedded.utterances)
    if folders:
        for encoder in encoders:
            place = args.out / "conversations" / encoder.id.replace("/", "-").replace(":", "-")
            summary["conversations"][encoder.id] = conversations.run(folders, encoder, place, **resampling)
            summary["conversations_under"] += [
                {
                    "model": encoder.id,
                    "condition": condition,
                    **conversations.run(folders, encoder, condition=condition, **resampling),
                }
                for condition in conditions
                if condition != "clean"
            ]
    for encoder in encoders if overlapped else []:
        summary["meetings"][encoder.id] = meetings.run(overlapped, encoder, **resampling)
    files = report.write(args.out, summary, results)
    _say(args, summary, results, files)
    return 0


def _say(args, summary: dict, results: list, files: list[Path]) -> None:
    from speakerid.evaluate import tables

    _notes(summary)
    if args.json:
        print((args.out / "metrics.json").read_text(encoding="utf-8"))
        return
    if results:
        print(tables.text([{**one.key(), **one.figures} for one in results], tables.VERIFICATION), end="\n\n")
    for rows, columns in (
        (summary["groups"], tables.GROUPS),
        (summary["closed_set"], tables.CLOSED_SET),
        (summary["gender"], tables.GENDER),
    ):
        if rows:
            print(tables.text(rows, columns), end="\n\n")
    live = [{"model": model, **values} for model, values in summary["conversations"].items()]
    if live:
        print(tables.text(live, tables.LIVE), end="\n\n")
    if under := summary["conversations_under"]:
        print(tables.text(under, tables.LIVE_UNDER), end="\n\n")
    met = [{"model": model, **values} for model, values in summary["meetings"].items()]
    if met:
        print(tables.text(met, tables.MEETINGS), end="\n\n")
    if heard := live + met:
        after = [{"model": one["model"], **one["diarization"]} for one in heard]
        print(tables.text(after, tables.DIARIZATION), end="\n\n")
    print("Written: " + ", ".join(str(path) for path in files))


def _notes(summary: dict) -> None:
    """What could not be used, one line a kind, on stderr."""
    left_out = [f"{one['path']}: {one['reason']}" for one in summary["left_out"]]
    heard = [*summary["conversations"].values(), *summary["meetings"].values()]
    refused = [note for values in heard for note in values["refused"]]
    for what, notes in (("Left out", left_out), ("Not enrolled", refused)):
        if notes:
            more = f" And {len(notes) - 1} more, in metrics.json." if len(notes) > 1 else ""
            print(f"{what}: {notes[0]}{more}", file=sys.stderr)


class Progress:
    """One line on a terminal that keeps changing; elsewhere a line every ten seconds."""

    def __init__(self, stream, every: float = 10.0):
        self._stream, self._terminal = stream, stream.isatty()
        self._every = 0.2 if self._terminal else every
        self._what, self._began, self._last = "", 0.0, 0.0

    def __call__(self, done: int, total: int, what: str) -> None:
        now = time.monotonic()
        if what != self._what:
            self._what, self._began, self._last = what, now, 0.0
            self._first = done
        if now - self._last < self._every and done < total:
            return
        self._last = now
        left = ""
        if self._first < done < total:
            seconds = (now - self._began) / (done - self._first) * (total - done)
            left = (
                f", about {seconds:.0f} s left" if seconds < 100 else f", about {seconds / 60:.0f} min left"
            )
        line = f"{what}: {done} of {total}{left}"
        end = "\n" if done >= total or not self._terminal else ""
        print(("\r\x1b[K" if self._terminal else "") + line, end=end, file=self._stream, flush=True)


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{value} is below 0")
    return value
