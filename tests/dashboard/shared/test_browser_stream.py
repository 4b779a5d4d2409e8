"""A browser's connection in a guided recording ends with its page, and not while the page is there."""

import time
from types import SimpleNamespace

import pytest

from speakerid.audio.browser import BrowserSource
from speakerid.dashboard.enroll import sources as enroll_sources
from speakerid.dashboard.shared.browser_stream import (
    FIRST_FRAME_S,
    NO_MORE_FRAMES,
    SILENT_SOURCE_S,
    RecordedStream,
)


class Stream(RecordedStream):
    """Counts how often it was ended."""

    ended = 0

    def hang_up(self) -> None:
        self.ended += 1


@pytest.fixture
def source() -> BrowserSource:
    """A source that had a frame just now."""
    made = BrowserSource()
    made.frames, made.last_frame_at = 1, time.monotonic()
    return made


@pytest.fixture
def stream(source: BrowserSource) -> Stream:
    made = Stream()
    made.feed(source)
    made.seen()
    return made


def test_it_ends_when_neither_the_page_nor_its_sound_is_there(stream):
    now = time.monotonic()
    assert stream.check(now + SILENT_SOURCE_S - 0.5) and not stream.ended
    assert not stream.check(now + SILENT_SOURCE_S + 0.5) and stream.ended


def test_a_page_that_is_there_or_sound_that_comes_holds_it(stream, source):
    later = time.monotonic() + 60
    source.last_frame_at = later
    assert stream.check(later), "a page that is drawn slowly"
    source.last_frame_at, stream._seen_at = later - 60, later
    assert stream.check(later), "sound that may come again"
    assert not stream.ended


def test_a_connection_that_never_came_up_ends_without_its_page(stream, source):
    source.frames, source.last_frame_at = 0, None
    now = time.monotonic()
    assert stream.check(now + FIRST_FRAME_S - 1)
    assert not stream.check(now + FIRST_FRAME_S + 1) and stream.ended


def test_what_the_browser_has_ended_needs_nobody(stream, source):
    source.close()
    assert not stream.check(time.monotonic() + 60) and not stream.ended


def test_sound_that_stops_without_a_word_ends_the_recording_with_a_remedy(source):
    assert not enroll_sources._gone(source)
    source.last_frame_at -= SILENT_SOURCE_S + 0.1
    assert enroll_sources._gone(source)
    assert source.error == NO_MORE_FRAMES
    farewell = SimpleNamespace(closed=True, error="", last_frame_at=None)
    assert enroll_sources._gone(farewell) and farewell.error == ""


def test_a_second_start_is_waited_for_anew(stream, source):
    """The first connection came up; what is said of one that does not must not flash at the next START."""
    context = SimpleNamespace(state=SimpleNamespace(playing=False, signalling=True), _get_worker=lambda: None)
    stream.use(context)
    assert not stream.overdue(100.0)
    assert stream.overdue(100.0 + FIRST_FRAME_S + 1)
    context.state = SimpleNamespace(playing=False, signalling=False)  # STOP
    stream.use(context)
    context.state = SimpleNamespace(playing=False, signalling=True)  # START
    stream.use(context)
    assert not stream.overdue(200.0)
    stream.arrived()
    stream.feed(BrowserSource())
    assert not stream.overdue(300.0)
