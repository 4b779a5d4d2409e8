"""Nothing that fits is lost, nothing that is lost goes uncounted, whatever two threads do."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speakerid.audio.ring import Ring


@given(st.lists(st.one_of(st.none(), st.integers(0, 700)), max_size=60))
def test_the_ring_against_a_list(steps: list[int | None]):
    """A push of so many samples, or a pop (None): the same as keeping the last 800 samples of a list."""
    ring, kept, pushed, dropped = Ring(seconds=0.05), [], 0, 0
    for step in steps:
        if step is None:
            np.testing.assert_array_equal(ring.pop(), np.array(kept, np.float32))
            kept = []
        else:
            ring.push(np.arange(pushed, pushed + step, dtype=np.float32))
            kept += range(pushed, pushed + step)
            pushed += step
            dropped += max(0, len(kept) - 800)
            kept = kept[-800:]
        assert (len(ring), ring.position, ring.dropped) == (len(kept), pushed - len(kept), dropped)


def test_a_block_larger_than_the_ring_leaves_its_end():
    ring = Ring(seconds=0.01)
    ring.push(np.arange(1000, dtype=np.float32))
    np.testing.assert_array_equal(ring.pop(), np.arange(840, 1000))
    assert ring.dropped == 840


def test_what_was_pushed_belongs_to_the_ring():
    ring, block = Ring(), np.ones(4, np.float32)
    ring.push(block)
    block[:] = 7
    np.testing.assert_array_equal(ring.pop(), np.ones(4))


def test_two_threads():
    ring, blocks = Ring(seconds=0.1), 4000
    heard: list[np.ndarray] = []
    done = threading.Event()

    def speak() -> None:
        for index in range(blocks):
            ring.push(np.arange(index * 160, (index + 1) * 160, dtype=np.float32))
        done.set()

    speaker = threading.Thread(target=speak)
    speaker.start()
    while not done.is_set():
        heard.append(ring.pop())
    speaker.join()
    heard.append(ring.pop())
    samples = np.concatenate(heard)
    assert ring.position == blocks * 160
    assert len(samples) + ring.dropped == ring.position
    assert (np.diff(samples) >= 1).all()  # in order, none twice
    assert samples[-1] == ring.position - 1  # the newest is never what is dropped


def test_wait_ends_when_sound_comes():
    ring = Ring()
    assert not ring.wait(0.01)
    threading.Timer(0.1, lambda: ring.push(np.ones(1, np.float32))).start()
    assert ring.wait(120), "it waits its whole time although there is sound"


def test_a_ring_needs_room():
    with pytest.raises(ValueError, match="room"):
        Ring(seconds=0)
