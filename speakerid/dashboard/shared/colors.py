"""One colour, line style and marker a person, the same everywhere in the app.

The colours were searched for by computer: as far apart from each other and from the grey of "unknown" as
can be, for normal eyes and for each common colour-vision deficiency, and with a contrast of at least 3 to 1
to the page in light and in dark (test_colors.py measures that). From the ninth person on
colours repeat, so a line style and a marker shape go with each: color alone tells nothing.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

UNKNOWN = "unknown"

_COLORS = ("#4890E4", "#D80018", "#187818", "#CC7860", "#7860F0", "#B400A8", "#C01854", "#B478B4")
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
    lap, taken = 0, set[int]()  # the palette is gone through again and again; what of it is taken this time
    for person in sorted(people, key=lambda p: (p.created, p.id)):
        wanted = int.from_bytes(hashlib.sha256(person.id.encode()).digest()[:4], "big") % len(_COLORS)
        if len(taken) == len(_COLORS):
            lap, taken = lap + 1, set()
        places = ((wanted + step) % len(_COLORS) for step in range(len(_COLORS)))
        color = next(place for place in places if place not in taken)
        taken.add(color)
        found[person.name] = Look(
            _COLORS[color],
            _DASHES[lap % len(_DASHES)],
            _SYMBOLS[(color + lap) % len(_SYMBOLS)],
        )
    return found
