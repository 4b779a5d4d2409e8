"""One recording is known again as a copy, in another format and louder; another take of a voice is not."""

import numpy as np
import pytest
from sounds import RATE, encode
from support.voices import turn

from speakerid.audio.decode import decode
from speakerid.audio.sameness import same_recording

SPOKEN = turn("Edgar", 0)


@pytest.mark.parametrize(("kind", "codec"), [("mp3", "libmp3lame"), ("ogg", "libopus"), ("flac", "flac")])
def test_the_same_in_another_format(kind: str, codec: str):
    wide = np.repeat(SPOKEN, 3)
    assert same_recording(SPOKEN, decode(encode(wide, kind, codec, 48_000)).samples)


def test_a_copy_and_a_louder_copy():
    assert same_recording(SPOKEN, SPOKEN.copy())
    assert same_recording(SPOKEN, SPOKEN * np.float32(0.3))


def test_a_trimmed_copy_and_one_with_silence_around():
    silence = np.zeros(round(0.4 * RATE), np.float32)
    for copy in (SPOKEN[3000:], SPOKEN[:-4000], np.concatenate([silence, SPOKEN, silence[:1000]])):
        assert same_recording(SPOKEN, copy * np.float32(0.5)) and same_recording(copy, SPOKEN)


def test_other_words_and_other_voices_of_the_same_length():
    others = [turn("Edgar", 1), turn("Felix", 0), turn("Felix", 1)]
    for other in others:
        size = min(len(other), len(SPOKEN))
        assert not same_recording(SPOKEN[:size], other[:size])
        assert not same_recording(SPOKEN, other[: round(1.2 * len(SPOKEN))])
    assert not same_recording(SPOKEN, SPOKEN[: len(SPOKEN) // 2])
    assert not same_recording(np.zeros(RATE, np.float32), SPOKEN[:RATE])
