"""The command line, `python -m speakerid COMMAND …`: a thin door to the modules in COMMANDS.

Exit status: 0 done, 1 refused or failed with one clear line on standard error, 2 wrong usage, 130 stopped by
Ctrl-C.
"""

import argparse
import codecs
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper

from speakerid import __version__, settings
from speakerid.commands.common import sentence_of
from speakerid.errors import SpeakerIdError

COMMANDS = (
    "speakerid.commands.enroll",
    "speakerid.commands.speakers",
    "speakerid.commands.voiceprints",
    "speakerid.commands.sessions",
    "speakerid.commands.doctor",
    "speakerid.commands.move",
    "speakerid.commands.identify",
    "speakerid.commands.microphone",
    "speakerid.commands.serve",
    "speakerid.commands.keys",
    "speakerid.commands.verify",
    "speakerid.commands.embed",
    "speakerid.commands.export_model",
    "speakerid.commands.models",
    "speakerid.evaluate.command",
    "speakerid.evaluate.calibrate_command",
    "speakerid.evaluate.benchmark_command",
    "speakerid.evaluate.quality_gate_command",
)
"""Modules with add_parser(subparsers), which sets the default `run` of each parser it adds: run(args) works.

They are imported at every start, so they import torch, model and audio inside their functions."""

STOPPED = 130  # as shells say it: 128 and the number of the signal


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; arguments default to those of the process. Returns the exit status."""
    if threading.current_thread() is threading.main_thread():
        # A shell that starts us in the background has Ctrl-C's signal ignored; whoever sends it means it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        _to_any_terminal()
        args = _parser().parse_args(arguments)
        args.run(args)
        sys.stdout.flush()
        return 0
    except BrokenPipeError:  # whoever read our output has had enough, as with `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return _fail("Stopped.", STOPPED)
    except SpeakerIdError as error:
        return _fail(sentence_of(error))
    except OSError as error:
        where = f' "{error.filename}"' if error.filename else ""
        return _fail(
            f"The file{where} cannot be used ({error.strerror or error}): check path, permissions and disk."
        )
    except Exception as error:
        if settings.DEBUG.value:
            raise
        name = type(error).__name__
        return _fail(
            f"Something went wrong that should not ({name}: {error}): set {settings.DEBUG}=1 for details."
        )


def _to_any_terminal() -> None:
    """A name must not stop a terminal that cannot show it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="speakerid.escape")


def _escape(error: UnicodeError) -> tuple[str, int]:
    """What cannot be written, as JSON escapes it: what is JSON stays JSON in any encoding."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


codecs.register_error("speakerid.escape", _escape)


def _fail(sentence: str, status: int = 1) -> int:
    print("speakerid: " + " ".join(sentence.split()), file=sys.stderr)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="speakerid", description="Name who is speaking: enroll voices, then identify them."
    )
    parser.add_argument("--version", action="version", version=f"speakerid {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in COMMANDS:
        import_module(module).add_parser(commands)
    return parser
