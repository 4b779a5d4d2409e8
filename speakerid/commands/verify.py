"""`verify`: whether a recording is of one person."""

import argparse
from dataclasses import asdict

from speakerid.commands.common import answer, load_encoder, open_gallery, options


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("verify", parents=[options()], help="whether a recording is of one person")
    parser.add_argument("name", metavar="NAME", help="somebody enrolled")
    parser.add_argument("file", metavar="FILE", help="a recording of one voice")
    parser.set_defaults(run=verify)


def verify(args: argparse.Namespace) -> None:
    """Print the probability that it is that person.

    Raises:
        GalleryError: nobody of that name is enrolled.
        AudioError: the file is no recording that can be used.
    """
    from speakerid.identify.decision import sure
    from speakerid.identify.verification import verify as compare

    gallery = open_gallery(args)
    gallery.get(args.name)  # told before the model loads
    found = compare(args.name, args.file, gallery, load_encoder(args))
    said = (
        f"{sure(found.probability)} that it is {found.name} (log-likelihood ratio "
        f"{found.log_likelihood_ratio:+.1f}, {found.seconds:.1f} s)"
    )
    answer(args, asdict(found), said)
