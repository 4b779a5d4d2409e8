"""One colour a person, whatever happens to the others."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from speakerid.dashboard.shared.colors import UNKNOWN, UNKNOWN_LOOK, looks


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


SEEN_BY = {  # linear RGB as seen with one kind of cone missing: Machado, Oliveira and Fernandes, 2009
    "everybody": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopes": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopes": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopes": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
TO_XYZ = np.array([[0.41246, 0.35758, 0.18044], [0.21267, 0.71515, 0.07217], [0.01933, 0.11919, 0.95030]])
PAGES = ("#fbfaf7", "#101716")  # light and dark, in .streamlit/config.toml


def linear(color: str) -> np.ndarray:
    share = np.array([int(color[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of linear RGB [n, 3]."""
    relative = np.clip(rgb, 0, 1) @ TO_XYZ.T / TO_XYZ.sum(axis=1)
    f = np.where(relative > 0.008856, np.cbrt(relative), 7.787 * relative + 16 / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


@pytest.mark.parametrize(("who", "least"), [("everybody", 35), *((who, 18) for who in list(SEEN_BY)[1:])])
def test_the_first_eight_colors_and_unknown_are_told_apart_by_all_eyes(who, least):
    """A difference (CIE 1976) of 2.3 is just noticed side by side; these are far apart on a chart."""
    colors = [look.color for look in looks(PEOPLE[:8]).values()]
    seen = lab(np.stack([linear(color) for color in colors]) @ np.array(SEEN_BY[who]).T)
    apart = np.linalg.norm(seen[:, None] - seen[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    first, second = np.unravel_index(apart.argmin(), apart.shape)
    assert apart.min() >= least, f"{colors[first]} and {colors[second]} look alike to {who}"


@pytest.mark.parametrize("page", PAGES)
def test_every_color_stands_out_on_light_and_on_dark(page):
    def bright(color: str) -> float:
        return float(TO_XYZ[1] @ linear(color)) + 0.05

    for look in looks(PEOPLE[:8]).values():
        low, high = sorted((bright(look.color), bright(page)))
        assert high / low >= 3.0, f"{look.color} on {page}"


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


def test_the_next_free_place_is_taken_however_many_people_there_are():
    people = [Person(f"{k:032x}", f"Person {k}", f"{k:06}") for k in range(20_000)]
    found = looks(people)
    for first in range(0, len(people), 8):  # each run of eight goes through the whole palette
        assert len({found[person.name].color for person in people[first : first + 8]}) == 8
    assert looks(people[:9])["Person 8"] == found["Person 8"]


def test_the_order_in_which_people_are_listed_does_not_matter():
    assert looks(PEOPLE[::-1]) == looks(PEOPLE)
