"""Every kind of recording becomes the same 16 kHz mono blocks, whole or streamed."""

import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sounds import encode, likeness, voice, wav

from speakerid.audio.decode import decode, stream
from speakerid.audio.format import RATE
from speakerid.audio.normalize import normalize
from speakerid.audio.resample import Resampler
from speakerid.errors import AudioError

KINDS = [
    ("wav", "pcm_s16le", 48_000),
    ("wav", "pcm_u8", 8_000),
    ("wav", "pcm_f32le", 44_100),
    ("wav", "pcm_s24le", 22_050),
    ("flac", "flac", 44_100),
    ("mp3", "libmp3lame", 44_100),
    ("ogg", "libopus", 48_000),
    ("webm", "libopus", 48_000),
    ("ipod", "aac", 44_100),  # m4a
    ("mp4", "aac", 48_000),
    ("adts", "aac", 48_000),
    ("aiff", "pcm_s16be", 11_025),
]


@pytest.mark.parametrize(("kind", "codec", "rate"), KINDS)
def test_each_kind_sounds_as_it_was_recorded(kind: str, codec: str, rate: int, tmp_path: Path):
    sound = voice(3.0, rate)
    data = encode(np.stack([sound, sound]), kind, codec, rate)
    recording = decode(data, name="Ada")
    assert recording.warnings == ()
    assert recording.samples.dtype == np.float32
    assert recording.seconds == pytest.approx(3.0, abs=0.1)
    assert likeness(voice(3.0), recording.samples) > 0.93  # a codec may delay by half a sample
    assert np.sqrt(np.mean(recording.samples**2)) == pytest.approx(0.1, rel=0.1)
    path = tmp_path / "Ada"
    path.write_bytes(data)
    np.testing.assert_array_equal(decode(path).samples, recording.samples)
    np.testing.assert_array_equal(decode(str(path)).samples, recording.samples)


@pytest.mark.parametrize("block", [1, 320, 4097, 100_000])
@pytest.mark.parametrize(("kind", "codec", "rate"), [("wav", "pcm_s16le", 16_000), ("flac", "flac", 44_100)])
def test_a_stream_is_the_whole_in_blocks(kind: str, codec: str, rate: int, block: int):
    data = encode(voice(2.3, rate), kind, codec, rate)
    whole = decode(data).samples
    blocks = list(stream(data, block=block))
    assert {len(item) for item in blocks[:-1]} <= {block}
    np.testing.assert_array_equal(np.concatenate(blocks), whole)


def test_a_stream_can_be_heard_again():
    played = stream(wav(voice(1.0)))
    np.testing.assert_array_equal(np.concatenate(list(played)), np.concatenate(list(played)))
    assert played.seconds == 1.0


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("size", [1, 3, 37, 1024])
def test_resampling_in_pieces_is_resampling_the_whole(rate: int, size: int):
    sound = voice(2.6, rate)
    whole = resampled(sound, rate, len(sound))
    assert len(whole) == round(2.6 * RATE)
    np.testing.assert_array_equal(resampled(sound, rate, size), whole)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000])
def test_a_tone_keeps_pitch_level_and_place(rate: int):
    """Up to 3.5 kHz; what lies above half of 16 kHz is gone."""
    for hertz in (100, 1000, 3500):
        tone = np.sin(2 * np.pi * hertz * np.arange(2 * rate) / rate).astype(np.float32)
        expected = np.sin(2 * np.pi * hertz * np.arange(2 * RATE) / RATE)
        np.testing.assert_allclose(resampled(tone, rate, 441)[2000:-2000], expected[2000:-2000], atol=1e-3)
    if rate > 20_000:
        above = np.sin(2 * np.pi * 9000 * np.arange(2 * rate) / rate).astype(np.float32)
        assert np.abs(resampled(above, rate, 441)[2000:-2000]).max() < 1e-4


def test_a_rate_without_a_simple_ratio_is_resampled_in_reasonable_memory():
    """44101 to 16000 in lowest terms would be a filter of 700 million numbers."""
    result = resampled(voice(2.6, 44_101), 44_101, 5000)
    assert len(result) == pytest.approx(2.6 * RATE, abs=2)
    assert likeness(voice(2.6), result) > 0.99


def resampled(sound: np.ndarray, rate: int, size: int) -> np.ndarray:
    resampler = Resampler(rate)
    pieces = [resampler.push(sound[at : at + size]) for at in range(0, len(sound), size)]
    return np.concatenate([*pieces, resampler.flush()])


def test_channels_are_averaged():
    left, right = voice(1.0, pitch=100), voice(1.0, pitch=210)
    recording = decode(wav(np.stack([left, right])))
    np.testing.assert_allclose(recording.samples, normalize((left + right) / 2), atol=1e-4)


def test_a_rate_that_changes_on_the_way_is_followed():
    """The frames of a radio stream are simply joined; each says its own rate."""
    parts = [encode(voice(1.5, rate), "adts", "aac", rate) for rate in (16_000, 48_000)]
    recording = decode(parts[0] + parts[1])
    assert recording.seconds == pytest.approx(3.0, abs=0.2)
    assert likeness(voice(1.5), recording.samples[: round(1.6 * RATE)]) > 0.97
    assert likeness(voice(1.5), recording.samples[round(1.5 * RATE) :]) > 0.97


def test_the_network_and_other_files_are_out_of_reach(tmp_path: Path):
    (tmp_path / "secret.wav").write_bytes(wav(voice(1.0)))
    playlist = f"#EXTM3U\n#EXTINF:1,\n{tmp_path}/secret.wav\n#EXT-X-ENDLIST\n".encode()
    with pytest.raises(AudioError, match="is not a sound file"):
        decode(playlist, name="list.m3u8")
    with pytest.raises(AudioError, match="There is no file"):
        decode("http://127.0.0.1:1/sound.wav")


def test_an_hour_passes_in_constant_memory(tmp_path: Path):
    path = tmp_path / "long.wav"
    seconds = 3600
    size = seconds * RATE * 2
    header = b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt "
    header += struct.pack("<IHHIIHH", 16, 1, 1, RATE, 2 * RATE, 2, 16) + b"data" + struct.pack("<I", size)
    with path.open("wb") as file:
        file.write(header + (voice(2.0) * 32767).astype("<i2").tobytes())
        file.truncate(len(header) + size)  # the rest is a hole full of zeros, which takes no room
    script = (
        "import resource, sys\n"
        "from speakerid.audio.decode import stream\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        "count = 0\n"
        "for index, block in enumerate(stream(sys.argv[1], block=16000)):\n"
        "    count += len(block)\n"
        "    if index == 60: after_a_minute = peak()\n"
        "print(count // 16000, peak() - after_a_minute)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    streamed, grown = map(int, done.stdout.split())
    assert streamed == seconds
    assert grown < 20  # megabytes; an hour of samples is 230


def test_nothing_heavy_is_imported_before_it_is_needed():
    script = (
        "import sys\n"
        "from speakerid.audio import browser, decode, microphone, quality, replay, vad\n"
        "heavy = {'torch', 'torchaudio', 'streamlit', 'av', 'sounddevice', 'soxr'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
