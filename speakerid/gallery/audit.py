"""Who did what with voiceprints: one line of JSON a change, in the table of the audit log.

    {"at": ISO 8601 in UTC, "who": actor, "what": action, "whom": [voiceprint ids], …}

`what` is enroll, rename, remove, merge, move-exemplar, remove-exemplar, remove-recordings, export, import,
passphrase, reembed, move, repair, keep-session, change-session or remove-session. A line is written in the
transaction of its change: there is a line exactly where the change was made. Lines of versions before SQLite
with "failed": true are of changes that were not made.

No line holds a name of an enrolled person, a passphrase, sound or an embedding, so the log is not encrypted,
and it outlives the people in it. Lines are only ever added.
"""

import getpass
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from speakerid.gallery.consent import utc_now
from speakerid.gallery.serialization import clean_label

_actor: ContextVar[str | None] = ContextVar("speakerid_actor", default=None)


@contextmanager
def acting_as(actor: str) -> Iterator[None]:
    """Whatever changes in this block is recorded as done by this actor, such as the login of an operator."""
    token = _actor.set(clean_label(actor))
    try:
        yield
    finally:
        _actor.reset(token)


def actor() -> str:
    """Who acts: whom `acting_as` names, else "local:" and the user of this computer, else "local"."""
    named = _actor.get()
    if named:
        return named
    try:
        return clean_label(f"local:{getpass.getuser()}")
    except (OSError, KeyError, ImportError):
        return "local"


def line_of(what: str, whom: Sequence[str], **more: object) -> dict[str, object]:
    """The line of a change that is made now.

    Args:
        what: the action.
        whom: ids of the voiceprints, never names.
        more: counts and the like, nothing personal.
    """
    return {"at": utc_now(), "who": actor(), "what": what, "whom": list(whom), **more}
