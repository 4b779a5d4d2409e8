"""The browser's microphone over a real WebRTC connection in the process: nothing lost, nothing raised."""

import asyncio
import fractions
import time

import aiortc
import av
import numpy as np
import pytest
from sounds import RATE, likeness, voice

from speakerid.audio.browser import BrowserSource
from speakerid.audio.normalize import normalize
from speakerid.audio.ring import Ring

WIRE = 48_000  # what WebRTC carries
HELD = round(0.04 * RATE)  # samples that the resampler holds back


class Speaking(aiortc.MediaStreamTrack):
    """Sends a sound in 20 ms frames, in real time, as a browser does."""

    kind = "audio"

    def __init__(self, samples: np.ndarray):
        super().__init__()
        self._samples = samples
        self._sent = 0
        self._begin = 0.0

    async def recv(self) -> av.AudioFrame:
        self._begin = self._begin or time.monotonic()
        await asyncio.sleep(max(0.0, self._begin + self._sent / WIRE - time.monotonic()))
        piece = self._samples[self._sent : self._sent + 960]
        frame = stereo(np.pad(piece, (0, 960 - len(piece))))
        frame.pts, frame.time_base = self._sent, fractions.Fraction(1, WIRE)
        self._sent += 960
        return frame


def stereo(samples: np.ndarray, rate: int = WIRE) -> av.AudioFrame:
    """What streamlit-webrtc hands over: packed s16, both channels alike."""
    packed = np.repeat((samples * 32767).astype(np.int16), 2)[None]
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(packed), format="s16", layout="stereo")
    frame.sample_rate = rate
    return frame


async def call(source: BrowserSource, sound: np.ndarray, seconds: float) -> tuple[int, list[float]]:
    """Talk for so long over a loopback peer connection; -> frames that arrived, seconds that each took."""
    browser, server = aiortc.RTCPeerConnection(), aiortc.RTCPeerConnection()
    arrived, took = 0, []
    done = asyncio.Event()

    async def listen(track: aiortc.MediaStreamTrack) -> None:
        nonlocal arrived
        while arrived < seconds * 50:
            frame = await track.recv()
            arrived += 1
            begin = time.perf_counter()
            assert await source.on_frames([frame]) == [frame]
            took.append(time.perf_counter() - begin)
        done.set()

    listening: list[asyncio.Task] = []
    server.on("track", lambda track: listening.append(asyncio.ensure_future(listen(track))))
    browser.addTrack(Speaking(sound))
    try:
        await browser.setLocalDescription(await browser.createOffer())
        await server.setRemoteDescription(browser.localDescription)
        await server.setLocalDescription(await server.createAnswer())
        await browser.setRemoteDescription(server.localDescription)
        await asyncio.wait_for(done.wait(), 60)
        return arrived, took
    finally:
        await browser.close()
        await server.close()


def test_every_frame_of_a_real_connection_arrives(record_property):
    source = BrowserSource()
    sound = voice(8.0, WIRE)
    arrived, took = asyncio.run(call(source, sound, seconds=6.0))
    record_property("median_ms", 1000 * float(np.median(took)))
    print(f"{1000 * np.median(took):.3f} ms a frame (median), {1000 * np.percentile(took, 99):.3f} ms (p99)")
    assert source.error == ""
    assert source.frames == arrived == 300
    assert source.last_frame_at == pytest.approx(time.monotonic(), abs=10)
    heard = source.ring.pop()
    assert source.ring.dropped == 0
    assert 0 < 300 * 320 - len(heard) <= HELD
    # Opus and the jitter buffer stand between; the buzz must be recognizable and as loud as it was.
    assert likeness(heard[RATE : 5 * RATE], voice(8.0)[: 7 * RATE], most_shift=RATE) > 0.6
    assert heard[RATE:].std() == pytest.approx(0.1, rel=0.3)


def take(source: BrowserSource, *frames: av.AudioFrame) -> np.ndarray:
    assert asyncio.run(source.on_frames(list(frames))) == list(frames)
    return source.ring.pop()


def pieces(sound: np.ndarray, rate: int = WIRE) -> list[av.AudioFrame]:
    size = rate // 50
    return [stereo(sound[at : at + size], rate) for at in range(0, len(sound), size)]


def test_a_batch_is_as_good_as_one_by_one():
    sound = voice(2.0, WIRE)
    one_by_one, batch = BrowserSource(), BrowserSource()
    alone = np.concatenate([take(one_by_one, frame) for frame in pieces(sound)])
    together = take(batch, *pieces(sound))
    np.testing.assert_array_equal(alone, together)
    assert batch.frames == 100
    assert likeness(normalize(voice(2.0)), together) > 0.99
    assert together.std() == pytest.approx(0.1, rel=0.1)  # stereo of twice the same adds no level


def test_a_headset_that_changes_the_format_on_the_way():
    source = BrowserSource()
    first, second = voice(1.0, WIRE), voice(1.0, 16_000)
    heard = take(source, *pieces(first), *pieces(second, 16_000), *pieces(first))
    assert source.error == ""
    assert 0 < 3 * RATE - len(heard) <= HELD


def test_what_the_ring_had_to_drop_is_counted():
    source = BrowserSource(Ring(seconds=0.5))
    take(source)
    asyncio.run(source.on_frames(pieces(voice(2.0, WIRE))))
    assert len(source.ring) == RATE // 2
    assert 0 < 2 * RATE - RATE // 2 - source.ring.dropped <= HELD
    assert len(source.ring.pop()) == RATE // 2


def test_a_bad_frame_is_said_and_the_next_ones_are_heard():
    source = BrowserSource()
    picture = av.VideoFrame(16, 16, "rgb24")
    assert asyncio.run(source.on_frames([picture])) == [picture]  # it must not raise: that would end the call
    assert "reload the page" in source.error
    assert len(take(source, *pieces(voice(1.0, WIRE)))) > 0.9 * RATE


def test_closing_only_sets_a_flag():
    source = BrowserSource()
    assert (source.closed, source.frames, source.last_frame_at) == (False, 0, None)
    source.close()
    source.close()
    assert source.closed
