"""`speakers`, `remove`, `rename`: who is enrolled."""

import argparse

from speakerid.commands.common import answer, open_gallery, options


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to the command line."""
    speakers = commands.add_parser("speakers", parents=[options()], help="list the people who are enrolled")
    speakers.set_defaults(run=list_speakers)
    remove = commands.add_parser("remove", parents=[options()], help="delete everything stored of a person")
    remove.add_argument("name", metavar="NAME")
    remove.set_defaults(run=remove_speaker)
    rename = commands.add_parser("rename", parents=[options()], help="give a person another name")
    rename.add_argument("old", metavar="OLD")
    rename.add_argument("new", metavar="NEW")
    rename.set_defaults(run=rename_speaker)


def list_speakers(args: argparse.Namespace) -> None:
    """Print everybody with exemplars, seconds of speech, model and date."""
    gallery = open_gallery(args)
    people = gallery.speakers()
    rows = [
        {
            "name": person.name,
            "id": person.id,
            "exemplars": len(person.embeddings),
            "speech_seconds": round(person.seconds_total, 1),
            "model": person.model,
            "sources": sorted(set(person.sources)),
            "created": person.created,
            "updated": person.updated,
            "consent": {"given_at": person.consent.given_at, "source": person.consent.source},
        }
        for person in people
    ]
    damaged = [{"file": d.file, "reason": d.reason} for d in gallery.damaged]
    lines = [
        f"{row['name']}  ({row['exemplars']} exemplars, {row['model']}, updated {row['updated'][:10]})"
        for row in rows
    ]
    nobody = f'Nobody is enrolled in "{gallery.folder}" yet: use the command "enroll NAME FILE... --consent".'
    answer(args, {"speakers": rows, "damaged": damaged}, "\n".join(lines) or nobody)


def remove_speaker(args: argparse.Namespace) -> None:
    """Delete a person."""
    gallery = open_gallery(args)
    name = gallery.get(args.name).name
    gallery.remove(name)
    answer(args, {"removed": name}, f'Everything stored of "{name}" is deleted.')


def rename_speaker(args: argparse.Namespace) -> None:
    """Rename a person."""
    gallery = open_gallery(args)
    old = gallery.get(args.old)
    gallery.rename(old.name, args.new)
    new = gallery.get(args.new).name
    answer(args, {"old": old.name, "new": new}, f'"{old.name}" is now called "{new}".')
