"""`export`, `import`, `passphrase`, `reembed`: move people, keep them encrypted, take another model."""

import argparse
import getpass
import sys
from typing import get_args

from speakerid.commands.common import Progress, answer, load_encoder, note, open_gallery, options
from speakerid.errors import SpeakerIdError
from speakerid.gallery import SameName
from speakerid.gallery.sealing import MAGIC
from speakerid.plural import counted
from speakerid.settings import FILE_PASSPHRASE, NEW_PASSPHRASE, PASSPHRASE, Setting


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to the command line."""
    out = commands.add_parser("export", parents=[options()], help="write people to one file")
    out.add_argument("file", metavar="F", help="the file to write")
    out.add_argument("names", metavar="NAME", nargs="*", help="who (default: everybody)")
    out.add_argument(
        "--encrypt", action="store_true", help=f"ask for a passphrase (or take ${FILE_PASSPHRASE})"
    )
    out.add_argument("--without-recordings", action="store_true", help="leave kept recordings out")
    out.set_defaults(run=export)

    into = commands.add_parser("import", parents=[options()], help="add the people in an exported file")
    into.add_argument("file", metavar="F", help="a file that export wrote")
    into.add_argument(
        "--encrypted",
        action="store_true",
        help=f"ask for its passphrase (or take ${FILE_PASSPHRASE}); done without this option too where it "
        "is encrypted",
    )
    into.add_argument(
        "--same-name",
        choices=get_args(SameName),
        default="skip",
        help="people whose name is taken: leave them out (the default), keep both (the other one gets a "
        "number), merge them with who is enrolled, or replace who is enrolled",
    )
    into.add_argument(
        "--reembed",
        action="store_true",
        help="make voiceprints of another model anew from the recordings in the file",
    )
    into.set_defaults(run=load)

    change = commands.add_parser(
        "passphrase", parents=[options()], help="turn encryption of the voiceprints on or off, or change it"
    )
    change.add_argument(
        "what",
        choices=["set", "remove"],
        nargs="?",
        default="set",
        help="set: encrypt with a new passphrase (the default); remove: encrypt no more",
    )
    change.set_defaults(run=passphrase)

    again = commands.add_parser(
        "reembed",
        parents=[options()],
        help="make voiceprints of other models anew with this one, from kept recordings",
    )
    again.add_argument("names", metavar="NAME", nargs="*", help="who (default: everybody of other models)")
    again.set_defaults(run=reembed)


def export(args: argparse.Namespace) -> None:
    """Write people to a file."""
    secret = _ask(FILE_PASSPHRASE, "Passphrase of the file: ", twice=True) if args.encrypt else ""
    gallery = open_gallery(args)
    count = gallery.export(args.file, args.names, secret, recordings=not args.without_recordings)
    answer(
        args,
        {"out": args.file, "people": count},
        f'{counted(count, "person is", "people are")} in "{args.file}".',
    )


def load(args: argparse.Namespace) -> None:
    """Add people from a file; who is refused is told and the others are added.

    Raises:
        SpeakerIdError: if somebody was refused (after everybody was tried).
    """
    encrypted = args.encrypted or _begins(args.file, MAGIC)
    secret = _ask(FILE_PASSPHRASE, "Passphrase of the file: ") if encrypted else ""
    gallery = open_gallery(args, writes=True)
    encoder = load_encoder(args)
    with Progress() as progress:
        result = gallery.load(
            args.file,
            encoder.id,
            same_name=args.same_name,
            passphrase=secret,
            reembed=encoder if args.reembed else None,
            progress=lambda done, total, name: progress.show(f"{done} of {total} done, now {name}"),
        )
    lines = [f"{name}: added" for name in result.added]
    lines += [f"{name}: not added, because {reason}" for name, reason in result.refused.items()]
    told = {"added": result.added, "refused": result.refused, "can_reembed": result.can_reembed}
    answer(args, told, "\n".join(lines))
    if result.refused:
        remedy = "--same-name says what becomes of people whose name is taken"
        if result.can_reembed:
            remedy += f", --reembed makes {len(result.can_reembed)} of them anew from their recordings"
        raise SpeakerIdError(
            f"{len(result.refused)} of {len(lines)} people were not added: see the reasons above; {remedy}."
        )


def passphrase(args: argparse.Namespace) -> None:
    """Encrypt the folder with a new passphrase, or decrypt it; the old one is in SPEAKERID_PASSPHRASE."""
    gallery = open_gallery(args)
    new = _ask(NEW_PASSPHRASE, "New passphrase: ", twice=True) if args.what == "set" else ""
    count = gallery.change_passphrase(new)
    how = "encrypted with the new passphrase" if new else "not encrypted any more"
    then = f"set {PASSPHRASE} to it" if new else f"unset {PASSPHRASE}"
    answer(
        args,
        {"people": count, "encrypted": bool(new)},
        f"{counted(count, 'voiceprint is', 'voiceprints are')} {how}: {then} from now on.",
    )


def reembed(args: argparse.Namespace) -> None:
    """Make the voiceprints of other models anew; who cannot be is told and the others are made.

    Raises:
        SpeakerIdError: if somebody is left (after everybody was tried).
    """
    gallery = open_gallery(args, writes=True)
    encoder = load_encoder(args)
    for name, count in gallery.not_kept(encoder.id, args.names).items():
        note(f"{name}: {counted(count, 'exemplar')} will go, for the recordings behind them were not kept.")
    with Progress() as progress:
        result = gallery.reembed(
            encoder,
            lambda done, total, name: progress.show(f"{done + 1} of {total}: {name}"),
            args.names,
        )
    lines = [f"{name}: made anew" for name in result.done]
    lines += [f"{name}: left as before. {reason}" for name, reason in result.left.items()]
    nothing = f"Every voiceprint is of the model {encoder.id} already."
    answer(args, {"done": result.done, "left": result.left}, "\n".join(lines) or nothing)
    if result.left:
        raise SpeakerIdError(
            f"{len(result.left)} of {len(lines)} people are left as before: see the reasons above."
        )


def _begins(file: str, content: bytes) -> bool:
    """Whether a file begins like that; whether it can be read at all is told later."""
    try:
        with open(file, "rb") as opened:
            return opened.read(len(content)) == content
    except OSError:
        return False


def _ask(setting: Setting, prompt: str, *, twice: bool = False) -> str:
    """A passphrase from the setting, or typed unseen on the terminal."""
    given = setting.value
    if given:
        return given
    if not sys.stdin.isatty():
        raise SpeakerIdError(f"A passphrase is needed and there is no terminal to ask on: set {setting}.")
    typed = getpass.getpass(prompt)
    if not typed or (twice and getpass.getpass("The same again: ") != typed):
        raise SpeakerIdError("The passphrases are empty or differ: try again.")
    return typed
