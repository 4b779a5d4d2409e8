"""The gender head, and how it is measured."""

from pathlib import Path

import numpy as np
import pytest
from support import voices

from speakerid import Encoder
from speakerid.evaluate.embedding import Embedded
from speakerid.evaluate.gender import measure
from speakerid.evaluate.trials import Utterance
from speakerid.identify.gender import SURE, GenderHead, answer_from

HEAD = GenderHead(np.eye(192)[0] * 10, 0.0)


def embedding(first: float) -> np.ndarray:
    row = np.zeros(192, np.float32)
    row[:2] = first, np.sqrt(1 - first**2)
    return row


def test_it_answers_with_a_probability_and_says_when_it_is_not_sure():
    assert HEAD.read(embedding(0.5)).label == "female"
    assert HEAD.read(embedding(-0.5)).label == "male"
    unsure = HEAD.read(embedding(0.05))
    assert unsure.label == "not sure" and 0.5 < unsure.probability < SURE
    assert HEAD.read(embedding(0.5)).probability == pytest.approx(1 / (1 + np.exp(-5)))
    assert answer_from(0.0).label == "not sure"


def test_it_is_kept_by_model(tmp_path, monkeypatch):
    monkeypatch.setattr("speakerid.model.linear.HEADS", tmp_path)
    HEAD.save("owner/model")
    head = GenderHead.load("owner/model")
    assert head is not None and head.read(embedding(0.5)).label == "female"
    assert [path.name for path in tmp_path.iterdir()] == ["owner--model.gender.safetensors"]
    assert GenderHead.load("another") is None


def test_only_adults_with_a_label_are_measured(monkeypatch):
    monkeypatch.setattr("speakerid.evaluate.gender.GenderHead.load", lambda _: HEAD)
    people = [
        ("f", "30", 0.5),
        ("f", "", 0.5),
        ("m", "20", -0.5),
        ("m", "40", 0.5),
        ("m", "9", 0.5),
        ("", "30", 0),
    ]
    people += [("f", "21", 0.05)]
    utterances = [
        Utterance(Path("a"), str(k), "c", f"s{k}", "dev", sex, age) for k, (sex, age, _) in enumerate(people)
    ]
    rows = np.stack([embedding(first) for *_, first in people])
    [row] = measure(Embedded(utterances, {("m", "clean", "2 s"): rows}, {"2 s": np.full(7, 2.0)}, []))
    assert row["speakers"] == row["recordings"] == 5
    assert row["answered"] == pytest.approx(4 / 5) and row["right"] == pytest.approx(3 / 4)
    low, high = row["right_interval"]
    assert low <= 0.75 <= high


def test_the_shipped_head_knows_the_synthetic_voices():
    encoder = Encoder.load()
    head = GenderHead.load(encoder.id)
    assert head is not None
    for name, sex in (("Alice", "female"), ("Bruno", "male")):
        [row] = encoder.embed([voices.turn(name, 0)])
        assert head.read(row).label in {sex, "not sure"}, name
