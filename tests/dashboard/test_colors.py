"""One colour a person, whatever happens to the others."""

from dataclasses import dataclass, replace

from speakerid.dashboard.colors import UNKNOWN, UNKNOWN_LOOK, looks


@dataclass(frozen=True)
class Person:
    id: str
    name: str
    created: str


PEOPLE = [Person(f"{k:032x}", f"Person {k}", f"2026-01-{k + 1:02d}T00:00:00+00:00") for k in range(24)]


def test_the_first_eight_people_differ_in_color():
    found = looks(PEOPLE[:8])
    assert len({found[p.name].color for p in PEOPLE[:8]}) == 8
    assert found[UNKNOWN] == UNKNOWN_LOOK


def test_no_two_of_many_people_look_the_same():
    found = looks(PEOPLE)
    assert len({(look.color, look.dash, look.symbol) for look in found.values()}) == len(PEOPLE) + 1


def test_enrolling_or_renaming_somebody_changes_nobody_elses_look():
    before = looks(PEOPLE[:6])
    later = looks(PEOPLE[:12])
    assert all(later[p.name] == before[p.name] for p in PEOPLE[:6])
    renamed = [replace(PEOPLE[0], name="Zoë"), *PEOPLE[1:6]]
    assert looks(renamed)["Zoë"] == before["Person 0"]
    assert looks(renamed)["Person 3"] == before["Person 3"]


def test_the_order_in_which_people_are_listed_does_not_matter():
    assert looks(PEOPLE[::-1]) == looks(PEOPLE)
