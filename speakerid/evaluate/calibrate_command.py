"""`python -m speakerid calibrate`: learn from labelled recordings what a model's scores are worth."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from speakerid.audio.format import RATE
from speakerid.evaluate import EvaluationError
from speakerid.evaluate.command import Progress
from speakerid.json_text import json_text
from speakerid.plural import counted

ENOUGH_SPEAKERS = 10  # below that, how voices differ cannot be learned
LONGEST = 60.0  # seconds that are used of a recording
MOST_RECORDINGS = 12  # of a speaker


def add_parser(subparsers) -> argparse.ArgumentParser:
    """The parser of `calibrate`."""
    parser = subparsers.add_parser(
        "calibrate",
        help="calibrate a model on labelled recordings",
        description="Learn from labelled recordings which probability a model's scores stand for, and "
        "its limits of enrollment.",
        epilog="MANIFEST.csv has the columns path (relative to it), corpus, speaker, split. Only numbers "
        "are kept, nothing of the recordings. Numbers learned for a model replace those it had.",
    )
    parser.add_argument("manifest", metavar="MANIFEST.csv", type=Path, help="labelled recordings")
    parser.add_argument("--split", help="only the rows of this split")
    parser.add_argument("--model", metavar="NAME", help="the model (default: the one in use)")
    parser.add_argument("--seed", type=int, default=0, help="of the pieces that are drawn")
    parser.add_argument("--voiceprints", help=argparse.SUPPRESS)  # taken by every command; not needed here
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> None:
    """Embed, learn, write.

    Raises:
        SpeakerIdError: too few speakers, or recordings or a model that cannot be used.
    """
    from speakerid.evaluate.calibration import fit
    from speakerid.evaluate.limits import from_sides
    from speakerid.evaluate.trials import read_manifest
    from speakerid.identify.scoring import Scorer, save
    from speakerid.model import Encoder, catalog
    from speakerid.model.companions import own_file
    from speakerid.model.limits import limits_of

    utterances = read_manifest(args.manifest, args.split)
    speakers = {(one.corpus, one.speaker) for one in utterances}
    _check(len(speakers))
    encoder = Encoder.load(args.model or catalog.chosen())
    progress = Progress(sys.stderr)
    subjects, sides = _subjects(utterances, encoder, args.seed, progress)
    _check(len(subjects))
    cohort = Scorer.for_model(encoder.id).cohort
    calibration, losses = fit(subjects, cohort)
    path = own_file(encoder.id)
    limits = from_sides(sides)
    if not limits.known:  # too few speakers for them: those that the model had stay
        limits = limits_of(encoder.id)
    save(path, cohort, calibration, {"model": encoder.id, "voices": len(subjects), **losses}, limits)
    result = {"model": encoder.id, "speakers": len(subjects), "cllr": losses["trials"], "file": str(path)}
    print(
        json_text(result)
        if args.json
        else f"Calibrated {encoder.id} on {counted(len(subjects), 'speaker')} (Cllr {losses['trials']:.3f}); "
        f"the numbers are in {path}."
    )


def _check(speakers: int) -> None:
    if speakers < ENOUGH_SPEAKERS:
        raise EvaluationError(
            f"Calibration needs at least {ENOUGH_SPEAKERS} speakers with some seconds of speech each, and "
            f"there are {speakers}: add recordings of others to the manifest."
        )


def _subjects(utterances, encoder, seed: int, progress: Progress) -> tuple[list, list]:
    """What each speaker's recordings give, for the calibration and for the limits; those that cannot be used
    are named on stderr."""
    import numpy as np

    from speakerid.audio.decode import decode
    from speakerid.errors import SpeakerIdError
    from speakerid.evaluate.limits import SIDES, parts_of, side
    from speakerid.evaluate.subjects import subject
    from speakerid.model.encoder import refusal

    rng = np.random.default_rng(seed)
    recordings: dict[tuple[str, str], list] = {}
    for one in utterances:
        recordings.setdefault((one.corpus, one.speaker), []).append(one)
    subjects, sides = [], []
    for done, ((corpus, speaker), mine) in enumerate(sorted(recordings.items())):
        progress(done, len(recordings), "calibrating")
        audio = []
        for one in mine[:MOST_RECORDINGS]:
            try:
                audio.append(decode(one.path).samples[: int(LONGEST * RATE)])
            except SpeakerIdError as error:
                print(f"Left out: {one.label}: {error}", file=sys.stderr)
        made = subject(speaker, corpus, audio, encoder, rng) if audio else None
        if made is not None:
            subjects.append(made)
            parts = parts_of([samples for samples in audio if refusal(samples) is None])
            sides.append([side(part, encoder, speaker) for part in parts[:SIDES]])
    progress(len(recordings), len(recordings), "calibrating")
    return subjects, [mine for mine in sides if mine]
