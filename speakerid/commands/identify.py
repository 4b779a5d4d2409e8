"""`identify`: who speaks when in a recording, as the Recordings page and the REST API hear it."""

import argparse
import sys
import time
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from speakerid.commands import batch
from speakerid.commands.common import (
    Progress,
    answer,
    load_encoder,
    note,
    open_gallery,
    options,
    written,
)
from speakerid.commands.guesses import Guesses
from speakerid.errors import SpeakerIdError
from speakerid.json_text import json_text

if TYPE_CHECKING:
    from speakerid.conversation.conversation import Conversation
    from speakerid.gallery import Gallery, Voiceprint
    from speakerid.identify import Decision, ListenerConfig
    from speakerid.model import Encoder


_FILES = {
    "rttm": "RTTM",
    "csv": "CSV: start, end, speaker, confidence, heard_as",
    "srt": "SubRip subtitles",
    "vtt": "WebVTT subtitles",
    "html": "a report with figures, one page that opens anywhere",
}
"""Options that name a file, and what is written into it; each is one of `KINDS`."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("identify", parents=[options()], help="say who speaks when in a recording")
    parser.add_argument("file", metavar="FILE", help="a recording or a video with sound, or a folder of them")
    parser.add_argument("--out", metavar="DIR", type=Path, help="of a folder: where a JSON file each goes")
    for kind, what in _FILES.items():
        parser.add_argument(f"--{kind}", metavar="F", type=Path, help=f"write the turns as {what}")
    parser.add_argument(
        "--decisions",
        metavar="F.jsonl",
        help="write each decision as it comes, one JSON a line (- prints them)",
    )
    parser.add_argument(
        "--closed-set",
        nargs="?",
        choices=("voiceprints", "tuned"),
        const="voiceprints",
        help='only enrolled people speak: never say "unknown"; tuned: by a head fine-tuned on the enrollment',
    )
    parser.add_argument(
        "--gender", action="store_true", help="add a guess, female or male, from the sound of each voice"
    )
    batch.add_options(parser, "identify")
    parser.set_defaults(run=identify)


def identify(args: argparse.Namespace) -> None:
    """Hear the file, in memory that hardly grows with its length.

    The first look is had only for who wants its decisions: it takes most of the time.
    """
    if Path(args.file).is_dir():
        _identify_folder(args)
        return
    if args.out or args.ray:
        raise SpeakerIdError("--out and --ray are for a folder of recordings: name a folder.")
    from speakerid.audio.decode import stream
    from speakerid.conversation.conversation import KINDS
    from speakerid.conversation.formats import to_csv
    from speakerid.conversation.hearing import Hearing
    from speakerid.identify import Listener

    source = stream(args.file)
    blocks = iter(source)
    block = next(blocks, None)  # what is wrong with a file is told before the model loads
    gallery = open_gallery(args)
    encoder = load_encoder(args)
    warn_of_strangers(gallery, encoder)
    listener = Listener(encoder, gallery, _config(args.closed_set))
    hearing = Hearing(listener, first_look=args.decisions is not None)
    guesses = Guesses(encoder.id) if args.gender else None
    started = time.monotonic()
    with ExitStack() as stack:
        # Opened now: a wrong place is told before the work.
        files = {kind: stack.enter_context(_result(getattr(args, kind))) for kind in _FILES}
        decisions = stack.enter_context(_lines(args.decisions))
        progress = stack.enter_context(Progress())
        while block is not None:
            _write(decisions, hearing.push(block))
            progress.show(how_far(hearing.seconds, source.told, time.monotonic() - started))
            block = next(blocks, None)
        _write(decisions, hearing.flush())
        conversation = hearing.conversation(Path(args.file).stem, source.warnings)
        if guesses and hearing.pieces:
            guesses.hear(hearing.pieces)
        for kind, file in files.items():
            if file and kind == "csv" and guesses:
                labels = [guesses.of(turn).label for turn in conversation.turns]
                file.write(to_csv(conversation.turns, {"gender": labels}))
            elif file:
                file.write(KINDS[kind].write(conversation))
    for warning in conversation.warnings:
        note(warning)
    if not conversation.calibrated:
        note(f"The model {encoder.id} is not calibrated: do not take confidences at their word.")
    _print(args, conversation, guesses)


def _identify_folder(args: argparse.Namespace) -> None:
    files = [f"--{one}" for one in (*_FILES, "decisions", "gender") if getattr(args, one)]
    if files:
        raise SpeakerIdError(f"{files[0]} is for one recording: leave it out, and see the files in --out.")
    if args.out is None:
        raise SpeakerIdError(
            "A folder needs --out DIR, where the results go: a JSON file for each recording."
        )
    gallery, encoder = open_gallery(args), load_encoder(args)
    warn_of_strangers(gallery, encoder)
    people = [person for person in gallery.speakers() if person.model == encoder.id]
    job = batch.Job(identifier, (args.model, people, args.closed_set), ".json")
    batch.run(args, Path(args.file), args.out, job)


def identifier(model: str, people: "list[Voiceprint]", closed_set: str | None) -> batch.Work:
    """What says who speaks when in one recording, as JSON, in a process of its own."""
    from speakerid.conversation.hearing import identify as hear
    from speakerid.model import Encoder

    class Enrolled:
        def speakers(self) -> "list[Voiceprint]":
            return people

    encoder = Encoder.load(model)

    def work(path: str) -> bytes:
        heard = hear(path, cast("Gallery", Enrolled()), encoder, _config(closed_set))
        value = {"recording": path, **heard.answer()}
        return (json_text(value) + "\n").encode(errors="surrogateescape")

    return work


def _config(closed_set: str | None) -> "ListenerConfig":
    """How to decide, with --closed-set as it was given."""
    from speakerid.identify import ListenerConfig

    return ListenerConfig(closed_set=closed_set is not None, tuned=closed_set == "tuned")


def how_far(heard: float, told: float, elapsed: float) -> str:
    """How far the work is: seconds heard; of a recording that says how long it is (told, s; 0 if it does not)
    also what share that is and how long the rest will take, at the pace so far (elapsed, s)."""
    from speakerid.conversation.entry import clock

    pace = heard / max(elapsed, 1e-3)
    if told < heard or not pace:
        return f"{clock(heard)} heard, {pace:.0f} times faster than real time"
    return f"{clock(heard)} of {clock(told)} heard ({heard / told:.0%}), {clock((told - heard) / pace)} left"


def warn_of_strangers(gallery: "Gallery", encoder: "Encoder") -> None:
    """Say on standard error who cannot be recognized by this model."""
    people = gallery.speakers()
    others = [person.name for person in people if person.model != encoder.id]
    if not people:
        note(f'Nobody is enrolled in "{gallery.place}": every voice will be "unknown".')
    elif others:
        names = ", ".join(others[:5]) + (" …" if len(others) > 5 else "")
        count = f"{len(others)} of {len(people)}"
        note(f"{count} people were enrolled with another model and are left out: {names}.")


def _result(path: Path | None) -> Any:
    return written(path) if path else nullcontext(None)


def _lines(path: str | None) -> Any:
    """Where decisions go: a file that others may follow while it grows, standard output, or nowhere."""
    if path is None:
        return nullcontext(None)
    if path == "-":
        return nullcontext(sys.stdout)
    return open(path, "w", encoding="utf-8", buffering=1)


def _write(file: IO[str] | None, decisions: "list[Decision]") -> None:
    if file is not None:
        from speakerid.conversation.formats import as_json

        file.writelines(as_json(decision) + "\n" for decision in decisions)


def _print(args: argparse.Namespace, conversation: "Conversation", guesses: Guesses | None) -> None:
    from speakerid.conversation.formats import to_lines

    if args.decisions == "-" and not args.json:
        return
    turns, value = conversation.turns, conversation.answer()
    if guesses:
        for turn, row in zip(turns, value["turns"], strict=True):
            row["gender"] = guesses.of(turn).label
    lines = to_lines(turns)
    if guesses:
        lines = [f"{line}  ({row['gender']})" for line, row in zip(lines, value["turns"], strict=True)]
    nobody = f"Nobody speaks in {conversation.seconds:.0f} seconds of recording."
    answer(args, value, "\n".join(lines) or nobody)
