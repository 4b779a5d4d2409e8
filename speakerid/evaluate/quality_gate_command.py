"""`python -m speakerid quality-gate`: good recordings that enrollment refuses, spoiled ones that it takes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from speakerid.evaluate.trials import read_manifest
from speakerid.json_text import json_text

_SHARES = (0.01, 0.02, 0.05, 0.5)
_NEWS = 60  # characters of a reason in the table


def add_parser(subparsers) -> argparse.ArgumentParser:
    """The parser of `quality-gate`."""
    parser = subparsers.add_parser(
        "quality-gate",
        help="measure how well enrollment refuses spoiled recordings and takes good ones",
        description="Enroll the speakers of a manifest from good and from spoiled recordings: how many good "
        "ones are refused, how many spoiled ones are accepted, and the measures behind each threshold, "
        "of speakerid/gallery/enrollment.py and of the model.",
    )
    parser.add_argument("manifest", metavar="MANIFEST.csv", type=Path, help="labelled recordings")
    parser.add_argument("--split", help="only the rows of this split")
    parser.add_argument("--corpus", default="", help="only corpora whose name starts with this")
    parser.add_argument(
        "--seconds", type=float, default=10.0, metavar="S", help="of recordings in one enrollment, at least"
    )
    parser.add_argument("--model", metavar="NAME", help="the model (default: the one in use)")
    parser.add_argument("--voiceprints", help=argparse.SUPPRESS)  # taken by every command; not needed here
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Measure and print; progress goes to stderr.

    Raises:
        SpeakerIdError: the manifest or the model cannot be used.
    """
    from speakerid.evaluate import EvaluationError, peers
    from speakerid.evaluate.command import Progress
    from speakerid.evaluate.gate_recordings import collect
    from speakerid.evaluate.quality_gate import Gate
    from speakerid.model import catalog

    if not args.seconds > 0:
        raise EvaluationError(f"--seconds is {args.seconds:g}; give a number above 0.")
    enrollments = collect(read_manifest(args.manifest, args.split, args.corpus), args.seconds)
    encoder = peers.load(args.model or catalog.chosen())
    gate = Gate(encoder)
    gate.run(enrollments, Progress(sys.stderr))
    figures = summary(gate, encoder.id, enrollments)
    print(json_text(figures, indent=1) if args.json else text(figures))
    return 0


def summary(gate, model: str, enrollments) -> dict:
    """Everything that was found out, ready for JSON; shares are 0..1."""
    thresholds = []
    for one in gate.measured.values():
        if not one.good:  # too few people for it to have come up
            continue
        suggested = one.quantiles(_SHARES[:1], "good")[0]
        thresholds.append(
            {
                "name": one.name,
                "good_lie": "above" if one.above else "below",
                "now": one.value,
                "good": len(one.good),
                "bad": len(one.bad),
                "good_refused_now": one.lost(one.value)[0],
                "bad_accepted_now": one.lost(one.value)[1],
                "refusing_1_percent_of_good": suggested,
                "bad_accepted_then": one.lost(suggested)[1],
                "good_at": one.quantiles(_SHARES, "good"),
                "bad_at": one.quantiles(_SHARES, "bad"),
            }
        )
    return {
        "model": model,
        "shares": _SHARES,
        "speakers": len({one.speaker for one in enrollments}),
        "enrollments": len(enrollments),
        "kinds": {
            kind: {
                "tried": tried.tried,
                "refused": len(tried.refused),
                "share_refused": tried.share_refused,
                "reasons": tried.reasons(),
            }
            for kind, tried in gate.tried.items()
        },
        "thresholds": thresholds,
        "exemplar_agreement": dict(
            zip(("1 %", "5 %", "25 %", "50 %"), gate.exemplar_quantiles((0.01, 0.05, 0.25, 0.5)), strict=True)
        ),
    }


def text(figures: dict) -> str:
    """The figures as tables."""
    from speakerid.evaluate import tables
    from speakerid.evaluate.quality_gate import ASKED, GOOD

    wrongly = {GOOD: "refused", ASKED: "asked"}
    kinds = []
    for kind, one in figures["kinds"].items():
        good = kind in wrongly
        wrong = one["share_refused"] if good else 1 - one["share_refused"]
        reasons = "; ".join(f"{count} x {reason[:_NEWS]}" for reason, count in one["reasons"].items())
        kinds.append(
            {
                "kind": kind,
                "tried": one["tried"],
                "wrong": f"{100 * wrong:.1f} % {wrongly.get(kind, 'accepted')}",
                "reasons": reasons if good else "",
            }
        )
    thresholds = [
        {
            "name": one["name"],
            "now": f"{one['now']:g}",
            "good": f"{100 * one['good_refused_now']:.1f} %",
            "bad": f"{100 * one['bad_accepted_now']:.1f} %" if one["bad"] else "",
            "good_at": " ".join(f"{value:.3f}" for value in one["good_at"]),
            "bad_at": " ".join(f"{value:.3f}" for value in one["bad_at"]) if one["bad"] else "",
            "then": f"{100 * one['bad_accepted_then']:.1f} %" if one["bad"] else "",
        }
        for one in figures["thresholds"]
    ]
    head = "{enrollments} enrollments of {speakers} speakers, {model}".format(**figures)
    columns = (
        ("enrolled", "kind", "s"),
        ("tried", "tried", "d"),
        ("wrongly", "wrong", "s"),
        ("why", "reasons", "s"),
    )
    behind = (
        ("threshold", "name", "s"),
        ("now", "now", "s"),
        ("good refused", "good", "s"),
        ("bad accepted", "bad", "s"),
        ("refuses 1 2 5 50 % of good at", "good_at", "s"),
        ("accepts 1 2 5 50 % of bad at", "bad_at", "s"),
        ("bad accepted when refusing 1 % of good", "then", "s"),
    )
    agree = ", ".join(f"{share} below {value:.2f}" for share, value in figures["exemplar_agreement"].items())
    return "\n\n".join(
        [
            head,
            tables.text(kinds, columns),
            tables.text(thresholds, behind),
            f"Exemplars agree with the others of their voiceprint: {agree}.",
        ]
    )
