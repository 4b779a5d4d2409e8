"""`speakers`, `remove`, `rename`, `merge` and single exemplars: who is enrolled."""

import argparse
import sys

from speakerid.commands.common import agreed, answer, open_gallery, options
from speakerid.errors import SpeakerIdError
from speakerid.gallery.listing import people_of
from speakerid.plural import counted


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to the command line."""
    speakers = commands.add_parser("speakers", parents=[options()], help="list the people who are enrolled")
    speakers.set_defaults(run=list_speakers)
    remove = commands.add_parser("remove", parents=[options()], help="delete everything stored of a person")
    remove.add_argument("name", metavar="NAME", help="who is deleted")
    remove.add_argument("--recordings", action="store_true", help="delete the kept recordings only")
    remove.add_argument("--yes", action="store_true", help="do not ask first, as a terminal does otherwise")
    remove.set_defaults(run=remove_speaker)
    rename = commands.add_parser("rename", parents=[options()], help="give a person another name")
    rename.add_argument("old", metavar="OLD", help="the name so far")
    rename.add_argument("new", metavar="NEW", help="the name from now on")
    rename.set_defaults(run=rename_speaker)
    merge = commands.add_parser("merge", parents=[options()], help="make two people one, called INTO")
    merge.add_argument("name", metavar="NAME", help="who becomes part of INTO")
    merge.add_argument("into", metavar="INTO", help="who both are from now on")
    merge.add_argument("--force", action="store_true", help="also where the two do not sound like one person")
    merge.set_defaults(run=merge_speakers)
    move = commands.add_parser("move-exemplar", parents=[options()], help="give an exemplar to somebody else")
    move.add_argument("name", metavar="NAME", help="whose exemplar it was")
    move.add_argument("number", metavar="NUMBER", type=int, help="which one, counted from 1")
    move.add_argument("to", metavar="TO", help="whose exemplar it becomes")
    move.set_defaults(run=move_exemplar)
    drop = commands.add_parser("remove-exemplar", parents=[options()], help="delete one exemplar of a person")
    drop.add_argument("name", metavar="NAME", help="whose exemplar it is")
    drop.add_argument("number", metavar="NUMBER", type=int, help="which one, counted from 1")
    drop.set_defaults(run=remove_exemplar)


def list_speakers(args: argparse.Namespace) -> None:
    """Print everybody with exemplars, seconds of speech, model and date."""
    gallery = open_gallery(args)
    rows = people_of(gallery)
    damaged = [{"file": d.file, "reason": d.reason} for d in gallery.damaged]
    lines = [
        f"{row['name']}  ({counted(row['exemplars'], 'exemplar')}, {row['model']}, "
        f"updated {row['updated'][:10]})"
        for row in rows
    ]
    nobody = f'Nobody is enrolled in "{gallery.place}" yet: use the command "enroll NAME FILE... --consent".'
    answer(args, {"speakers": rows, "damaged": damaged}, "\n".join(lines) or nobody)


def remove_speaker(args: argparse.Namespace) -> None:
    """Delete a person, after asking where there is somebody to ask.

    Raises:
        SpeakerIdError: the answer was not yes; nothing was deleted.
    """
    gallery = open_gallery(args, writes=True)
    name = gallery.get(args.name).name
    what = "every kept recording" if args.recordings else "everything stored"
    if not args.yes and sys.stdin.isatty() and not agreed(f'Delete {what} of "{name}"? It cannot be undone.'):
        raise SpeakerIdError("Nothing was deleted: answer y, or give --yes.")
    if args.recordings:
        count = gallery.remove_recordings(name)
        said = f'{counted(count, "kept recording")} of "{name}" deleted; the voiceprint stays.'
        answer(args, {"name": name, "recordings_removed": count}, said)
        return
    gallery.remove(name)
    answer(args, {"removed": name}, f'Everything stored of "{name}" is deleted.')


def rename_speaker(args: argparse.Namespace) -> None:
    """Rename a person."""
    gallery = open_gallery(args, writes=True)
    old = gallery.get(args.old)
    gallery.rename(old.name, args.new)
    new = gallery.get(args.new).name
    answer(args, {"old": old.name, "new": new}, f'"{old.name}" is now called "{new}".')


def merge_speakers(args: argparse.Namespace) -> None:
    """Make two people one."""
    gallery = open_gallery(args, writes=True)
    name, into = gallery.get(args.name).name, gallery.get(args.into).name
    merged = gallery.merge(name, into, force=args.force)
    answer(
        args,
        {"removed": name, "into": into, "exemplars": len(merged.embeddings)},
        f'"{name}" is now part of "{into}", who has {counted(len(merged.embeddings), "exemplar")}.',
    )


def move_exemplar(args: argparse.Namespace) -> None:
    """Give one exemplar to somebody else."""
    gallery = open_gallery(args, writes=True)
    gallery.move_exemplar(args.name, args.number - 1, args.to)
    name, to = gallery.get(args.name).name, gallery.get(args.to).name
    result = {"name": name, "exemplar": args.number, "to": to}
    answer(args, result, f'Exemplar {args.number} of "{name}" is now one of "{to}".')


def remove_exemplar(args: argparse.Namespace) -> None:
    """Delete one exemplar."""
    gallery = open_gallery(args, writes=True)
    gallery.remove_exemplar(args.name, args.number - 1)
    name = gallery.get(args.name).name
    answer(args, {"name": name, "exemplar": args.number}, f'Exemplar {args.number} of "{name}" is deleted.')
