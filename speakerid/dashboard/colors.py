"""One colour, line style and marker a person, the same everywhere in the app.

The colours are Paul Tol's "bright" and "vibrant" sets (personal.sron.nl/~pault), which people with the common
colour-vision deficiencies can tell apart, chosen to stand out on white and on near-black alike. From the
ninth person on colours repeat, so a line style and a marker shape go with each: color alone tells nothing.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

UNKNOWN = "unknown"

_COLORS = ("#4477AA", "#EE6677", "#228833", "#CCBB44", "#AA3377", "#33BBEE", "#EE7733", "#009988")
_DASHES = ("solid", "dash", "dot", "dashdot")
_SYMBOLS = ("circle", "square", "diamond", "cross", "triangle-up", "star", "pentagon", "hexagon")


@dataclass(frozen=True)
class Look:
    """How one person is drawn: CSS colour, Plotly line dash, Plotly marker symbol."""

    color: str
    dash: str
    symbol: str


UNKNOWN_LOOK = Look("#8C8C8C", "dot", "x")


class Person(Protocol):
    """What a colour depends on; a `Voiceprint` has it."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def created(self) -> str: ...


def looks(people: Iterable[Person]) -> Mapping[str, Look]:
    """Name → Look for everybody enrolled, and for "unknown".

    A person's own id picks the place in the palette, and the next free place where that one is taken by
    somebody enrolled earlier; so enrolling or renaming somebody changes nobody else's colour.
    """
    found = {UNKNOWN: UNKNOWN_LOOK}
    taken: set[int] = set()
    for person in sorted(people, key=lambda p: (p.created, p.id)):
        wanted = int.from_bytes(hashlib.sha256(person.id.encode()).digest()[:4], "big") % len(_COLORS)
        place = next(
            lap * len(_COLORS) + (wanted + step) % len(_COLORS)
            for lap in range(len(taken) + 1)
            for step in range(len(_COLORS))
            if lap * len(_COLORS) + (wanted + step) % len(_COLORS) not in taken
        )
        taken.add(place)
        color, lap = place % len(_COLORS), place // len(_COLORS)
        found[person.name] = Look(
            _COLORS[color],
            _DASHES[lap % len(_DASHES)],
            _SYMBOLS[(color + lap) % len(_SYMBOLS)],
        )
    return found
