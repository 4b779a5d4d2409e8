"""The live board's people: who takes part, how each is drawn, and who was renamed."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from speakerid.dashboard.shared.colors import UNKNOWN, UNKNOWN_LOOK, Look, looks

_ROWS = 8  # people with a row in the timeline before anything was heard of them

if TYPE_CHECKING:
    from speakerid.gallery import Voiceprint


class Cast:
    """Who takes part, and everybody's look.

    Args:
        people: who takes part.
        everybody: who is enrolled; looks follow from it, so that they are the same on every page.

    Attributes:
        names: of those who take part, then "unknown".
    """

    def __init__(self, people: "Sequence[Voiceprint]", everybody: "Sequence[Voiceprint] | None"):
        self.people = list(people)
        enrolled = self.people if everybody is None else list(everybody)
        self.looks = looks(enrolled)
        self.names = [person.name for person in self.people] + [UNKNOWN]
        self._called = {person.id: person.name for person in enrolled}

    def look(self, name: str | None) -> Look:
        """How this person is drawn; people who are no longer enrolled look unknown."""
        return self.looks.get(name or UNKNOWN, UNKNOWN_LOOK)

    def color(self, name: str) -> str:
        """The CSS color of this person."""
        return self.look(name).color

    def messages(self) -> list[dict[str, Any]]:
        """For the browser: name and look of everybody who takes part, and of "unknown"."""
        return [
            {"name": name, "color": look.color, "dash": look.dash, "symbol": look.symbol}
            for name in self.names
            if (look := self.look(name))
        ]

    def rows(self, heard: Iterable[str]) -> list[str]:
        """Who has a row in the timeline: who takes part, who else was heard (in that order), "unknown".

        Of many people only those who were heard have one; a back row could not read the others' names.
        """
        spoke = dict.fromkeys(name for name in heard if name != UNKNOWN)
        part = self.names[:-1]
        if len(part) > _ROWS:
            part = [name for name in part if name in spoke]
        return list(dict.fromkeys([*part, *spoke, UNKNOWN]))

    def renamed(self, later: "Cast") -> dict[str, str]:
        """Old name → new name of everybody who is called otherwise in the later cast."""
        return {
            name: now
            for person, name in self._called.items()
            if (now := later._called.get(person, name)) != name
        }
