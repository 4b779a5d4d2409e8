"""Who speaks beside the main voice: what the segmentation tells, and what the Listener makes of it."""

import numpy as np
import pytest
from support import voices
from support.in_memory import People

from speakerid import Listener
from speakerid.conversation.formats import decision_row
from speakerid.identify import UNKNOWN, Decision, ListenerConfig
from speakerid.identify.local_voices import MOST_WAITING, NONE, LocalVoices, VoicesConfig
from speakerid.identify.turn_log import TurnLog
from speakerid.model.segmentation import FRAME

RATE = voices.RATE


class Scripted:
    """A segmentation network that says what it is told, a frame for each of the stream."""

    def __init__(self, *stretches: tuple[tuple[int, ...], int]):
        rows = [[k in slots for k in range(3)] for slots, frames in stretches for _ in range(frames)]
        self._rows = np.array(rows, np.float32)

    def stream(self) -> "Scripted":
        return self

    def push(self, block: np.ndarray) -> np.ndarray:
        count = len(block) // FRAME
        now, self._rows = self._rows[:count], self._rows[count:]
        return now


def heard(*stretches: tuple[tuple[int, ...], int], keep: float = 6.0) -> LocalVoices:
    local = LocalVoices(Scripted(*stretches), VoicesConfig(), keep)
    local.hear(np.zeros(sum(frames for _, frames in stretches) * FRAME, np.float32))
    return local


def test_the_main_voice_is_who_speaks_most_alone():
    local = heard(((0,), 30), ((0, 1), 40), ((1,), 10))
    assert local.main(0, local.known) == 0 and local.main(70 * FRAME, local.known) == 1
    assert heard(((), 20)).main(0, 20 * FRAME) == NONE


def test_who_speaks_beside_it_does_so_now():
    assert heard(((0,), 40), ((0, 2), 20)).beside(0) == (2,)
    assert heard(((0,), 40), ((0, 2), 20), ((0,), 20)).beside(0) == ()
    assert heard(((0,), 40), ((2,), 20)).beside(0) == (), "that is another turn, not two at once"
    assert heard(((), 40)).beside(NONE) == ()


def test_a_takeover_begins_where_the_other_voice_is_alone():
    assert heard(((0,), 60), ((0, 1), 10), ((1,), 20)).takeover(0) == 70 * FRAME
    assert heard(((0,), 60), ((), 5), ((1,), 20)).takeover(0) == 65 * FRAME
    assert heard(((0,), 60), ((1,), 5)).takeover(0) is None, "too short to tell"
    assert heard(((0,), 90)).takeover(0) is None
    assert heard(((0,), 60), ((1,), 20)).takeover(60 * FRAME) is None, "the stretch began with that voice"


def test_frames_of_two_voices_are_left_out_and_the_unknown_ones_stay():
    local = heard(((0,), 10), ((0, 1), 5), ((1,), 5))
    clean = local.clean(2 * FRAME, 30 * FRAME)
    assert len(clean) == 28 * FRAME
    assert np.flatnonzero(~clean).tolist() == list(range(8 * FRAME, 13 * FRAME))


def test_memory_of_local_voices_is_bounded():
    local = heard(((0,), 500), ((1,), 500), keep=2.0)
    assert len(local.between(0, local.known)) == 125 and local.known == 1000 * FRAME
    assert local.clean(0, 100 * FRAME).all()


def test_the_network_hears_together_what_came_since_it_was_asked_and_never_waits_for_long():
    calls: list[int] = []

    class Counted(Scripted):
        def push(self, block: np.ndarray) -> np.ndarray:
            calls.append(len(block))
            return super().push(block)

    local = LocalVoices(Counted(((0,), 40), ((0, 1), 60)), VoicesConfig(), 6.0)
    for _ in range(10):
        local.hear(np.zeros(2 * FRAME, np.float32))
    assert not calls
    assert local.known == 20 * FRAME and local.main(0, local.known) == 0
    assert calls == [20 * FRAME]
    for _ in range(40):
        local.hear(np.zeros(2 * FRAME, np.float32))
    assert max(calls) <= MOST_WAITING + 2 * FRAME
    assert local.beside(0) == (1,)


def test_what_is_said_beside_somebody_is_a_turn_that_overlaps():
    log = TurnLog()
    log.add(Decision(1.0, "A", 0.9, start=0.5), 1.0)
    log.add_beside("B", 0.8, 1.0, 0.7)
    log.add(Decision(1.2, "A", 0.9, start=0.5), 1.2)
    log.add_beside("B", 1.0, 1.2, 0.6)
    log.add(Decision(3.0, "A", 0.9, start=0.5), 3.0)
    log.add_beside("B", 2.8, 3.0, 0.8)
    found = [(turn.speaker, turn.start, turn.end, turn.beside) for turn in log.turns]
    assert found == [("A", 0.5, 3.0, False), ("B", 0.8, 1.2, True), ("B", 2.8, 3.0, True)]
    assert log.last is not None and log.last.speaker == "A"


@pytest.fixture
def two_at_once() -> np.ndarray:
    """Alice, then Bruno, then Alice with Bruno in it from 1 s to 2.5 s of her turn."""
    first, second, third = voices.turn("Alice", 0), voices.turn("Bruno", 1), voices.turn("Alice", 2)
    third = np.concatenate([third, voices.turn("Alice", 3)])
    third[RATE : RATE + 24_000] += voices.turn("Bruno", 3)[:24_000]
    gap = np.zeros(RATE // 2, np.float32)
    return np.concatenate([gap, first, gap, second, gap, third, np.zeros(RATE, np.float32)])


def scripted_for(samples: np.ndarray) -> Scripted:
    """What a perfect network says of `two_at_once`, a slot for each."""
    lengths = [len(voices.turn("Alice", 0)), len(voices.turn("Bruno", 1))]
    begun = RATE + sum(lengths) + RATE // 2
    marks = [(RATE // 2, (0,)), (RATE // 2 + lengths[0], ()), (RATE + lengths[0], (1,))]
    marks += [(RATE + sum(lengths), ()), (begun, (0,)), (begun + RATE, (0, 1)), (begun + 40_000, (0,))]
    edges = [0, *(at // FRAME for at, _ in marks), len(samples) // FRAME + 100]
    sets = [(), *(slots for _, slots in marks)]
    return Scripted(*[(s, b - a) for s, a, b in zip(sets, edges[:-1], edges[1:], strict=True)])


@pytest.mark.parametrize("enrolled_names", [("Alice", "Bruno"), ("Alice",)], ids=str)
def test_everybody_who_speaks_is_named(encoder, enrolled, two_at_once, enrolled_names):
    """The network is played by its truth here: what the Listener makes of it is under test."""
    config = ListenerConfig(voices=VoicesConfig(leave_out=True))
    listener = Listener(encoder, People(*(enrolled[name] for name in enrolled_names)), config)
    listener._voices._stream = scripted_for(two_at_once)
    decisions = listener.push(two_at_once) + listener.flush()
    begun = (len(two_at_once) - RATE - len(voices.turn("Alice", 2)) - len(voices.turn("Alice", 3))) / RATE
    both = [d for d in decisions if begun + 1.5 < d.at < begun + 2.5]
    other = "Bruno" if "Bruno" in enrolled_names else UNKNOWN
    assert both and all((d.speaker, d.also) == ("Alice", (other,)) for d in both)
    assert all(d.also == () for d in decisions if d.at < begun + 1 or d.at > begun + 3)
    assert decision_row(both[0])["also"] == [other]
    beside = [turn for turn in listener.turns if turn.beside]
    assert [turn.speaker for turn in beside] == [other]
    assert begun + 0.9 < beside[0].start < begun + 1.6 and begun + 2.2 < beside[0].end < begun + 2.9
    # While both speak her windows hold what she said alone, so they stay shorter than the time that passed.
    assert both[-1].details.seconds < both[-1].at - both[-1].start - 0.5
