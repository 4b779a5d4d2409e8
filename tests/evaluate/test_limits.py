"""The limits of enrollment belong to the model: derived from its embeddings, kept with its calibration."""

from types import SimpleNamespace

import numpy as np
import pytest

from speakerid.errors import EnrollmentRefused
from speakerid.evaluate.limits import FEWEST, Side, from_sides, parts_of, tail
from speakerid.gallery import voices
from speakerid.gallery.enrollment import Examined
from speakerid.gallery.owner import check_owner
from speakerid.gallery.voiceprint import unit
from speakerid.identify.scoring import Calibration, save, set_limits
from speakerid.model.companions import own_file
from speakerid.model.limits import TYPICAL, Limits, limits_of

WIDTH = 96


def people(count: int, scatter: float, common: float = 0.0) -> list[list[Side]]:
    """Two enrollments each of so many voices: what they scatter by, and what all have in common."""
    rng = np.random.default_rng(0)
    shared = common * unit(rng.standard_normal(WIDTH))

    def rows(center: np.ndarray, number: int) -> np.ndarray:
        noise = scatter * unit(rng.standard_normal((number, WIDTH)))
        return unit(center + noise)

    made = []
    for _ in range(count):
        center = unit(rng.standard_normal(WIDTH)) + shared
        made.append(
            [
                Side(
                    *rows(center, 3), voices.Phrases(rows(center, 4), np.full(4, 2.0, "f4")), rows(center, 8)
                )
                for _ in range(2)
            ]
        )
    return made


def test_a_model_gets_limits_of_its_own_scale():
    narrow, wide = from_sides(people(60, 0.3, common=2.0)), from_sides(people(60, 0.3))
    assert narrow.known and wide.known
    for limits in (narrow, wide):
        assert limits.near_voice <= limits.other_voice
    # Where all voices have much in common their cosines are higher, and so are the limits.
    assert narrow.other_voice > wide.other_voice + 0.2
    assert narrow.same_voice > wide.same_voice and narrow.two_voices > wide.two_voices


def test_about_one_good_enrollment_in_a_hundred_is_in_question():
    limits = from_sides(people(200, 0.7))
    fresh = people(120, 0.7)
    asked = refused = tried = 0
    for number, mine in enumerate(fresh):
        agree = np.array([other[0].centroid @ mine[1].voice for other in fresh])
        others = np.sort(np.delete(agree, number)[:30])
        lead = others[-1] - others[-2]
        near = others[-1] >= limits.near_voice and lead >= limits.near_margin
        asked += bool(others[-1] >= limits.other_voice or near)
        refused += bool(agree[number] < limits.same_voice)
        tried += 1
    assert asked <= 0.04 * tried and refused <= 0.04 * tried
    assert limits.same_voice > 0.3, "and they are no formality"


def test_too_few_speakers_leave_the_typical_limits():
    assert from_sides(people(FEWEST - 1, 0.5)) == TYPICAL


def test_a_tail_of_few_values_is_not_believed():
    few = np.linspace(0.7, 0.9, 30)
    assert tail(few, 0.01) < few.min()
    assert tail(-few, 0.01, high=True) > (-few).max()
    many = np.random.default_rng(0).normal(0.8, 0.1, 5000)
    assert tail(many, 0.01) == pytest.approx(np.quantile(many, 0.01))


def test_recordings_become_enrollments_that_are_long_enough():
    short, long = np.zeros(40_000, np.float32), np.zeros(200_000, np.float32)
    assert [len(part) for part in parts_of([short] * 5)] == [2, 2]
    assert [len(part[0]) for part in parts_of([long])] == [100_000, 100_000]
    assert parts_of([short]) == []


def test_limits_lie_with_the_calibration_of_their_model():
    assert limits_of("model-1") is TYPICAL and not TYPICAL.known
    save(own_file("model-1"), None, Calibration(np.ones(6), np.ones(4)), {"voices": 5})
    assert limits_of("model-1") == TYPICAL, "a calibration of an earlier version has none"
    limits = Limits(other_voice=0.6, same_voice=0.3, known=True)
    set_limits(own_file("model-1"), limits)
    assert limits_of("model-1") == limits and limits_of("model-2") is TYPICAL


def test_enrollment_goes_by_the_limits_of_the_model():
    """The same two voiceprints are one person to one model and two to another."""
    one = unit(np.array([[1.0, 0.0]]))
    other = unit(np.array([[0.7, 0.714]]))
    own = SimpleNamespace(name="Ada", centroid=one[0])

    def come_again(limits: Limits) -> None:
        check_owner(Examined(None, other, 6.0, [], [], (0,), limits), "Ada", own, [])

    come_again(Limits(same_voice=0.6))
    with pytest.raises(EnrollmentRefused, match="does not sound like"):
        come_again(Limits(same_voice=0.8))
