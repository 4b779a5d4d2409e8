"""What is wrong with a recording is said in one sentence, with what to do; what can be used is used."""

import io
import re
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sounds import encode, likeness, video_only, voice, wav

from speakerid.audio import decode as decoding
from speakerid.audio.decode import decode, stream
from speakerid.errors import AudioError

SOUND = voice(5.0, 48_000)


def wav_of_nothing() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
    return out.getvalue()


def with_one(value: float) -> np.ndarray:
    sound = voice(1.0)
    sound[8000] = value
    return sound


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "text": (lambda: b"Dear Ada, hello and goodbye. " * 50, "is not a sound file: choose wav, flac, mp3"),
    "noise": (lambda: np.random.default_rng(0).bytes(30_000), "is not a sound file"),
    "picture": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(2000), "is not a sound file"),
    "no sound track": (video_only, "has no sound track: choose a recording"),
    "no bytes": (lambda: b"", r"is empty \(0 bytes\): record or copy it again"),
    "no samples": (wav_of_nothing, "holds no sound: record or copy it again"),
    "only a beginning": (
        lambda: wav(SOUND)[:20],
        "is damaged or cut off, and nothing of it can be read: copy",
    ),
    "m4a without its index": (
        lambda: encode(SOUND, "ipod", "aac", 48_000)[:-3000],
        "is damaged or cut off, and nothing of it can be read",
    ),
    "too short": (lambda: wav(voice(0.3)), r"is too short \(0.3 s\): a voice needs at least 0.4 s"),
    "digital silence": (
        lambda: wav(np.zeros(32_000, np.float32)),
        "is silent: check that the microphone is on",
    ),
    "hum of a muted microphone": (
        lambda: wav(np.random.default_rng(0).standard_normal(32_000).astype(np.float32) * 1e-4),
        "is silent",
    ),
    "only an offset": (lambda: wav(np.full(32_000, 0.4, np.float32)), "is silent"),
    "not a number": (lambda: wav(with_one(np.nan), codec="pcm_f32le"), "holds values that are not numbers"),
    "infinite": (lambda: wav(with_one(np.inf), codec="pcm_f32le"), "holds values that are not numbers"),
    "too few samples a second": (lambda: wav(voice(2.0, 2000), 2000), "a sample rate of 2000 Hz, too low"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_a_reason_and_a_remedy(case: str, tmp_path: Path):
    make, message = REFUSED[case]
    data = make()
    path = tmp_path / "Ada.wav"
    path.write_bytes(data)
    for source in (path, data):
        for read in (lambda s: decode(s, name="Ada.wav"), lambda s: list(stream(s, name="Ada.wav"))):
            with pytest.raises(AudioError, match=message) as refused:
                read(source)
            said = str(refused.value)
            assert said.startswith("Ada.wav ") and said.endswith(".") and "\n" not in said


def test_longer_than_ten_minutes_is_not_for_enrollment_but_streams():
    data = wav(np.tile(voice(1.0), 601))
    with pytest.raises(AudioError, match=r"is longer than 10 minutes: cut out a part of it"):
        decode(data)
    assert sum(map(len, stream(data))) == 601 * 16_000
    with pytest.raises(AudioError, match="longer than 10 s"):
        list(stream(data, max_seconds=10))


def test_as_long_as_allowed_is_not_too_long():
    assert decode(wav(voice(2.0)), max_seconds=2.0).seconds == 2.0


def test_a_file_that_is_too_large_is_not_even_opened(tmp_path: Path):
    path = tmp_path / "huge.wav"
    with path.open("wb") as file:
        file.truncate(decoding.MAX_BYTES + 1)  # takes no room on the disk
    with pytest.raises(AudioError, match=r"huge\.wav is larger than 1 GB: cut out the part"):
        decode(path)


def test_missing_files_folders_and_locked_files(tmp_path: Path):
    with pytest.raises(AudioError, match=r"There is no file .*nobody.wav: check the name"):
        decode(tmp_path / "nobody.wav")
    with pytest.raises(AudioError, match="is a folder: name the recordings in it"):
        decode(tmp_path)
    with pytest.raises(AudioError, match="cannot be opened"):
        decode("x" * 300)


CUT = {
    "wav": ("wav", "pcm_s16le", {}),
    "flac": ("flac", "flac", {}),
    "mp3": ("mp3", "libmp3lame", {}),
    "ogg": ("ogg", "libopus", {}),
    "webm": ("webm", "libopus", {}),
    "webm from a browser": ("webm", "libopus", {"live": "1"}),
    "m4a for the web": ("mp4", "aac", {"movflags": "frag_keyframe+empty_moov"}),
}


@pytest.mark.parametrize("case", CUT)
def test_cut_off_in_the_middle_is_used_as_far_as_it_goes(case: str):
    kind, codec, options = CUT[case]
    whole = encode(SOUND, kind, codec, 48_000, **options)
    assert decode(whole, name="Ada").warnings == ()
    cut = decode(whole[: len(whole) * 6 // 10], name="Ada")
    assert 1.0 < cut.seconds < 4.0
    assert len(cut.warnings) == 1
    assert cut.warnings[0].startswith("Ada is cut off before its end")
    assert "copy or export it again" in cut.warnings[0]
    assert likeness(voice(5.0)[: len(cut.samples)], cut.samples) > 0.97
    heard = stream(whole[: len(whole) * 6 // 10], name="Ada")
    assert sum(map(len, heard)) == len(cut.samples)
    assert heard.warnings == cut.warnings


@pytest.mark.parametrize(("kind", "codec"), [("flac", "flac"), ("mp3", "libmp3lame"), ("ipod", "aac")])
def test_damage_in_the_middle_costs_only_what_it_hit(kind: str, codec: str):
    data = bytearray(encode(SOUND, kind, codec, 48_000))
    middle = len(data) // 2
    data[middle : middle + 3000] = bytes(3000)
    recording = decode(bytes(data), name="Ada")
    assert recording.seconds == pytest.approx(5.0, abs=0.1)  # what is lost is silent, the rest keeps its time
    (warning,) = recording.warnings
    assert re.fullmatch(
        r"Ada is damaged at 0:02: 0\.\d s of it could not be read and are silent; the rest is used\.",
        warning,
    )
