"""`keys`: who may use the REST API."""

import argparse

from speakerid.commands.common import answer, options
from speakerid.roles import ROLES


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "keys",
        parents=[options()],
        help="make, list and revoke keys to the REST API",
        description="Without --add and --revoke, list the keys. A key is shown once, when it is made.",
    )
    parser.add_argument("--add", metavar="NAME", help="make a key for whoever is called so")
    parser.add_argument(
        "--role",
        choices=ROLES,
        default="viewer",
        help="viewer listens live, operator also enrolls and analyzes, admin also deletes (default: viewer)",
    )
    parser.add_argument("--revoke", metavar="NAME", help="make a key worthless")
    parser.set_defaults(run=keys)


def keys(args: argparse.Namespace) -> None:
    """Make, revoke or list.

    Raises:
        GalleryError: no such key, the name is taken, or the database cannot be used.
    """
    from speakerid.gallery.keys import Keys
    from speakerid.gallery.opening import open_store

    store = Keys(open_store(args.voiceprints))
    if args.revoke:
        store.revoke(args.revoke)
        answer(args, {"revoked": args.revoke}, f'The key "{args.revoke}" opens nothing any more.')
    elif args.add:
        text = store.add(args.add, args.role)
        answer(args, {"name": args.add, "role": args.role, "key": text}, text)
    else:
        rows = [{"name": key.name, "role": key.role, "created": key.created} for key in store.all()]
        lines = [f"{row['name']}  ({row['role']}, made {row['created'][:10]})" for row in rows]
        answer(args, {"keys": rows}, "\n".join(lines) or "There are no keys: make one with --add NAME.")
