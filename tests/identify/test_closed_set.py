"""The classification head, and listening where everybody is enrolled."""

from pathlib import Path

import numpy as np
import pytest
from support import voices
from support.in_memory import People

from speakerid.evaluate.closed_set import GROUP, measure
from speakerid.evaluate.embedding import LENGTHS, Embedded
from speakerid.evaluate.trials import Utterance
from speakerid.identify import UNKNOWN, Listener, ListenerConfig
from speakerid.model.prototypes import prototypes


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def people(rng, count=6, exemplars=8, common=3.0, spread=0.05):
    """People whose voices have much in common, and vary most in a direction that tells nothing."""
    shared, nuisance = rng.normal(size=192), unit(rng.normal(size=192)) * 25
    made = []
    for _ in range(count):
        center = common * shared + rng.normal(size=192)
        rows = unit(center + rng.normal(size=(exemplars, 1)) * nuisance + rng.normal(size=(exemplars, 192)))
        made.append(rows)
    return made


def test_tuning_moves_people_who_sound_alike_apart():
    made = people(np.random.default_rng(0))
    plain, tuned = prototypes(made, tune=False), prototypes(made)
    rivals = ~np.eye(len(made), dtype=bool)
    assert np.allclose(np.linalg.norm(tuned, axis=1), 1, atol=1e-5)
    assert (tuned @ tuned.T)[rivals].mean() < (plain @ plain.T)[rivals].mean() - 0.02
    rows = np.concatenate(made)
    owner = np.repeat(np.arange(6), 8)
    assert ((rows @ tuned.T).argmax(1) == owner).mean() >= ((rows @ plain.T).argmax(1) == owner).mean()


def test_with_few_exemplars_the_voiceprints_stay_as_they_are():
    made = people(np.random.default_rng(0), exemplars=2)
    assert np.array_equal(prototypes(made), prototypes(made, tune=False))
    alone = people(np.random.default_rng(0), count=1)
    assert np.array_equal(prototypes(alone), prototypes(alone, tune=False))


def test_it_is_measured_in_rooms_of_people():
    rng = np.random.default_rng(1)
    utterances, rows = [], []
    for k in range(GROUP + 2):
        center = rng.normal(size=192)
        for take in range(8):
            utterances.append(Utterance(Path("a"), f"{k} {take}", "c", str(k), "dev"))
            rows.append(center + 0.3 * rng.normal(size=192))
    embeddings = unit(np.array(rows))
    embedded = Embedded(utterances, {("m", "clean", length): embeddings for length in LENGTHS}, {}, [])
    table = measure(embedded, rounds=50)
    assert [row["length"] for row in table] == ["3 s", "2 s", "1 s"]
    assert all(
        row["right"] == pytest.approx(1) and row["gain"] == pytest.approx(0, abs=0.01) for row in table
    )
    few = Embedded(utterances[:24], {key: value[:24] for key, value in embedded.rows.items()}, {}, [])
    assert measure(few) == []


def test_where_only_enrolled_people_speak_nobody_is_unknown(encoder, enrolled):
    gallery = People(enrolled["Alice"], enrolled["Bruno"])
    samples, _ = voices.conversation(["Felix", "Alice", "Bruno"])
    for closed, tuned in ((False, False), (True, False), (True, True)):
        listener = Listener(encoder, gallery, ListenerConfig(closed_set=closed, tuned=tuned))
        for start in range(0, len(samples), 1600):
            listener.push(samples[start : start + 1600])
        listener.flush()
        speakers = {turn.speaker for turn in listener.turns}
        assert {"Alice", "Bruno"} <= speakers
        assert (UNKNOWN in speakers) != closed


def test_the_listener_compares_with_the_tuned_prototypes(encoder, enrolled):
    gallery = People(*enrolled.values())
    plain, tuned = (
        Listener(encoder, gallery, ListenerConfig(closed_set=True, tuned=on)).profiles for on in (False, True)
    )
    wanted = prototypes([person.embeddings for person in gallery.speakers()])
    assert tuned.names == plain.names and np.allclose(tuned.centers, wanted, atol=1e-6)
    assert np.abs(tuned.centers - plain.centers).max() > 1e-5
    assert np.allclose(tuned.seconds, plain.seconds)
