"""Demo voices: synthetic people to enroll, and a conversation of theirs with a stranger in it.

README.md beside this file says how they were made and under which licence they are shipped.
"""

from pathlib import Path

_HERE = Path(__file__).resolve().parent

CONVERSATION: Path = _HERE / "conversation.ogg"
"""Ogg/Opus, mono: the people of `people()` and one stranger, about 76 s."""


def people() -> dict[str, list[Path]]:
    """Name -> recordings to enroll that person from (two of about 12 s each), sorted by name."""
    found: dict[str, list[Path]] = {}
    for path in sorted((_HERE / "people").glob("*.ogg")):
        found.setdefault(path.stem.rpartition("-")[0], []).append(path)
    return found
