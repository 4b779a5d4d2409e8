"""Naming a voice of the live log: which turns sound like it, their kept sound, and the log corrected."""

from collections.abc import Sequence

from speakerid.conversation.entry import Entry, clock, is_stranger
from speakerid.conversation.strangers import surely_one_voice
from speakerid.dashboard.live.session import LiveSession
from speakerid.dashboard.shared import naming
from speakerid.dashboard.shared.colors import UNKNOWN
from speakerid.dashboard.shared.naming import Stretch
from speakerid.identify import Turn
from speakerid.identify.scoring import Scorer

_REMEDY = 'Switch on "Keep sound", and let the person speak again.'
_OVER_S = 1.0  # of something else, after which a turn is over
_SAME_TURN = 1e-3  # s; a turn in progress grows, and begins where it began


def ask(session: LiveSession, at: float) -> None:
    """Ask who spoke in the turn at this second of the session, and enroll that voice."""
    entries = session.board.entries
    # A point of the chart carries when it was decided, which may be a moment after the turn; where two turns
    # touch, the one that begins there is meant.
    near = [entry for entry in entries if _beside(entry, at) < 1.0]
    if not near:
        return
    clicked = min(near, key=lambda entry: (_beside(entry, at), -entry.start))
    if not any(one.chosen and one.samples is not None for one in offered(session, clicked.start)):
        naming.nothing_kept(_REMEDY)
        return
    naming.ask(
        lambda: offered(session, clicked.start),
        session.people.gallery,
        source="demo" if session.demonstrating else "live",
        named=lambda name, chosen: session.named(name, _meant(session, clicked.start, chosen)),
    )


def offered(session: LiveSession, start: float) -> list[Stretch]:
    """The turns that may be of the voice that spoke in the turn which began at `start` (s), as they are now:
    surely its own first, then those of other unknown voices, the longest first."""
    entries = session.board.entries
    clicked = next((entry for entry in entries if abs(entry.start - start) < _SAME_TURN), None)
    if clicked is None:
        return []
    stretches = [
        Stretch(
            entry.start,
            f"{clock(entry.start)} to {clock(entry.end)}, {entry.speaker}",
            same,
            session.sound.cut(entry.start, entry.end),
            session.sound.gain_db(entry.start, entry.end),
        )
        for entry, same in zip(entries, _same_voice(session, entries, clicked), strict=True)
        if entry is clicked or ((same or is_stranger(entry.speaker)) and not _goes_on(session, entry))
    ]
    return sorted(stretches, key=lambda stretch: (not stretch.chosen, -stretch.seconds))


def _meant(session: LiveSession, start: float, chosen: Sequence[Stretch]) -> list[float]:
    """When the turns begin that are named with the one that began at `start`."""
    entries = session.board.entries
    label = next((entry.speaker for entry in entries if abs(entry.start - start) < _SAME_TURN), UNKNOWN)
    return naming.meant(label, entries, offered(session, start), chosen)


def _goes_on(session: LiveSession, entry: Entry) -> bool:
    """Whether more of this turn may come, so that it is too early to say whose it is."""
    return session.listening and session.board.heard - entry.end < _OVER_S


def _beside(entry: Entry, at: float) -> float:
    """Seconds between a moment and a turn; 0 within it."""
    return max(0.0, entry.start - at, at - entry.end)


def _same_voice(session: LiveSession, entries: Sequence[Entry], clicked: Entry) -> list[bool]:
    """For each entry, whether it surely is the clicked one's voice; that one is, for a person said so."""
    if not is_stranger(clicked.speaker):
        return [entry is clicked for entry in entries]
    names = [UNKNOWN if is_stranger(entry.speaker) else entry.speaker for entry in entries]
    turns = [Turn(e.start, e.end, name, e.confidence) for e, name in zip(entries, names, strict=True)]
    voice = next(k for k, entry in enumerate(entries) if entry is clicked)
    scorer = Scorer.for_model(session.model or "")
    return surely_one_voice(turns, voice, session.board.unknown_voices(), scorer)
