"""The kept sound of a live session: off by default, bounded, exact in time, and gone when it should be."""

import io
import wave

import numpy as np

from speakerid.audio.format import RATE
from speakerid.conversation.kept_sound import KeepingRing, KeptSound, wav


def ramp(seconds: float, start: float = 0.0) -> np.ndarray:
    """A sound that tells its own time: sample n is n / 2^19."""
    first = round(start * RATE)
    return (np.arange(first, first + round(seconds * RATE)) / 2**19).astype(np.float32)


def fill(sound: KeptSound, seconds: float, start: float = 0.0) -> None:
    for block in np.split(ramp(seconds, start), np.arange(320, round(seconds * RATE), 320)):
        sound.add(block)


def test_nothing_is_kept_until_somebody_asks():
    sound = KeptSound()
    fill(sound, 2.0)
    assert not sound.on and sound.ranges() == [] and sound.cut(0.5, 1.5) is None


def test_a_stretch_comes_back_exactly():
    sound = KeptSound()
    sound.keep(True)
    fill(sound, 3.0)
    cut = sound.cut(1.25, 2.5)
    assert cut is not None and cut.dtype == np.int16
    assert np.array_equal(cut, (ramp(1.25, 1.25) * 32767).astype(np.int16))


def test_only_the_latest_seconds_stay():
    sound = KeptSound(seconds=5)
    sound.keep(True)
    fill(sound, 12.0)
    [(start, end)] = sound.ranges()
    assert end == 12.0 and 6.9 <= start <= 8.1
    assert sound.cut(2.0, 4.0) is None
    assert sound.cut(6.0, 9.0) is None, "half of it is gone"
    assert sound.cut(9.0, 11.0) is not None


def test_what_was_said_before_it_was_switched_on_cannot_be_heard():
    sound = KeptSound()
    fill(sound, 2.0)
    sound.keep(True)
    fill(sound, 2.0, start=2.0)
    assert sound.ranges() == [(2.0, 4.0)]
    assert sound.cut(1.0, 3.0) is None
    assert sound.cut(2.5, 3.5) is not None


def test_switching_off_and_starting_again_free_everything():
    sound = KeptSound()
    for free in (lambda: sound.keep(False), sound.forget):
        sound.keep(True)
        fill(sound, 2.0)
        assert sound.ranges()
        free()
        assert sound.ranges() == []
        assert not sound._pieces and not sound._held


def test_the_next_stream_goes_on_at_its_own_second():
    sound = KeptSound()
    sound.keep(True)
    fill(sound, 2.0)
    sound.begin(10.0)
    fill(sound, 1.0)
    assert sound.ranges() == [(0.0, 2.0), (10.0, 11.0)]
    assert sound.cut(10.2, 10.8) is not None
    assert sound.cut(1.0, 10.5) is None, "nothing was heard in between"


def test_a_ring_keeps_what_is_taken_out_of_it_and_gives_it_on_unchanged():
    sound = KeptSound()
    sound.keep(True)
    ring = KeepingRing(sound)
    ring.push(ramp(0.5))
    assert sound.ranges() == []
    assert np.array_equal(ring.pop(), ramp(0.5))
    assert sound.ranges() == [(0.0, 0.5)]


def test_a_browser_gets_a_wav_file():
    with wave.open(io.BytesIO(wav(np.arange(-100, 100, dtype=np.int16)))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (RATE, 1, 200)
        assert np.frombuffer(file.readframes(200), "<i2")[0] == -100
