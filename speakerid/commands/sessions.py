"""`sessions`: conversations that were kept on the pages, live sessions and recordings."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from speakerid.commands.common import agreed, answer, open_gallery, options, written
from speakerid.errors import GalleryError, SpeakerIdError
from speakerid.gallery.names import name_key, nearest_names
from speakerid.plural import counted

if TYPE_CHECKING:
    from speakerid.conversation.conversation import Conversation
    from speakerid.gallery import Gallery
    from speakerid.gallery.kept_session import KeptSession
    from speakerid.gallery.sessions import Shelf

_LEAST = 4  # characters that may stand for a session's id


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "sessions",
        parents=[options()],
        help="list, show, export and delete kept conversations",
        description="Conversations are kept on the pages Live and Recordings. Without more, list them.",
    )
    parser.add_argument(
        "action",
        nargs="?",
        choices=["list", "show", "export", "remove"],
        default="list",
        help="show: who spoke when; export: write that to FILE; remove: delete it and its sound",
    )
    parser.add_argument("session", nargs="?", metavar="SESSION", help="its title, or its id as list shows it")
    parser.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        type=Path,
        help="for export: what to write, in the format that its end tells: .csv .rttm .json .srt .vtt .html",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask first, as a terminal does otherwise")
    parser.set_defaults(run=lambda args: _run(args, parser))


def _run(args: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    wanted = {"list": 0, "show": 1, "export": 2, "remove": 1}[args.action]
    given = sum(one is not None for one in (args.session, args.file))
    if given != wanted:
        parser.error(
            f"write: sessions {args.action}{' SESSION' * (wanted > 0)}{' FILE' * (wanted > 1)}, "
            "with quotation marks around a title of several words"
        )
    {"list": list_sessions, "show": show, "export": export, "remove": remove}[args.action](args)


def list_sessions(args: argparse.Namespace) -> None:
    """Print what is kept, the latest first."""
    gallery = open_gallery(args)
    shelf = _shelf(gallery)
    rows = [_row(session, _conversation(gallery, session)) for session in shelf.sessions]
    damaged = [{"id": one.file, "reason": one.reason} for one in shelf.damaged]
    lines = [
        f"{row['id']}  {row['kept_at'][:10]}  {row['title']}  ({row['source']}, {_length(row)}, "
        f"{counted(row['turns'], 'turn')}: {', '.join(row['people']) or 'nobody'})"
        for row in rows
    ]
    lines += [f"{one['id']}  cannot be used: {one['reason']}" for one in damaged]
    nothing = f'No conversation is kept in "{gallery.place}": keep one on the page Live or Recordings.'
    answer(args, {"sessions": rows, "damaged": damaged}, "\n".join(lines) or nothing)


def show(args: argparse.Namespace) -> None:
    """Print who spoke when, corrections applied.

    Raises:
        GalleryError: it is not kept, or cannot be used.
    """
    from speakerid.conversation.formats import to_lines

    gallery = open_gallery(args)
    session = _session(gallery, args.session)
    conversation = _conversation(gallery, session)
    row = _row(session, conversation)
    head = f"{row['title']}  ({row['source']}, {_length(row)}, kept {row['kept_at'][:10]})"
    lines = [head, *to_lines(conversation.turns), *conversation.warnings]
    answer(args, {**row, **conversation.answer()}, "\n".join(lines))


def export(args: argparse.Namespace) -> None:
    """Write who spoke when to a file.

    Raises:
        GalleryError: it is not kept, or cannot be used.
        SpeakerIdError: there is no such format, or the file cannot be written.
    """
    from speakerid.conversation.conversation import KINDS

    kind = KINDS.get(args.file.suffix.lower().removeprefix("."))
    if kind is None:
        raise SpeakerIdError(
            f'"{args.file}" has no end that tells the format: call it something with '
            f"{', '.join(f'.{one}' for one in KINDS)}."
        )
    gallery = open_gallery(args)
    session = _session(gallery, args.session)
    with written(args.file) as file:
        file.write(kind.write(_conversation(gallery, session)))
    told = {"id": session.id, "title": session.title, "out": str(args.file)}
    answer(args, told, f'"{session.title}" is in "{args.file}", as {kind.label}.')


def remove(args: argparse.Namespace) -> None:
    """Delete a conversation, usable or not, after asking where there is somebody to ask.

    Raises:
        GalleryError: it is not kept, or the gallery cannot be written.
        SpeakerIdError: the answer was not yes; nothing was deleted.
    """
    from speakerid.gallery import sessions

    gallery = open_gallery(args, writes=True)
    identifier, title = _found(_shelf(gallery), args.session)
    question = f'Delete "{title}" and what is kept of its sound? It cannot be undone.'
    if not args.yes and sys.stdin.isatty() and not agreed(question):
        raise SpeakerIdError("Nothing was deleted: answer y, or give --yes.")
    sessions.delete(gallery, identifier)
    answer(args, {"removed": identifier, "title": title}, f'"{title}" is deleted, and its sound.')


def _shelf(gallery: "Gallery") -> "Shelf":
    from speakerid.gallery import sessions

    return sessions.shelf(gallery)


def _session(gallery: "Gallery", wanted: str) -> "KeptSession":
    from speakerid.gallery import sessions

    return sessions.get(gallery, _found(_shelf(gallery), wanted)[0])


def _found(shelf: "Shelf", wanted: str) -> tuple[str, str]:
    """(id, title) of the one session that this id, beginning of an id, or title means.

    Raises:
        GalleryError: none, or several.
    """
    titles = {session.id: session.title for session in shelf.sessions}
    titles |= {one.file: one.file for one in shelf.damaged}
    key = name_key(wanted)
    found = [one for one in titles if one == key]
    found = found or [one for one, title in titles.items() if name_key(title) == key]
    found = found or [one for one in titles if len(key) >= _LEAST and one.startswith(key)]
    if len(found) == 1:
        return found[0], titles[found[0]]
    if found:
        raise GalleryError(
            f'{len(found)} sessions are called "{wanted}": name one by its id, {" or ".join(found[:5])}.'
        )
    if not titles:
        raise GalleryError(f'No session is called "{wanted}", nor is any other kept: see the page Live.')
    known = ", ".join(f'"{one}"' for one in nearest_names(wanted, sorted(set(titles.values()))))
    raise GalleryError(
        f'No session is called "{wanted}" (there is {known}): check the title, or give the id.'
    )


def _conversation(gallery: "Gallery", session: "KeptSession") -> "Conversation":
    from speakerid.conversation.kept import conversation_of

    return conversation_of(session, gallery.speakers())


def _row(session: "KeptSession", conversation: "Conversation") -> dict[str, Any]:
    return {
        "id": session.id,
        "title": session.title,
        "kept_at": session.kept_at,
        "source": session.source,
        "seconds": round(session.seconds, 2),
        "people": list(conversation.speaking_seconds),
        "turns": len(session.turns),
        "sound_seconds": round(sum(piece.seconds for piece in session.sound), 2),
    }


def _length(row: dict[str, Any]) -> str:
    from speakerid.conversation.entry import clock

    return clock(row["seconds"]) + (", with sound" if row["sound_seconds"] else "")
