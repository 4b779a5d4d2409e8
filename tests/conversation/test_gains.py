"""By how much live sound and recordings were raised is known when a turn of them is to make a voiceprint."""

import time

import numpy as np
import pytest
from support import voices

from speakerid.audio.decode import stream
from speakerid.audio.format import RATE
from speakerid.audio.replay import Replay
from speakerid.conversation.gains import Gains
from speakerid.conversation.kept_sound import KeepingRing, KeptSound
from speakerid.conversation.recorded_sound import RecordedSound
from speakerid.errors import EnrollmentRefused
from speakerid.gallery.enrollment import examine
from speakerid.gallery.voiceprint import unit


class OneVoice:
    """A model to which all is one voice."""

    id = "one-voice"

    def embed(self, blocks):
        return unit(1 + 0.01 * np.random.default_rng(0).standard_normal((len(blocks), 192)))


def test_the_mean_gain_of_a_stretch():
    gains = Gains()
    assert gains.between(0, 100) == 0
    for at, gain in ((0, 0.0), (100, 10.0), (110, 10.1), (200, 20.0)):
        gains.note(at, gain)
    assert gains.between(0, 100) == 0 and gains.between(100, 200) == 10
    assert gains.between(150, 250) == pytest.approx(15) and gains.between(300, 400) == 20
    gains.note(150, 3.0)  # another stream
    assert gains.between(150, 250) == 3 and gains.between(100, 150) == 10


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    """Speech that comes in at some -66 dB, as a file."""
    samples = 0.004 * np.concatenate(voices.enrollment("Alice"))[: 10 * RATE]
    return voices.write_wav(tmp_path_factory.mktemp("quiet") / "quiet.wav", samples)


def test_live_sound_that_came_in_too_quiet_is_refused_for_it(quiet):
    sound = KeptSound()
    sound.keep(True)
    ring = KeepingRing(sound)
    with Replay(quiet, ring=ring) as replay:
        while not replay.closed or len(ring):
            ring.pop()
            time.sleep(0.02)
    check(sound)


def test_a_recording_that_is_too_quiet_is_refused_for_it(quiet):
    sound = RecordedSound()
    recording = stream(quiet)
    for block in recording:
        sound.add(block, recording.gain_db)
    check(sound)
    sound.close()


def check(sound):
    heard, gain = sound.cut(2.5, 9.5), sound.gain_db(2.5, 9.5)
    assert heard is not None and gain > 10
    samples = heard.astype(np.float32) / 32768
    with pytest.raises(EnrollmentRefused, match="too quiet"):
        examine([samples], OneVoice(), ["a turn"], gains_db=[gain])
    assert examine([samples], OneVoice(), ["a turn"]).used == (0,), "it cannot be told by its sound"
