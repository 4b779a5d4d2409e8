"""`record` and `live`: the microphone of this computer."""

import argparse
import shutil
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from speakerid.audio.format import RATE
from speakerid.commands.common import Progress, load_encoder, note, open_gallery, options
from speakerid.commands.enroll import add_enrolling, consent_of, require_all, tell
from speakerid.commands.identify import warn_of_strangers
from speakerid.gallery.kept_recording import MAX_SECONDS
from speakerid.gallery.names import clean_name

if TYPE_CHECKING:
    from speakerid.identify import Decision


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to the command line."""
    device = argparse.ArgumentParser(add_help=False)
    device.add_argument(
        "--device", metavar="D", type=_device, help="name or number of the microphone (default: the system's)"
    )

    record = commands.add_parser(
        "record", parents=[device, options()], help="enroll a person from the microphone"
    )
    record.add_argument("name", metavar="NAME", help="whose voice it is")
    record.add_argument(
        "--seconds",
        metavar="S",
        type=_recorded,
        default=10.0,
        help=f"how long to record (default: 10; at most {MAX_SECONDS:g})",
    )
    record.add_argument(
        "--consent", action="store_true", help="the person agreed to be recognized by their voice (required)"
    )
    add_enrolling(record)
    record.set_defaults(run=record_person)

    live = commands.add_parser("live", parents=[device, options()], help="name who is speaking, until Ctrl-C")
    live.add_argument("--seconds", metavar="S", type=_seconds, help="stop after so long")
    live.set_defaults(run=listen)


def record_person(args: argparse.Namespace) -> None:
    """Record for --seconds and enroll the person."""
    from speakerid.audio.microphone import Microphone

    name = clean_name(args.name)
    consent = consent_of(args, "microphone")
    gallery = open_gallery(args, writes=True)
    require_all(gallery, args.distinct_from)
    encoder = load_encoder(args)  # first, so that the person does not speak to a program that is not ready
    blocks: list[np.ndarray] = []
    with Microphone(args.device) as microphone, Progress() as progress:
        note(f"Speak now, for {args.seconds:g} seconds.")
        for block in microphone.blocks(seconds=args.seconds):
            blocks.append(block)
            progress.show(f"{args.seconds - sum(map(len, blocks)) / RATE:.0f} seconds left")
        gain = microphone.gain_db
    samples = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
    report = gallery.enroll(
        name,
        [samples],
        encoder,
        consent=consent,
        sources=["microphone"],
        keep_recordings=args.keep_recordings,
        gains_db=[gain],
        distinct_from=args.distinct_from,
    )
    tell(args, report)


def listen(args: argparse.Namespace) -> None:
    """Show who is speaking on one line that changes; with --json, print each decision on its own line."""
    from speakerid.audio.microphone import Microphone
    from speakerid.identify import Listener
    from speakerid.identify.watch import Watch

    gallery = open_gallery(args)
    encoder = load_encoder(args)
    warn_of_strangers(gallery, encoder)
    watch, told = Watch(gallery), ""
    listener = Listener(encoder, watch)
    screen = _Screen(args.json)
    with Microphone(args.device) as microphone, screen:
        note("Listening; Ctrl-C ends.")
        with suppress(KeyboardInterrupt):
            for block in microphone.blocks(seconds=args.seconds):
                if watch.look():
                    listener.reload()
                if watch.trouble != told:
                    told = watch.trouble
                    note(told or "The voiceprints can be read again.")
                for decision in listener.push(block):
                    screen.show(decision)
        lost = microphone.ring.dropped / RATE
    if lost:
        note(f"{lost:.1f} seconds were not heard, because this computer was too busy.")


class _Screen:
    """Shows decisions: on one line that changes on a terminal, else a line whenever the speaker changes."""

    def __init__(self, json: bool):
        self._json = json
        self._terminal = sys.stdout.isatty() and not json
        self._last: str | None = None

    def show(self, decision: "Decision") -> None:
        from speakerid.identify.decision import sure

        if self._json:
            from speakerid.conversation.formats import as_json

            print(as_json(decision), flush=True)
            return
        everybody = " and ".join([decision.speaker, *decision.also]) if decision.speaker else None
        text = f"{everybody}  {sure(decision.confidence)}" if everybody else "…"
        if self._terminal:
            print(f"\r\x1b[K{text[: shutil.get_terminal_size().columns - 1]}", end="", flush=True)
        elif everybody != self._last:
            print(text, flush=True)
        self._last = everybody

    def __enter__(self) -> "_Screen":
        return self

    def __exit__(self, *_: object) -> None:
        if self._terminal:
            print()


def _device(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= 24 * 3600:
        raise argparse.ArgumentTypeError("give a number of seconds above 0 and up to a day")
    return seconds


def _recorded(text: str) -> float:
    """As `_seconds`, and no longer than a recording may be: all of it is in memory."""
    seconds = _seconds(text)
    if seconds > MAX_SECONDS:
        raise argparse.ArgumentTypeError(
            f"a recording may have {MAX_SECONDS:g} seconds: record less, 15 to 60 seconds are plenty"
        )
    return seconds
