"""The demo's voices: complete, well told apart by the bundled model, and known only where they should be."""

from itertools import pairwise

import numpy as np
from support import voices

from speakerid import Encoder
from speakerid.dashboard import demo
from speakerid.dashboard.live import demo_people


def truth() -> list[voices.Turn]:
    """Who really speaks when in the demo; the stranger is called "unknown"."""
    lines = demo.CONVERSATION.with_suffix(".rttm").read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines]
    return [voices.Turn(float(row[3]), float(row[3]) + float(row[4]), row[7]) for row in rows]


def test_the_demo_is_complete() -> None:
    people = demo.people()
    assert list(people) == ["Alice", "Bruno", "Callum", "Daisy"]
    assert all(10 < len(voices.read(path)) / voices.RATE < 20 for paths in people.values() for path in paths)
    turns = truth()
    assert {turn.speaker for turn in turns} == {*people, "unknown"}
    assert all(turn.end < later.start for turn, later in pairwise(turns))
    assert turns[-1].end < len(voices.read(demo.CONVERSATION)) / voices.RATE


def test_the_voiceprints_that_are_shipped_are_the_bundled_models(monkeypatch) -> None:
    encoder = Encoder.load("ecapa-bundled")
    shipped = demo_people.shipped()
    assert {person.model for person in shipped} == {encoder.id}, (
        "after another training of the bundled model: python -m speakerid.dashboard.live.demo_people"
    )
    monkeypatch.setattr(demo_people, "_made", {})
    for stored, made in zip(shipped, demo_people._enrolled(encoder), strict=True):
        assert (stored.id, stored.name, stored.created) == (made.id, made.name, made.created)
        alike = np.einsum(
            "kd,kd->k", stored.embeddings, made.embeddings
        )  # runtimes differ in the last digits
        assert alike.min() > 0.999
        np.testing.assert_allclose(stored.seconds, made.seconds, atol=0.01)


def test_with_another_model_the_demos_people_are_made_from_their_recordings(monkeypatch) -> None:
    encoder = Encoder.load("ecapa-bundled")
    monkeypatch.setattr(encoder, "id", "another-1234")
    people = demo_people.DemoPeople(encoder)
    assert people.model == "another-1234"
    assert {person.model for person in people.gallery.speakers()} == {"another-1234"}
    assert [person.id for person in people.gallery.speakers()] == [one.id for one in demo_people.shipped()]


def test_the_truth_is_where_the_sound_is() -> None:
    power = np.square(voices.read(demo.CONVERSATION))
    for turn in truth():
        start, end = round(turn.start * voices.RATE), round(turn.end * voices.RATE)
        inside = power[start:end].mean()
        before = power[start - voices.RATE // 5 : start - voices.RATE // 50].mean()
        assert inside > 100 * before


def test_the_bundled_model_tells_every_synthetic_voice_from_every_other() -> None:
    encoder = Encoder.load("ecapa-bundled")
    means = np.stack([encoder.embed(voices.enrollment(name)).mean(axis=0) for name in voices.PEOPLE])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    for index, name in enumerate(voices.PEOPLE):
        turns = [voices.turn(name, number)[: 2 * voices.RATE] for number in range(voices.TURNS_A_PERSON)]
        cosines = encoder.embed(turns) @ means.T
        others = np.delete(cosines, index, axis=1).max(axis=1)
        assert (cosines[:, index] > others + 0.15).all(), f"{name}: {cosines.round(2)}"
