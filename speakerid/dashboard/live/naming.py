"""Naming a voice of the live log: which turns sound like it, their kept sound, and the log corrected."""

from collections.abc import Sequence

from speakerid.conversation.entry import Entry, clock
from speakerid.dashboard.live.session import LiveSession
from speakerid.dashboard.shared import naming
from speakerid.dashboard.shared.colors import UNKNOWN
from speakerid.dashboard.shared.naming import Stretch
from speakerid.identify import Turn
from speakerid.identify.scoring import Scorer

_REMEDY = 'Switch on "Keep sound", and let the person speak again.'


def ask(session: LiveSession, at: float) -> None:
    """Ask who spoke in the turn at this second of the session, and enroll that voice."""
    entries = session.board.entries
    # A point of the chart carries when it was decided, which may be a moment after the turn; where two turns
    # touch, the one that begins there is meant.
    near = [entry for entry in entries if _beside(entry, at) < 1.0]
    if not near:
        return
    clicked = min(near, key=lambda entry: (_beside(entry, at), -entry.start))
    offered = [
        Stretch(
            entry.start,
            f"{clock(entry.start)} to {clock(entry.end)}, {entry.speaker}",
            same,
            session.sound.cut(entry.start, entry.end),
            session.sound.gain_db(entry.start, entry.end),
        )
        for entry, same in zip(entries, _same_voice(session, entries, clicked), strict=True)
        if same or entry.speaker == UNKNOWN
    ]
    offered.sort(key=lambda stretch: (not stretch.chosen, -stretch.seconds))
    if not any(stretch.chosen and stretch.samples is not None for stretch in offered):
        naming.nothing_kept(_REMEDY)
        return
    naming.ask(
        offered,
        session.people.gallery,
        source="demo" if session.demonstrating else "live",
        named=lambda name, stretches: session.named(name, [stretch.start for stretch in stretches]),
    )


def _beside(entry: Entry, at: float) -> float:
    """Seconds between a moment and a turn; 0 within it."""
    return max(0.0, entry.start - at, at - entry.end)


def _same_voice(session: LiveSession, entries: Sequence[Entry], clicked: Entry) -> list[bool]:
    """For each entry, whether it is thought to be the clicked one's voice."""
    if clicked.speaker != UNKNOWN:
        return [entry is clicked for entry in entries]
    from speakerid.conversation.strangers import tell_strangers_apart

    turns = [Turn(entry.start, entry.end, entry.speaker, entry.confidence) for entry in entries]
    scorer = Scorer.for_model(session.model or "")
    names = tell_strangers_apart(turns, session.board.unknown_voices(), scorer)
    label = names[next(k for k, entry in enumerate(entries) if entry is clicked)]
    # "unknown" alone is no one voice: turns too short to compare, or strangers nobody could tell apart.
    told = label != UNKNOWN
    return [
        entry is clicked or (told and entry.speaker == UNKNOWN and name == label)
        for entry, name in zip(entries, names, strict=True)
    ]
