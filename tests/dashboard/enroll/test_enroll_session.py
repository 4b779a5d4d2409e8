"""What a visit to the Enroll page remembers: recordings that go on, end and are forgotten."""

import time
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
from support import voices

from speakerid.audio.format import RATE
from speakerid.audio.ring import Ring
from speakerid.dashboard.enroll.session import Enrollment


def begin(enrollment: Enrollment, seconds: float) -> SimpleNamespace:
    """Start recording from a source that brings this much of Alice; wait until it was heard."""
    before = enrollment.look().seconds
    source = SimpleNamespace(ring=Ring(60.0), error=None, gain_db=0.0)
    source.ring.push(np.concatenate(voices.enrollment("Alice"))[: round(seconds * RATE)])
    enrollment.start(source, lambda: nullcontext(source), lambda _: False)
    end = time.monotonic() + 10
    while enrollment.look().seconds < before + seconds:
        assert time.monotonic() < end, "nothing was heard"
        time.sleep(0.02)
    return source


@pytest.fixture
def enrollment():
    made = Enrollment()
    yield made
    made.close()


def test_stopping_makes_a_take_and_starting_again_adds_to_it(enrollment):
    begin(enrollment, 3)
    enrollment.stop("Microphone")
    assert enrollment.take is not None
    assert enrollment.take.quality.seconds == pytest.approx(3)
    begin(enrollment, 4)
    assert enrollment.take is None, "the take is made anew when the recording ends"
    enrollment.stop("Microphone")
    assert enrollment.take.quality.seconds == pytest.approx(7)


def test_a_source_is_recorded_once(enrollment):
    source = begin(enrollment, 2)
    assert not enrollment.finished(source)
    enrollment.stop("Microphone")
    assert enrollment.finished(source)
    enrollment.start(source, lambda: nullcontext(source), lambda _: False)
    assert not enrollment.look().running


def test_recording_again_starts_from_nothing(enrollment):
    begin(enrollment, 3)
    enrollment.stop("Microphone")
    enrollment.close()
    assert enrollment.take is None
    assert enrollment.look().seconds == 0
    begin(enrollment, 2)
    enrollment.stop("Microphone")
    assert enrollment.take.quality.seconds == pytest.approx(2)


def test_a_full_recording_takes_no_more(enrollment):
    source = begin(enrollment, 23)
    assert enrollment.look().full
    assert enrollment.finished(source)
    other = SimpleNamespace(ring=Ring(1.0), error=None, gain_db=0.0)
    enrollment.start(other, lambda: nullcontext(other), lambda _: False)
    assert not enrollment.look().running


def test_another_way_to_record_is_noticed(enrollment):
    assert not enrollment.changed_source("browser")
    assert not enrollment.changed_source("browser")
    assert enrollment.changed_source("files")


def test_a_file_is_read_once_and_a_bad_one_is_a_sentence(enrollment):
    assert "not a sound file" in enrollment.file("1", b"text, not sound", "notes.txt")
    assert enrollment.file("1", b"never looked at", "notes.txt") is enrollment.file("1", b"", "")


def test_of_files_uploaded_one_after_another_only_those_still_there_are_kept(enrollment, tmp_path):
    data = voices.write_wav(tmp_path / "a.wav", voices.turn("Alice", 0)).read_bytes()
    for number in range(3):
        enrollment.only_files({str(number)})
        kept = enrollment.file(str(number), data, "a.wav")
        assert enrollment.file(str(number), data, "a.wav") is kept
    assert [*enrollment._files] == ["2"]
