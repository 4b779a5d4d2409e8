"""What every command shares: options, the model and gallery they name, output, progress."""

from __future__ import annotations

import argparse
import getpass
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from speakerid import atomic, settings
from speakerid.errors import EnrollmentRefused, SpeakerIdError
from speakerid.json_text import json_text
from speakerid.model import catalog
from speakerid.places import place_of
from speakerid.plural import counted

if TYPE_CHECKING:
    from speakerid.gallery import Gallery
    from speakerid.model import Encoder


def sentence_of(error: SpeakerIdError) -> str:
    """What an error says, with the option that is its remedy on the command line."""
    if isinstance(error, EnrollmentRefused) and error.belongs_to:
        return f'{error} (--distinct-from "{error.belongs_to}")'
    return str(error)


def options() -> argparse.ArgumentParser:
    """The options of every command, to be passed as `parents=[options()]`."""
    shared = argparse.ArgumentParser(add_help=False)
    group = shared.add_argument_group("options of every command")
    group.add_argument(
        "--voiceprints",
        metavar="DIR",
        type=place_of,
        default=settings.voiceprints(),
        help=f"folder (or postgresql://…) of the people (default: ${settings.VOICEPRINTS} or ./voiceprints)",
    )
    group.add_argument(
        "--model",
        metavar="NAME",
        default=catalog.chosen(),
        help="bundled name, Hugging Face name or path "
        f"(default: ${settings.MODEL}, what `models use` chose, or {settings.BUNDLED_MODEL})",
    )
    group.add_argument("--json", action="store_true", help="print the result as JSON")
    return shared


def open_gallery(args: argparse.Namespace, *, writes: bool = False) -> Gallery:
    """The gallery that --voiceprints names; says on standard error which of its files are damaged.

    Args:
        writes: whether the command changes the gallery; it then also says what is not encrypted.

    Raises:
        GalleryError: if the folder cannot be read.
    """
    from speakerid.gallery import Gallery

    gallery = Gallery.open(args.voiceprints, passphrase_of(args))
    for damaged in gallery.damaged:
        note(f'The voiceprint "{damaged.file}" in "{gallery.place}" is not used: {damaged.reason}.')
    for notice in gallery.notices() if writes else ():
        note(notice)
    if writes and (count := len(gallery.in_clear)):
        note(in_clear(count))
    return gallery


def in_clear(count: int) -> str:
    """What to say of so many voiceprints that are not encrypted although there is a passphrase."""
    return (
        f"{counted(count, 'voiceprint is', 'voiceprints are')} not encrypted, though a passphrase is set: "
        "python -m speakerid passphrase set encrypts everything."
    )


def passphrase_of(args: argparse.Namespace) -> str | None:
    """The passphrase of the voiceprints: asked for on the terminal where they are encrypted and the variable
    SPEAKERID_PASSPHRASE is not set; None leaves it to the variable.

    Raises:
        GalleryError: if the folder cannot be read.
    """
    from speakerid.gallery import Gallery

    if settings.PASSPHRASE.value or not sys.stdin.isatty() or not Gallery.is_encrypted(args.voiceprints):
        return None
    return getpass.getpass("Passphrase of the voiceprints: ")


def load_encoder(args: argparse.Namespace, *, calibrated: bool = True) -> Encoder:
    """The model that --model names; calibrated when it is used for the first time, unless that is not needed.

    Raises:
        ModelError: if it cannot be loaded.
        SpeakerIdError: if SPEAKERID_THREADS is not a number.
    """
    from speakerid.evaluate import installing

    with Progress() as progress:
        encoder, remark = installing.ready(
            args.model, lambda what, _: progress.show(what), calibrated=calibrated
        )
    if remark:
        note(remark)
    return encoder


def note(sentence: str) -> None:
    """A remark on standard error, which leaves standard output to the result."""
    print(f"speakerid: {sentence}", file=sys.stderr)


def answer(args: argparse.Namespace, value: Any, text: str) -> None:
    """Print the result of a command: as JSON where that was asked for, else as text."""
    print(json_text(value) if args.json else text, flush=True)


def agreed(question: str) -> bool:
    """Whether the person at the terminal answers yes; the question is no part of the output."""
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


@contextmanager
def written(path: Path, mode: str = "w") -> Generator[IO[Any]]:
    """`atomic.written`, for a user.

    Raises:
        SpeakerIdError: if it cannot be written there.
    """
    try:
        with atomic.written(path, mode) as file:
            yield file
    except OSError as error:
        raise SpeakerIdError(
            f'"{path}" cannot be written ({error.strerror or error}): choose another place, or make room.'
        ) from error


class Progress:
    """One line on standard error that says how far long work is; nothing unless that is a terminal."""

    def __init__(self):
        self._visible = sys.stderr.isatty()
        self._shown_at = -1.0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown_at >= 0:
            self._draw("")

    def show(self, text: str) -> None:
        """Replace the line, at most ten times a second."""
        if self._visible and time.monotonic() - self._shown_at > 0.1:
            self._draw(text)
            self._shown_at = time.monotonic()

    def clear(self) -> None:
        """Make room for another line."""
        if self._shown_at >= 0:
            self._draw("")
            self._shown_at = -1.0

    def _draw(self, text: str) -> None:
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
