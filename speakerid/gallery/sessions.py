"""Kept conversations over a gallery: keep, look up, hear, correct, call otherwise, delete.

Their sound is kept only where whoever keeps it says that everybody who is heard agreed. When somebody is
removed from the gallery, the same transaction silences their turns here and leaves REMOVED in the place of
their name.
"""

import secrets
from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from speakerid.audio.format import RATE, Block
from speakerid.errors import GalleryError
from speakerid.gallery import audit
from speakerid.gallery.consent import Consent, require_consent, utc_now
from speakerid.gallery.kept_session import (
    PIECE_S,
    KeptSession,
    SessionPiece,
    SessionVoice,
    file_of,
    from_bytes,
    sound_from_bytes,
    sound_to_bytes,
    to_bytes,
)
from speakerid.gallery.reading import opened
from speakerid.gallery.serialization import clean_label
from speakerid.gallery.silencing import silenced, without
from speakerid.gallery.snapshot import Damaged, damage
from speakerid.gallery.store import Store

if TYPE_CHECKING:
    from speakerid.gallery.gallery import Gallery

MAX_SESSIONS = 1000

Sound = Iterable[tuple[float, Block, float]]
"""Stretches of sound: where each begins (s), float32 [n] at 16 kHz, and by how much it was raised (dB)."""


@dataclass(frozen=True)
class Shelf:
    """What is kept: sessions, the latest first, and what cannot be used, and why."""

    sessions: tuple[KeptSession, ...]
    damaged: tuple[Damaged, ...]


_shelves: "WeakKeyDictionary[Store, tuple[Hashable, Shelf]]" = WeakKeyDictionary()


def shelf(gallery: "Gallery") -> Shelf:
    """Every session that is kept; read anew only when something was written.

    Raises:
        GalleryError: the gallery cannot be read.
    """
    revision = gallery.store.revision()
    known = _shelves.get(gallery.store)
    if known is None or known[0] != revision:
        known = _shelves[gallery.store] = (revision, read_all(gallery.store))
    return known[1]


def get(gallery: "Gallery", identifier: str) -> KeptSession:
    """One session.

    Raises:
        GalleryError: it is not kept, or cannot be used.
    """
    _files_of(gallery.store, identifier)
    try:
        return read_one(gallery.store, identifier)
    except GalleryError as error:
        raise GalleryError(f"This session cannot be opened: {error}.") from error


def keep(
    gallery: "Gallery", session: KeptSession, sound: Sound = (), consent: Consent | None = None
) -> KeptSession:
    """Keep a conversation.

    Args:
        session: without an id, and with the ids of enrolled people as its voices. Who is enrolled no more by
            now has no name in what is kept, and is silent.
        sound: of it, in the order of its times; nothing for none.
        consent: that everybody who is heard agreed to its sound being kept; needed where there is any.

    Returns:
        The session as it is kept.

    Raises:
        GalleryError: there is nothing in it, no consent, too many are kept, or the gallery cannot be written.
    """
    if not session.turns:
        raise GalleryError("There is nothing to keep yet: nobody has spoken.")
    pieces: list[SessionPiece] = []
    parts: list[Block] = []
    for start, samples, gain_db in sound:
        require_consent(consent)
        step = round(PIECE_S * RATE)
        for first in range(0, len(samples), step):
            parts.append(samples[first : first + step])
            pieces.append(SessionPiece(start + first / RATE, len(parts[-1]) / RATE, gain_db))
    session = replace(
        session,
        id=secrets.token_hex(8),
        title=_title(session.title),
        kept_at=utc_now(),
        consent=consent if pieces else None,
        sound=tuple(pieces),
    )
    here = {person.id for person in gallery.store.read().people.values()}
    heard = {voice.person for voice in session.voices if voice.person}
    session, silent = without(session, heard - here)
    contents = {
        file_of(session.id, number): sound_to_bytes(silenced(part, piece, silent))
        for number, (part, piece) in enumerate(zip(parts, pieces, strict=True), 1)
    }
    contents[file_of(session.id)] = to_bytes(session)
    with gallery.store.locked():
        if (heard & here) - {person.id for person in gallery.store.read().people.values()}:
            raise GalleryError("Somebody who is heard was removed just now: keep it again.")
        if len(gallery.store.sessions()) >= MAX_SESSIONS:
            raise GalleryError(
                f"{MAX_SESSIONS:,} sessions are kept, as many as there may be: delete some first."
            )
        gallery.commit("keep-session", [], (), contents, session=session.id, sound=bool(pieces))
    return session


def retitle(gallery: "Gallery", identifier: str, title: str) -> None:
    """Call a session otherwise.

    Raises:
        GalleryError: it is not kept or cannot be used, or the gallery cannot be written.
    """
    with gallery.store.locked():
        _change(gallery, replace(get(gallery, identifier), title=_title(title)))


def correct(
    gallery: "Gallery", identifier: str, starts: Collection[float], voice: SessionVoice
) -> KeptSession:
    """Somebody says who spoke in the turns that begin at these seconds.

    Raises:
        GalleryError: it is not kept or cannot be used, or the gallery cannot be written.
    """
    with gallery.store.locked():
        session = get(gallery, identifier)
        voices = session.voices if voice in session.voices else (*session.voices, voice)
        at = voices.index(voice)
        turns = tuple(replace(turn, voice=at) if turn.start in starts else turn for turn in session.turns)
        session = replace(session, voices=voices, turns=turns)
        _change(gallery, session)
    return session


def delete(gallery: "Gallery", identifier: str) -> None:
    """Delete a session and its sound, usable or not.

    Raises:
        GalleryError: it is not kept, or the gallery cannot be written.
    """
    with gallery.store.locked():
        files = _files_of(gallery.store, identifier)
        gallery.store.write_raw({}, files, audit.line_of("remove-session", [], session=identifier))


def piece(gallery: "Gallery", identifier: str, number: int) -> Block:
    """The sound of part `number` (1, 2 …), float32 [n] at 16 kHz.

    Raises:
        GalleryError: it is kept no more, or cannot be used.
    """
    return sound_from_bytes(gallery.store.recording_bytes(file_of(identifier, number)))


def _title(title: str) -> str:
    title = clean_label(title)
    if not title:
        raise GalleryError("The title is missing: say what this was.")
    return title


def _change(gallery: "Gallery", session: KeptSession) -> None:
    """Put a session in the place of what it was; call it while holding the lock."""
    gallery.commit("change-session", [], (), {file_of(session.id): to_bytes(session)}, session=session.id)


def _files_of(store: Store, identifier: str) -> list[str]:
    files = store.parts_of(identifier)
    if not files:
        raise GalleryError("This session is kept no more: somebody deleted it.")
    return files


def read_all(store: Store) -> Shelf:
    """Every session, whatever is known of them already."""
    found: list[KeptSession] = []
    damaged: list[Damaged] = []
    for identifier in store.sessions():
        try:
            found.append(read_one(store, identifier))
        except GalleryError as error:
            damaged.append(damage(identifier, error))
    found.sort(key=lambda session: (session.kept_at, session.id), reverse=True)
    return Shelf(tuple(found), tuple(damaged))


def read_one(store: Store, identifier: str) -> KeptSession:
    """One session.

    Raises:
        GalleryError: saying what is wrong with it.
    """
    content = store.raw(file_of(identifier))
    if not content:
        raise GalleryError("it is sound without a description")
    return from_bytes(opened(content, store.seal), identifier)
