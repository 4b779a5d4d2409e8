"""A guided recording, apart from any page: what it counts, what it advises, when it ends."""

import time
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
from support import voices

from speakerid.audio.format import RATE
from speakerid.audio.ring import Ring
from speakerid.dashboard.enroll.take import Collector, Progress, Recorder, advice, make_take
from speakerid.errors import AudioError


def spoken(name: str, seconds: float) -> np.ndarray:
    """This much of a person's enrollment recordings."""
    samples = np.concatenate(voices.enrollment(name) * 3)
    return samples[: round(seconds * RATE)]


def source(samples: np.ndarray | None = None) -> SimpleNamespace:
    """A source whose ring holds these samples already."""
    made = SimpleNamespace(ring=Ring(60.0), error=None, gain_db=0.0)
    if samples is not None:
        made.ring.push(samples)
    return made


def wait_for(what, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)


def test_speech_is_counted_and_silence_is_not():
    collector = Collector()
    collector.push(np.zeros(3 * RATE, np.float32))
    assert collector.progress().speech_seconds == 0
    collector.push(spoken("Alice", 8))
    heard = collector.progress()
    assert heard.seconds == pytest.approx(11)
    assert 5 < heard.speech_seconds <= 8
    assert not heard.full


def test_the_count_does_not_depend_on_the_block_size():
    whole, pieces = Collector(), Collector()
    samples = spoken("Bruno", 9)
    whole.push(samples)
    for at in range(0, len(samples), 317):
        pieces.push(samples[at : at + 317])
    assert pieces.progress() == whole.progress()
    assert np.array_equal(pieces.samples(), samples)


def test_it_is_full_once_enough_was_said_or_it_went_on_too_long():
    collector = Collector(wanted=4)
    collector.push(spoken("Alice", 12))
    assert collector.progress().full
    silent = Collector(longest=5)
    silent.push(np.zeros(5 * RATE, np.float32))
    assert silent.progress().full


@pytest.mark.parametrize(
    ("progress", "tone", "word"),
    [
        (Progress(seconds=3, speech_seconds=2, level_dbfs=-3, clipped=True), "bad", "Too loud"),
        (Progress(seconds=3, level_dbfs=-100, pause=3), "warn", "Nothing is heard"),
        (Progress(seconds=9, speech_seconds=2, level_dbfs=-60, pause=3), "warn", "No speech"),
        (Progress(seconds=9, speech_seconds=2, level_dbfs=-52, pause=0), "warn", "Very quiet"),
        (Progress(seconds=9, speech_seconds=2, level_dbfs=-25, pause=0), "good", "Good"),
    ],
)
def test_advice_fits_what_is_heard(progress: Progress, tone: str, word: str):
    given = advice(progress)
    assert given[0] == tone
    assert word in given[1]


def test_clipping_is_noticed_and_soon_forgotten():
    collector = Collector()
    collector.push(np.ones(RATE, np.float32))
    assert collector.progress().clipped
    collector.push(np.zeros(RATE, np.float32))
    assert not collector.progress().clipped


def test_a_recorder_stops_by_itself_when_there_is_enough():
    collector = Collector(wanted=4)
    recorder = Recorder(lambda: nullcontext(source(spoken("Alice", 10))), collector)
    wait_for(lambda: not recorder.look().running)
    assert recorder.look().full
    assert recorder.look().speech_seconds >= 4
    assert len(collector.samples()) == 10 * RATE


def test_a_recorder_ends_with_its_source_and_takes_the_last_of_it():
    collector, over = Collector(), []
    feed = source(spoken("Alice", 2))
    recorder = Recorder(lambda: nullcontext(feed), collector, ended=lambda _: bool(over))
    wait_for(lambda: recorder.look().seconds > 1)
    feed.ring.push(spoken("Alice", 1))
    over.append(True)
    wait_for(lambda: not recorder.look().running)
    assert len(collector.samples()) == 3 * RATE
    assert recorder.look().error == ""


def test_a_recorder_that_nobody_looks_at_ends_and_lets_the_microphone_go():
    left = []

    @contextmanager
    def opened():
        yield source()
        left.append(True)

    recorder = Recorder(opened, Collector(), abandoned_after=0.3)
    wait_for(lambda: bool(left))
    assert not recorder.look().running


def test_a_microphone_that_cannot_be_opened_is_a_sentence():
    @contextmanager
    def opened():
        raise AudioError("There is no microphone: connect one.")
        yield

    recorder = Recorder(opened, Collector())
    wait_for(lambda: not recorder.look().running)
    assert recorder.look().error == "There is no microphone: connect one."


def test_an_unplugged_microphone_keeps_what_was_heard():
    collector, feed = Collector(), source(spoken("Alice", 3))
    recorder = Recorder(lambda: nullcontext(feed), collector)
    wait_for(lambda: recorder.look().seconds == 3)
    feed.error = "The microphone was unplugged."
    wait_for(lambda: not recorder.look().running)
    assert recorder.look().error == "The microphone was unplugged."
    assert len(collector.samples()) == 3 * RATE


def test_lost_sound_is_counted():
    feed = SimpleNamespace(ring=Ring(1.0), error=None, gain_db=0.0)
    feed.ring.push(spoken("Alice", 1))
    feed.ring.push(spoken("Alice", 0.5))
    recorder = Recorder(lambda: nullcontext(feed), Collector())
    wait_for(lambda: recorder.look().seconds == 1)
    recorder.close()
    assert recorder.look().lost == pytest.approx(0.5)


def test_a_take_knows_its_speech():
    take = make_take("a.wav", np.concatenate([np.zeros(2 * RATE, np.float32), spoken("Alice", 4)]))
    assert take.quality.seconds == pytest.approx(6)
    assert take.speech[0][0] > 1.5
    assert take.speech[-1][1] <= 6


def test_what_is_counted_while_recording_is_what_the_take_holds():
    collector = Collector()
    samples = np.concatenate([spoken("Alice", 5), np.zeros(2 * RATE, np.float32), spoken("Bruno", 5)])
    for at in range(0, len(samples), 1600):
        collector.push(samples[at : at + 1600])
    assert collector.progress().speech_seconds == pytest.approx(
        make_take("a", samples).speech_seconds, abs=0.01
    )


def test_what_was_amiss_before_a_pause_is_not_said_at_the_next_start():
    collector = Collector()
    collector.push(spoken("Alice", 3))
    collector.push(np.zeros(4 * RATE, np.float32))
    assert advice(collector.progress(running=True))[0] == "warn", "silent for four seconds"
    collector.begin()
    assert advice(collector.progress(running=True)) == ("good", "Listening …")
    collector.push(np.ones(RATE // 10, np.float32))  # the click of a plug
    collector.begin()
    assert advice(collector.progress(running=True)) == ("good", "Listening …")
    collector.push(spoken("Alice", 3)[RATE:])
    assert advice(collector.progress(running=True))[1].startswith("Good")
    collector.push(np.zeros(3 * RATE, np.float32))
    assert advice(collector.progress(running=True))[0] == "warn"
