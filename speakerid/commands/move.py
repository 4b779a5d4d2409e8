"""`move`: a gallery from one store into another, such as from a laptop's folder to PostgreSQL."""

import argparse
from dataclasses import asdict

from speakerid.commands.common import Progress, answer, options, passphrase_of
from speakerid.places import place_of
from speakerid.plural import counted


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "move", parents=[options()], help="copy the voiceprints to another store, and check the copy"
    )
    parser.add_argument("source", metavar="FROM", type=place_of, help="a folder, or postgresql://…")
    parser.add_argument("target", metavar="TO", type=place_of, help="an empty one of the same kinds")
    parser.set_defaults(run=move)


def move(args: argparse.Namespace) -> None:
    """Copy, compare, and say what there is.

    Raises:
        GalleryError: see `copy_gallery`.
    """
    from speakerid.gallery.moving import copy_gallery

    args.voiceprints = args.source  # whose passphrase is asked for
    secret = passphrase_of(args)
    with Progress() as progress:
        moved = copy_gallery(
            args.source, args.target, secret, lambda done, total: progress.show(f"{done} of {total}")
        )
    answer(
        args,
        asdict(moved),
        f"{counted(moved.people, 'person', 'people')}, {counted(moved.recordings, 'kept recording')} and "
        f"{counted(moved.sessions, 'kept session')} are there now, each compared with the original, which is "
        "left as it is. Set SPEAKERID_VOICEPRINTS to the new place.",
    )
