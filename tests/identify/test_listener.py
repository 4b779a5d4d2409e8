"""The Listener on a conversation of synthetic voices, with the real model."""

import numpy as np
import pytest
from support import voices
from support.in_memory import People, Person

from speakerid import Decision, Encoder, Listener
from speakerid.identify import UNKNOWN, ListenerConfig

ORDER = ["Alice", "Bruno", "Edgar", "Alice", "Bruno"]


@pytest.fixture(scope="module")
def conversation() -> tuple[np.ndarray, list[voices.Turn]]:
    """Alice and Bruno, who are enrolled, and Edgar, who is not."""
    return voices.conversation(ORDER)


@pytest.fixture(scope="module")
def beginning(conversation) -> np.ndarray:
    """Its first three turns, one of each voice."""
    samples, turns = conversation
    return samples[: round(turns[3].start * voices.RATE)]


@pytest.fixture
def listener(encoder: Encoder, enrolled: dict[str, Person]) -> Listener:
    return Listener(encoder, People(enrolled["Alice"], enrolled["Bruno"]))


@pytest.fixture(scope="module")
def heard(encoder: Encoder, enrolled: dict[str, Person], conversation) -> tuple[Listener, list[Decision]]:
    """What is decided when the conversation comes in frames of 20 ms."""
    listener = Listener(encoder, People(enrolled["Alice"], enrolled["Bruno"]))
    return listener, push(listener, conversation[0], 320)


def push(listener: Listener, samples: np.ndarray, *sizes: int) -> list[Decision]:
    """Push samples in blocks of these sizes, over and over, and flush."""
    decisions, at, count = [], 0, 0
    while at < len(samples):
        size = sizes[count % len(sizes)]
        decisions += listener.push(samples[at : at + size])
        at, count = at + size, count + 1
    return decisions + listener.flush()


def shown_at(decisions: list[Decision], seconds: float) -> str | None:
    before = [d.speaker for d in decisions if d.at <= seconds]
    return before[-1] if before else None


def same(first: list[Decision], second: list[Decision]) -> bool:
    return len(first) == len(second) and all(
        (a.at, a.speaker, a.confidence, a.scores, a.start, a.also)
        == (b.at, b.speaker, b.confidence, b.scores, b.start, b.also)
        for a, b in zip(first, second, strict=True)
    )


def test_enrolled_voices_are_named_and_a_stranger_is_not(heard, conversation):
    decisions = heard[1]
    for turn in conversation[1]:
        expected = turn.speaker if turn.speaker != "Edgar" else UNKNOWN
        assert shown_at(decisions, turn.start + 1.5) == expected, turn
        assert shown_at(decisions, turn.end - 0.1) == expected, turn


def test_turns_are_who_spoke_when(heard, conversation):
    turns = heard[0].turns
    assert [t.speaker for t in turns] == ["Alice", "Bruno", UNKNOWN, "Alice", "Bruno"]
    for said, found in zip(conversation[1], turns, strict=True):
        assert found.start == pytest.approx(said.start, abs=0.3)
        assert found.end == pytest.approx(said.end, abs=0.4)
        assert 0 < found.confidence <= 1


def test_a_voice_that_is_clear_is_looked_at_less_until_the_next_stretch(
    encoder, enrolled, conversation, beginning
):
    def times(**config: float) -> list[float]:
        people = People(enrolled["Alice"], enrolled["Bruno"])
        listener = Listener(encoder, people, ListenerConfig(**config))
        return [d.at for d in push(listener, beginning, 320) if d.speaker is not None]

    never, early = times(at_ease=1.1), times(at_ease=0.0)
    turns = conversation[1][:3]
    for turn in turns:
        first, dense = ([at for at in looks if turn.start <= at < turn.start + 1] for looks in (early, never))
        assert len(first) < 0.7 * len(dense)
        assert first[0] == dense[0], "a new stretch is looked at as soon as ever"


def test_silence_ends_with_nobody(heard):
    last = heard[1][-1]
    assert last.speaker is None and last.scores == {} and last.embedding is None


def test_decisions_are_complete(heard):
    times = [d.at for d in heard[1]]
    assert times == sorted(times)
    for decision in heard[1]:
        assert 0 <= decision.confidence <= 1
        if decision.speaker is None:
            continue
        assert set(decision.scores) == {"Alice", "Bruno", UNKNOWN}
        assert sum(decision.scores.values()) == pytest.approx(1, abs=1e-6)
        assert np.linalg.norm(decision.embedding) == pytest.approx(1, abs=1e-4)
        assert decision.details.reason and set(decision.details.cosine) == {"Alice", "Bruno"}


@pytest.mark.parametrize("sizes", [(1, 511, 512, 7_777), (10**9,)], ids=str)
def test_block_size_does_not_matter(listener, conversation, heard, sizes):
    samples = conversation[0]
    assert same(push(listener, samples, *sizes), heard[1])
    assert listener.turns == heard[0].turns


def test_what_waits_of_a_long_block_is_not_copied_at_every_look(listener, conversation):
    windows = listener.prepare(conversation[0])
    waiting = listener._pending
    while windows and len(listener._pending) > 16_000:
        assert np.shares_memory(listener._pending, waiting)
        listener.skip(windows)
        windows = listener.prepare(conversation[0][:0])
    assert listener.heard > 5


def test_prepare_and_accept_do_what_push_does(listener, encoder, conversation, heard):
    decisions = []
    blocks = [conversation[0][k : k + 5_000] for k in range(0, len(conversation[0]), 5_000)]
    for block in blocks:
        windows = listener.prepare(block)
        while windows:
            for window in windows:
                embedding = None if window.samples is None else encoder.embed([window.samples])[0]
                decisions += listener.accept(window, embedding)
            windows = listener.prepare(block[:0])
    # A batch of two windows rounds differently from two batches of one, so numbers agree but for that.
    expected = [d for d in heard[1] if d.at <= decisions[-1].at]
    assert [(d.at, d.speaker) for d in decisions] == [(d.at, d.speaker) for d in expected]
    assert [d.confidence for d in decisions] == pytest.approx([d.confidence for d in expected], abs=1e-3)


def test_a_change_of_voice_without_a_pause_is_noticed(listener):
    samples, turns = voices.conversation(["Alice", "Bruno", "Alice"], gap=0.0)
    decisions = push(listener, samples, 320)
    for turn in turns:
        assert shown_at(decisions, turn.start + 2.0) == turn.speaker


def test_nobody_enrolled_makes_everybody_unknown(encoder, beginning):
    decisions = push(Listener(encoder, People()), beginning, 8_000)
    assert {d.speaker for d in decisions} == {UNKNOWN, None}


def test_voiceprints_of_other_models_take_no_part(encoder, enrolled, beginning):
    alice = enrolled["Alice"]
    other = Person("Other", "another-model", alice.embeddings, alice.seconds)
    decisions = push(Listener(encoder, People(other)), beginning, 8_000)
    assert {d.speaker for d in decisions} == {UNKNOWN, None}


def test_only_chosen_people_take_part(encoder, enrolled, beginning):
    config = ListenerConfig(people=("Bruno",))
    listener = Listener(encoder, People(enrolled["Alice"], enrolled["Bruno"]), config)
    assert {d.speaker for d in push(listener, beginning, 8_000)} == {"Bruno", UNKNOWN, None}


def test_somebody_enrolled_meanwhile_is_named_after_reload(encoder, enrolled):
    samples, _ = voices.conversation(["Alice", "Alice"])
    gallery = People(enrolled["Bruno"])
    listener = Listener(encoder, gallery)
    assert "Alice" not in {d.speaker for d in listener.push(samples)}
    gallery.people.append(enrolled["Alice"])
    listener.reload()
    assert "Alice" in {d.speaker for d in listener.push(samples)}


def test_a_threshold_of_one_names_nobody(listener, beginning):
    listener.configure(threshold=1.01, hysteresis=0.0)
    assert {d.speaker for d in push(listener, beginning, 8_000)} == {UNKNOWN, None}


def test_silence_and_noise_bring_no_decision(listener):
    noise = np.random.default_rng(0).standard_normal(160_000).astype(np.float32) * 0.01
    assert push(listener, np.zeros(160_000, np.float32), 320) == []
    assert push(listener, noise, 320) == []


def test_memory_does_not_grow_with_the_stream(listener, conversation):
    for _ in range(2):
        listener.push(conversation[0])
    held = [len(listener._speech._memory._samples), len(listener._pending), len(listener._pieces)]
    assert held[0] <= 8 * 16_000 and held[1] < 512 and held[2] < 100


def test_who_speaks_on_and_on_is_named_ever_more_surely(encoder, enrolled):
    monologue = np.concatenate([*voices.enrollment("Alice")])
    decisions = push(Listener(encoder, People(enrolled["Alice"], enrolled["Bruno"])), monologue, 320)

    def surest(first: float, last: float) -> float:
        return max(d.confidence for d in decisions if d.speaker == "Alice" and first <= d.at < last)

    early, later, late = surest(0, 1), surest(3, 6), surest(18, 24)
    assert early < later < late and early < 0.95 < 0.975 < late
