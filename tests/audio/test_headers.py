"""What headers say wrongly of plain samples, in every kind of file that has them, and damage that is told."""

import io
import struct
from fractions import Fraction

import av
import numpy as np
import pytest
from sounds import RATE, encode, likeness, voice

from speakerid.audio.decode import decode, stream
from speakerid.errors import AudioError

SPOKEN = voice(3.0)
BODY = (SPOKEN * 32767).astype(">i2").tobytes()
SECOND = 2 * RATE  # bytes


def aiff(size: int | None = None, frames: int | None = None) -> bytes:
    """size: bytes of samples that the header tells, in place of the right one."""
    rate = struct.pack(">HQ", 16383 + 13, RATE << (63 - 13))
    told = len(BODY) if size is None else size
    common = struct.pack(">hIh", 1, len(BODY) // 2 if frames is None else frames, 16) + rate
    form = (4 + 8 + len(common) + 16 + told) & 0xFFFFFFFF if size != 0 else 0
    head = struct.pack(">4sI4s4sI", b"FORM", form, b"AIFF", b"COMM", len(common)) + common
    return head + struct.pack(">4sIII", b"SSND", (told + 8) & 0xFFFFFFFF, 0, 0) + BODY


def au(size: int | None = None) -> bytes:
    told = len(BODY) if size is None else size
    return struct.pack(">4s5I", b".snd", 24, told & 0xFFFFFFFF, 3, RATE, 1) + BODY


def caf(size: int | None = None) -> bytes:
    told = len(BODY) if size is None else size
    description = struct.pack(">d4s5I", RATE, b"lpcm", 0, 2, 1, 1, 16)
    head = b"caff\0\1\0\0" + struct.pack(">4sq", b"desc", len(description)) + description
    return head + struct.pack(">4sqI", b"data", told + 4, 0) + BODY


def wave64(size: int | None = None) -> bytes:
    told = len(BODY) if size is None else size
    tail = bytes.fromhex("f3acd3118cd100c04f8edb8a")
    riff = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000")
    form = struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16)
    sizes = [(value + 24) & 0xFFFFFFFFFFFFFFFF for value in (len(form) + told + 88, len(form), told)]
    head = riff + struct.pack("<Q", sizes[0]) + b"wave" + tail + b"fmt " + tail + struct.pack("<Q", sizes[1])
    little = np.frombuffer(BODY, ">i2").astype("<i2").tobytes()
    return head + form + b"data" + tail + struct.pack("<Q", sizes[2]) + little


def riff(size: int | None = None) -> bytes:
    told = len(BODY) if size is None else size
    form = struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16)
    head = b"RIFF" + struct.pack("<I", 0xFFFFFFFF) + b"WAVEfmt " + struct.pack("<I", len(form)) + form
    little = np.frombuffer(BODY, ">i2").astype("<i2").tobytes()
    return head + b"data" + struct.pack("<I", told & 0xFFFFFFFF) + little


KINDS = [riff, wave64, aiff, au, caf]
SIZES = [0, -1, 0x7FFFF000, 0x7FFFFFFF, 1_000_000_000, 0x3FFFFFFF]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_placeholder_for_the_length_is_none_in_any_kind(kind, size: int):
    heard = decode(kind(size), name="Ada")
    assert (heard.seconds, heard.warnings) == (3.0, ())
    assert likeness(SPOKEN, heard.samples, 100) > 0.97


@pytest.mark.parametrize("kind", KINDS)
def test_any_kind_may_be_joined_and_cut_off(kind):
    assert decode(kind(), name="Ada").warnings == ()
    joined = decode(kind() + kind(), name="Ada")
    assert (joined.seconds, joined.warnings) == (6.0, ())
    assert likeness(SPOKEN, joined.samples[3 * RATE :], 100) > 0.97
    cut = decode(kind()[:-SECOND], name="Ada")
    assert "cut off before its end: the 2.0 s of 3.0 s" in cut.warnings[0]


def test_chunks_may_stand_between_joined_files():
    tag = b"LIST" + struct.pack("<I", 100) + b"INFO" + bytes(96)
    joined = decode(riff() + tag + riff(), name="Ada")
    assert (joined.seconds, joined.warnings) == (6.0, ())


@pytest.mark.parametrize("frames", [0, 0xFFFFFFFF])
def test_aiff_of_which_nobody_counted_the_samples(frames: int):
    assert decode(aiff(frames=frames)).seconds == 3.0


def test_a_length_that_the_file_does_not_have_does_not_refuse_it():
    """By the header it is a quarter of an hour, too long to enroll; it holds three seconds."""
    heard = decode(riff(15 * 60 * SECOND), name="Ada")
    assert heard.seconds == 3.0 and "the 3.0 s of 900.0 s" in heard.warnings[0]


@pytest.mark.parametrize("at", [8, 20, 40, 52, 60])
def test_numbers_out_of_their_minds_are_refused_in_words(at: int, capfd: pytest.CaptureFixture[str]):
    broken = bytearray(caf())
    broken[at : at + 8] = b"\x80" + bytes(7)
    try:
        decode(bytes(broken), name="Ada")
    except AudioError as error:
        assert str(error).startswith("Ada ")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("kind", "codec"), [("webm", "libopus"), ("ogg", "libopus"), ("matroska", "aac")])
def test_damage_that_is_skipped_is_told(kind: str, codec: str):
    data = bytearray(encode(voice(12.0, 48_000), kind, codec, 48_000))
    middle = len(data) // 2
    data[middle : middle + len(data) // 30] = bytes(len(data) // 30)
    heard = decode(bytes(data), name="Ada")
    assert heard.seconds == pytest.approx(12.0, abs=0.1)
    assert len(heard.warnings) == 1 and heard.warnings[0].startswith("Ada is damaged at 0:0")


@pytest.mark.parametrize(("kind", "codec"), [("mp3", "libmp3lame"), ("ogg", "libopus"), ("flac", "flac")])
def test_files_joined_in_other_kinds_are_not_damaged(kind: str, codec: str):
    data = encode(voice(3.0, 48_000), kind, codec, 48_000)
    heard = decode(data + data, name="Ada")
    assert heard.seconds == pytest.approx(6.0, abs=0.2) and heard.warnings == ()


def test_sound_that_is_shorter_than_its_video_is_not_cut_off():
    out = io.BytesIO()
    with av.open(out, "w", format="matroska") as container:
        picture = container.add_stream("mpeg4", rate=5, width=64, height=64, pix_fmt="yuv420p")
        sound = container.add_stream("flac", rate=RATE, layout="mono")
        for _ in range(40):  # 8 s
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            container.mux(picture.encode(frame))
        for at in range(0, len(SPOKEN), 1600):
            piece = (SPOKEN[None, at : at + 1600] * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(piece, format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE, at, Fraction(1, RATE)
            container.mux(sound.encode(frame))
        container.mux([*picture.encode(None), *sound.encode(None)])
    heard = stream(out.getvalue(), name="Ada")
    assert sum(map(len, heard)) == 3 * RATE and heard.warnings == ()


def test_shorten_within_sphere_is_heard():
    """As the corpora of the Linguistic Data Consortium come: residuals of differences, coded after Rice."""
    bits: list[int] = []

    def natural(value: int, low: int) -> None:
        bits.extend([0] * (value >> low) + [1] + [value >> place & 1 for place in range(low - 1, -1, -1)])

    for number in (5, 1, 256, 0, 0, 0):  # 16 bits little endian, one channel, 256 a block
        natural(number.bit_length(), 2)
        natural(number, number.bit_length())
    samples = (SPOKEN[: 187 * 256] * 32767).astype(int)
    for block in np.diff(samples, prepend=0).reshape(-1, 256):
        low = max(0, int(np.log2(np.abs(block).mean() + 1)))
        natural(1, 2)  # first differences
        natural(low, 3)
        for value in block:
            natural(int(value) << 1 if value >= 0 else ~int(value) << 1 | 1, low + 1)
    natural(4, 2)  # the end
    packed = np.packbits(np.array(bits + [0] * (-len(bits) % 32), np.uint8)).tobytes()
    fields = (
        f"channel_count -i 1\nsample_rate -i {RATE}\nsample_n_bytes -i 2\nsample_count -i {len(samples)}\n"
        "sample_byte_format -s2 01\nsample_coding -s26 pcm,embedded-shorten-v2.00\nend_head\n"
    )
    data = ("NIST_1A\n   1024\n" + fields).encode().ljust(1024) + b"ajkg\x02" + packed
    heard = decode(data, name="Ada")
    assert heard.seconds == pytest.approx(len(samples) / RATE, abs=0.01)
    assert likeness(SPOKEN[: len(samples)], heard.samples, 100) > 0.97


def test_a_codec_that_has_no_name_is_told_by_its_number():
    data = bytearray(riff())
    data[20:22] = b"\x34\x12"
    with pytest.raises(AudioError, match="Ada holds sound in the codec 0x1234 that cannot be decoded"):
        decode(bytes(data), name="Ada")
