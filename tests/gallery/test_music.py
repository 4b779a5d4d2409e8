"""Music instead of speech, or in its pauses, gets into no voiceprint; the answer says what to do."""

import numpy as np
import pytest
from support import voices

from speakerid.audio.format import RATE
from speakerid.errors import EnrollmentRefused
from speakerid.gallery.enrollment import examine
from speakerid.gallery.voiceprint import unit

SECONDS = 15


class OneVoice:
    """A model to which all is one voice: what is refused here is refused for its sound."""

    id = "one-voice"

    def embed(self, blocks):
        return unit(1 + 0.01 * np.random.default_rng(0).standard_normal((len(blocks), 192)))


def note(hertz: float, seconds: float) -> np.ndarray:
    """A plucked string."""
    t = np.arange(round(seconds * RATE)) / RATE
    harmonics = sum(np.sin(2 * np.pi * hertz * k * t) / k for k in range(1, 9))
    return harmonics * np.minimum(t / 0.01, 1) * np.exp(-t / 0.6)


def chords() -> np.ndarray:
    """A chord a second."""
    progression = [(220, 277, 330), (247, 311, 370), (196, 247, 294), (262, 330, 392)] * SECONDS
    return np.concatenate([sum(note(hertz, 1.0) for hertz in chord) for chord in progression[:SECONDS]])


def melody() -> np.ndarray:
    """Sung without words: harmonics with vibrato under two formants."""
    out = []
    for hertz in [220, 247, 262, 294, 330, 294, 262, 247] * SECONDS:
        t = np.arange(RATE // 2) / RATE
        phase = 2 * np.pi * np.cumsum(hertz * (1 + 0.01 * np.sin(2 * np.pi * 5.5 * t))) / RATE
        weights = [
            np.exp(-(((k * hertz - 700) / 400) ** 2)) + 0.5 * np.exp(-(((k * hertz - 1200) / 400) ** 2))
            for k in range(1, 20)
        ]
        tone = sum(weight * np.sin(k * phase) for k, weight in enumerate(weights, 1))
        out.append(tone * np.minimum(1, np.minimum(t / 0.03, (0.5 - t) / 0.05)))
    return np.concatenate(out)[: SECONDS * RATE]


def drums() -> np.ndarray:
    """Four beats a second: bass drum, hat, snare, hat."""
    rng = np.random.default_rng(0)
    loop = np.zeros(SECONDS * RATE)
    for beat in range(4 * SECONDS):
        t = np.arange(round(0.2 * RATE)) / RATE
        kinds = (
            np.sin(2 * np.pi * (50 + 80 * np.exp(-t * 30)) * t) * np.exp(-t * 15),
            0.3 * np.diff(rng.standard_normal(len(t) + 1)) * np.exp(-t * 60),
            0.7 * rng.standard_normal(len(t)) * np.exp(-t * 20),
        )
        at = beat * RATE // 4
        loop[at : at + len(t)] += kinds[(0, 1, 2, 1)[beat % 4]]
    return loop


MUSIC = {"chords": chords, "melody": melody, "drums": drums, "both": lambda: chords() + 2 * drums()}


def at(decibels: float, samples: np.ndarray) -> np.ndarray:
    return (samples / np.sqrt(np.mean(samples**2)) * 10 ** (decibels / 20)).astype(np.float32)


def refused(samples: np.ndarray) -> str:
    with pytest.raises(EnrollmentRefused) as refusal:
        examine([samples], OneVoice(), ["song.mp3"])
    (reason,) = refusal.value.reasons
    return reason


@pytest.mark.parametrize("kind", MUSIC)
def test_music_alone_is_no_speech(kind):
    reason = refused(np.clip(at(-20, MUSIC[kind]()), -1, 1))
    assert reason.startswith('No speech is heard in "song.mp3", only music') and "choose another" in reason


def speech() -> np.ndarray:
    return np.concatenate(voices.enrollment("Alice"))[: SECONDS * RATE]


def with_music(kind: str, decibels: float) -> np.ndarray:
    """Speech that is so many dB louder than the music."""
    voice = speech()
    level = 20 * np.log10(np.sqrt(np.mean(voice**2)))
    return np.clip(voice + at(level - decibels, MUSIC[kind]()[: len(voice)]), -1, 1)


@pytest.mark.parametrize("kind", MUSIC)
def test_speech_over_music_of_the_same_level_is_refused(kind):
    reason = refused(with_music(kind, 0))
    assert "quieter place" in reason
    in_pauses = reason.startswith("Music or something else is heard in the pauses")
    assert in_pauses == (kind == "drums"), "what sounds on and on is noise already"


@pytest.mark.parametrize("kind", MUSIC)
def test_soft_music_far_away_refuses_nobody(kind):
    assert examine([with_music(kind, 20)], OneVoice(), ["song.mp3"]).speech_seconds > 10


def test_speech_without_pauses_is_not_judged_by_them():
    voice = speech()
    heard = examine([voice[2 * RATE : 10 * RATE]], OneVoice(), ["a.wav"])
    assert heard.used == (0,)
