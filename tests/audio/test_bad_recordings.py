"""What is wrong with a recording is said in one sentence, with what to do; what can be used is used."""

import io
import re
import wave
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
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


RATE = 16_000
TALK = np.concatenate([voice(6.0), np.zeros(RATE, np.float32), voice(1.0, pitch=210)])
"""Whoever speaks last begins after 7 s."""


def film(codec: str) -> bytes:
    """An AVI that shows something, too, as a camera's."""
    out = io.BytesIO()
    with av.open(out, "w", format="avi") as container:
        picture = container.add_stream("mpeg4", rate=10, width=64, height=64, pix_fmt="yuv420p")
        sound = container.add_stream(codec, rate=RATE, layout="mono")
        size = sound.codec_context.frame_size or 1600
        random = np.random.default_rng(1)
        packets = []
        for number in range(80):
            frame = av.VideoFrame.from_ndarray(random.integers(0, 255, (64, 64, 3), np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            packets += picture.encode(frame)
        resampler = av.AudioResampler(sound.codec_context.format, "mono", RATE, size)
        frame = av.AudioFrame.from_ndarray(TALK[None], format="fltp", layout="mono")
        frame.sample_rate = RATE
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            packets += sound.encode(piece)
        packets += [*picture.encode(None), *sound.encode(None)]
        packets.sort(key=lambda packet: float((packet.dts or 0) * packet.time_base))
        container.mux([packet for packet in packets if packet.size])
    return out.getvalue()


def with_hole(data: bytes, what: str, share: int) -> bytes:
    at, size = len(data) // 4, len(data) // share
    return (
        data[:at]
        + (bytes(size) if what == "zeros" else np.random.default_rng(3).bytes(size))
        + data[at + size :]
    )


def begins(samples: np.ndarray, after: float) -> float:
    """When somebody is first heard after so many seconds."""
    return after + int(np.argmax(np.abs(samples[round(after * RATE) :]) > 0.05)) / RATE


@pytest.mark.parametrize("share", [5, 2000])
@pytest.mark.parametrize("what", ["zeros", "noise"])
@pytest.mark.parametrize("codec", ["pcm_s16le", "libmp3lame", "mp2", "adpcm_ima_wav"])
def test_an_avi_damaged_in_its_middle_keeps_the_time(codec: str, what: str, share: int):
    for whole in (encode(TALK, "avi", codec), film(codec)):
        right = decode(whole, name="Ada")
        assert right.warnings == ()
        heard = decode(with_hole(whole, what, share), name="Ada")
        assert heard.seconds == pytest.approx(right.seconds, abs=0.02)
        assert begins(heard.samples, 6.5) == pytest.approx(begins(right.samples, 6.5), abs=0.02)
        if share < 100:
            assert len(heard.warnings) == 1 and heard.warnings[0].startswith("Ada is damaged at 0:0")
            loud = np.abs(heard.samples[: round(6.5 * RATE)]).max()  # what is lost is no noise
            assert loud < 1.2 * np.abs(right.samples[: round(6.5 * RATE)]).max()


@pytest.mark.parametrize("codec", ["pcm_s16le", "libmp3lame"])
def test_an_avi_without_an_index_is_mended_by_what_is_usual_in_it(codec: str):
    for whole in (encode(TALK, "avi", codec), film(codec)):
        heard = decode(with_hole(whole[: whole.rindex(b"idx1")], "noise", 10), name="Ada")
        assert begins(heard.samples, 6.5) == pytest.approx(begins(decode(whole).samples, 6.5), abs=0.3)
        assert [sentence[:16] for sentence in heard.warnings] == ["Ada is damaged a", "Ada is cut off b"]


@pytest.mark.parametrize("share", [5, 50])
@pytest.mark.parametrize("what", ["zeros", "noise"])
@pytest.mark.parametrize("bits", [4750, 12_200])
def test_a_telephones_recording_damaged_in_its_middle_keeps_the_time(bits: int, what: str, share: int):
    sound = np.concatenate([voice(6.0, 8000), np.zeros(8000, np.float32), voice(1.0, 8000, pitch=210)])
    whole = amr(sound, bits)
    assert decode(whole, name="Ada").warnings == () and decode(whole + whole, name="Ada").warnings == ()
    heard = decode(with_hole(whole, what, share), name="Ada")
    assert heard.seconds == pytest.approx(8.0, abs=0.05)
    assert begins(heard.samples, 6.5) == pytest.approx(7.0, abs=0.05)
    assert len(heard.warnings) == 1 and heard.warnings[0].startswith("Ada is damaged at 0:0")


def amr(samples: np.ndarray, bits: int) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format="amr") as container:
        stream = container.add_stream("libopencore_amrnb", rate=8000, layout="mono")
        stream.bit_rate = bits
        scaled = (samples * 32767).astype(np.int16)
        for at in range(0, len(scaled) - 160, 160):
            frame = av.AudioFrame.from_ndarray(scaled[None, at : at + 160], format="s16", layout="mono")
            frame.sample_rate = 8000
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


@pytest.mark.parametrize("what", ["zeros", "noise"])
@pytest.mark.parametrize(("kind", "codec"), [("webm", "libopus"), ("wav", "libmp3lame")])
def test_packets_that_damage_tore_from_their_time_change_no_other(kind: str, codec: str, what: str):
    whole = encode(TALK, kind, codec)
    heard = decode(with_hole(whole, what, 5), name="Ada")
    right = decode(whole, name="Ada")
    assert heard.seconds == pytest.approx(right.seconds, abs=0.03)
    assert begins(heard.samples, 6.5) == pytest.approx(begins(right.samples, 6.5), abs=0.03)
    assert heard.warnings[0].startswith("Ada is damaged at 0:0")


JOINED = [
    ("tta", "tta"), ("mov", "pcm_s16le"), ("ipod", "aac"), ("flv", "aac"), ("wv", "wavpack"), ("caf", "alac"),
    ("wav", "adpcm_ima_wav"), ("wav", "libmp3lame"), ("voc", "pcm_s16le"), ("aiff", "adpcm_ima_qt"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "codec"), JOINED)
def test_joined_files_of_coded_sound_are_heard_to_the_end(kind: str, codec: str):
    first, second = encode(voice(2.0), kind, codec), encode(voice(3.0, pitch=210), kind, codec)
    heard = decode(first + second, name="Ada")
    assert heard.warnings == ()
    parts = [decode(part).samples for part in (first, second)]
    assert heard.seconds == pytest.approx(sum(map(len, parts)) / RATE, abs=0.02)
    assert likeness(parts[1], heard.samples[len(parts[0]) - 2000 :], 4000) > 0.95
    cut = decode(first + second[: len(second) * 6 // 10], name="Ada")
    assert cut.seconds < 4.5
    assert len(cut.warnings) == 1 or kind in ("voc", "wv")  # whose blocks tell nothing of what comes
