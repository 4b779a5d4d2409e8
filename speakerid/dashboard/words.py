"""The live page's words for what the Engine says: short, plain, and never more certain than it is."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from speakerid.dashboard.colors import UNKNOWN

if TYPE_CHECKING:
    from speakerid.identify import Decision, Snapshot

_FLOOR_DBFS = -60.0  # the level meter's left end


def detail(decision: "Decision | None") -> str:
    """The line below the name."""
    if decision is None or decision.speaker is None:
        return "no speech"
    heard = f" · {decision.details.seconds:.1f} s heard" if decision.details else ""
    if decision.speaker == UNKNOWN:
        return f"none of the enrolled voices · {decision.confidence:.0%} sure{heard}"
    return f"{decision.confidence:.0%} sure{heard}"


def signal(snapshot: "Snapshot | None") -> dict[str, Any]:
    """The level meter (0..1) and what is written beside it."""
    if snapshot is None:
        return {"level": 0.0, "clipped": False, "speech": False, "text": [], "lost": ""}
    level = min(1.0, max(0.0, 1 - snapshot.level_dbfs / _FLOOR_DBFS))
    text = [
        "speech" if snapshot.speech else "no speech",
        f"{max(snapshot.level_dbfs, -99):.0f} dB".replace("-", "−"),
    ]
    if snapshot.clipped:
        text.append("too loud: clipped")
    if snapshot.snr_db is not None and snapshot.speech:
        text.append(f"{snapshot.snr_db:.0f} dB above the noise")
    lost = []
    if snapshot.dropped:
        lost.append(f"{snapshot.dropped / 16_000:.1f} s of sound lost")
    if snapshot.skipped:
        lost.append(f"{snapshot.skipped} steps skipped to keep up")
    return {
        "level": round(level, 3),
        "clipped": bool(snapshot.clipped),
        "speech": bool(snapshot.speech),
        "text": text,
        "lost": ", ".join(lost) or "no sound lost",
    }


def explanation(decision: "Decision | None", names: Sequence[str]) -> dict[str, Any]:
    """Why the last decision came out as it did: a sentence, and a row for each name."""
    if decision is None or decision.details is None:
        return {"lead": "Nothing has been decided yet.", "rows": []}
    details = decision.details
    rows = [
        [
            name,
            _signed(details.cosine[name], ".2f") if name in details.cosine else "—",
            _signed(details.llr[name], "+.1f") if name in details.llr else "—",
            f"{decision.scores[name]:.0%}" if name in decision.scores else "—",
        ]
        for name in names
    ]
    lead = details.reason
    if details.runner_up:
        lead += f" Next: {details.runner_up}."
    return {"lead": lead, "rows": rows}


def _signed(number: float, form: str) -> str:
    return format(number, form).replace("-", "−")
