"""The second look at a recording: smoothing, grouping, edges, and that its memory is bounded."""

import itertools
import tracemalloc

import numpy as np
import pytest
from support import voices

from speakerid import Encoder, Gallery
from speakerid.audio.format import RATE
from speakerid.conversation import smoothing
from speakerid.conversation.hearing import Hearing
from speakerid.conversation.pieces import Gathering, Pieces
from speakerid.conversation.second_look import second_look
from speakerid.evaluate.diarization import compare, figures, turns_of
from speakerid.gallery import Consent
from speakerid.identify import Listener, ListenerConfig
from speakerid.identify.scoring import Scorer

SPOKEN = ["Alice", "Edgar", "Callum", "Bruno", "Edgar", "Alice", "Callum", "Bruno"]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder.load()


@pytest.fixture(scope="module")
def gallery(tmp_path_factory, encoder) -> Gallery:
    """Alice and Bruno are enrolled."""
    made = Gallery.open(tmp_path_factory.mktemp("two") / "voiceprints", "")
    for name in ("Alice", "Bruno"):
        made.enroll(name, voices.enrollment(name), encoder, consent=Consent.given("tests"))
    return made


@pytest.fixture(scope="module")
def meeting() -> tuple[np.ndarray, list[tuple[float, float, str]]]:
    """Turns without a pause between them, two enrolled people and two strangers."""
    samples, turns = voices.conversation(SPOKEN, gap=0.0)
    called = {"Edgar": "stranger-1", "Callum": "stranger-2"}
    return samples, [(turn.start, turn.end, called.get(turn.speaker, turn.speaker)) for turn in turns]


@pytest.fixture(scope="module")
def hearing(meeting, encoder, gallery) -> Hearing:
    heard = Hearing(Listener(encoder, gallery))
    for at in range(0, len(meeting[0]), 320):
        heard.push(meeting[0][at : at + 320])
    heard.flush()
    return heard


def test_it_says_who_spoke_when_from_edge_to_edge(hearing, meeting):
    found = figures([compare(meeting[1], turns_of(hearing.conversation().turns))])
    assert found["named_error"] < 0.1 and found["der_fair"] < 0.05 and found["voices_found"] == 4
    assert hearing.conversation().strangers == ["unknown 1", "unknown 2"]
    starts = np.array([turn.start for turn in hearing.conversation().turns])
    late = [np.abs(starts - turn[0]).min() for turn in meeting[1]]
    assert max(late) < 0.6 and np.mean(late) < 0.3


def test_the_size_of_the_blocks_and_the_first_look_change_nothing(hearing, meeting, encoder, gallery):
    other = Hearing(Listener(encoder, gallery), first_look=False)
    assert other.push(meeting[0]) == [] and other.flush() == []
    assert other.turns == []
    for one, same in zip(hearing.conversation().turns, other.conversation().turns, strict=True):
        assert (one.speaker, one.start, one.end) == (same.speaker, same.start, same.end)


def test_where_all_are_enrolled_nobody_is_unknown(hearing, encoder, gallery):
    config = ListenerConfig(closed_set=True)
    listener = Listener(encoder, gallery, config)
    turns = second_look(hearing.pieces, listener.scorer, listener.profiles, config)
    assert {turn.speaker for turn in turns} == {"Alice", "Bruno"}


def test_only_who_takes_part_is_named(hearing, encoder, gallery):
    config = ListenerConfig(people=("Bruno",))
    listener = Listener(encoder, gallery, config)
    turns = second_look(hearing.pieces, listener.scorer, listener.profiles, config)
    named = {turn.speaker for turn in turns}
    assert "Bruno" in named and "Alice" not in named and "unknown 3" in named


def test_nothing_heard_is_nobody(encoder, gallery):
    silent = Hearing(Listener(encoder, gallery), first_look=False)
    for _ in range(100):
        silent.push(np.zeros(RATE, np.float32))
    silent.flush()
    assert silent.conversation().turns == ()


class _Quick:
    """Embeds nothing, at once; notes the longest piece."""

    id = "quick"

    def embed(self, blocks):
        return np.eye(1, 192, dtype=np.float32).repeat(len(blocks), 0)


def test_memory_does_not_grow_with_the_sound(meeting):
    """Ten minutes of sound are 19 MB as 16-bit samples; what is left of them is less than one."""
    gathering, block = Gathering(_Quick()), meeting[0][: 20 * RATE]
    tracemalloc.start()
    for number in range(30):
        gathering.push(block)
        if number == 3:
            before = tracemalloc.get_traced_memory()[0]
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 26 * 20 * 2 * (192 * 4 + 1000) + 2_000_000 and gathering._held < 50 * RATE


def test_hours_of_pieces_are_grouped_in_blocks():
    """Two hours of four voices, made of numbers: 14,400 pieces, whose every pair would take 0.8 GB."""
    rng = np.random.default_rng(1)
    voice = np.linalg.qr(rng.standard_normal((192, 4)))[0].T
    who = np.repeat(rng.integers(4, size=1440), 10)
    rows = voice[who] + 0.03 * rng.standard_normal((len(who), 192))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    at = 0.5 * np.arange(len(who)) + 0.25
    pieces = Pieces([(0.0, 7_200.0)], at, np.full(len(who), 1.5), rows.astype(np.float32))
    scorer = Scorer()
    tracemalloc.start()
    turns = second_look(pieces, scorer, scorer.profiles([]), ListenerConfig())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert {turn.speaker for turn in turns} == {f"unknown {k}" for k in range(1, 5)}
    assert peak < 200e6
    change = np.flatnonzero(np.diff(who)) + 1
    assert len(turns) == len(change) + 1


def test_smoothing_agrees_with_trying_every_sequence():
    rng = np.random.default_rng(2)
    evidence, stay = rng.standard_normal((5, 3)) * 2, np.array([0.0, 0.9, 0.5, 0.8, 0.3])
    base = np.array([0.5, 0.3, 0.2])
    weight = {}
    for path in itertools.product(range(3), repeat=5):
        value = base[path[0]] * np.exp(evidence[0, path[0]])
        for step in range(1, 5):
            same = stay[step] if path[step] == path[step - 1] else 0.0
            value *= (same + (1 - stay[step]) * base[path[step]]) * np.exp(evidence[step, path[step]])
        weight[path] = value
    total = sum(weight.values())
    expected = np.zeros((5, 3))
    for path, value in weight.items():
        expected[range(5), path] += value / total
    assert smoothing.posteriors(evidence, base, stay) == pytest.approx(expected)
    assert tuple(smoothing.likeliest(evidence, base, stay)) == max(weight, key=weight.__getitem__)
