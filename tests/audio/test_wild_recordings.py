"""Recordings as they are in the wild: gaps, late starts, tracks, odd channels, headers that are wrong."""

import io
import os
import re
import struct
import subprocess
import sys
import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from sounds import RATE, encode, likeness, voice, wav
from support.voices import turn

from speakerid.audio.decode import decode, stream
from speakerid.audio.kinds import MAX_SECONDS
from speakerid.errors import AudioError

SPOKEN = voice(3.0)
TURN = turn("Edgar", 0)


def packets(
    samples: np.ndarray, codec: str, kind: str, start: float = 0.0, without: tuple[float, float] = (0, 0)
):
    """A file whose packets from `without[0]` to `without[1]` (s) were lost, and whose sound starts late."""
    out = io.BytesIO()
    with av.open(out, "w", format=kind) as container:
        if start:
            picture = container.add_stream("mpeg4", rate=5, width=64, height=64, pix_fmt="yuv420p")
        track = container.add_stream(codec, rate=RATE, layout="mono")
        if start:
            for _ in range(round(5 * (start + len(samples) / RATE))):
                frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
                container.mux(picture.encode(frame))
            container.mux(picture.encode(None))
        size = track.codec_context.frame_size or 320
        sound = []
        for at in range(0, len(samples) - size, size):
            frame = av.AudioFrame.from_ndarray(samples[None, at : at + size], format="fltp", layout="mono")
            frame = av.AudioResampler(track.codec_context.format, "mono", RATE).resample(frame_at(frame, at))[
                0
            ]
            sound += track.encode(frame)
        for packet in [*sound, *track.encode(None)]:
            at = float(packet.pts * packet.time_base)
            if without[0] <= at < without[1]:
                continue
            shift = round(start / packet.time_base)
            packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
            container.mux(packet)
    return out.getvalue()


def frame_at(frame: av.AudioFrame, at: int) -> av.AudioFrame:
    frame.sample_rate, frame.pts, frame.time_base = RATE, at, Fraction(1, RATE)
    return frame


@pytest.mark.parametrize(("kind", "codec"), [("webm", "libopus"), ("matroska", "aac"), ("mpegts", "aac")])
def test_time_without_packets_is_silence(kind: str, codec: str):
    sound = np.concatenate([SPOKEN, np.zeros(4 * RATE, np.float32), SPOKEN])
    heard = decode(packets(sound, codec, kind, without=(3.1, 6.8)), name="Ada")
    assert heard.warnings == ()
    assert heard.seconds == pytest.approx(10.0, abs=0.25)
    assert np.abs(heard.samples[round(3.4 * RATE) : round(6.6 * RATE)]).max() < 0.01
    assert likeness(SPOKEN, heard.samples[round(6.95 * RATE) :]) > 0.9


@pytest.mark.parametrize(("kind", "codec"), [("mp4", "aac"), ("matroska", "libopus")])
def test_sound_that_starts_late_stays_late(kind: str, codec: str):
    heard = decode(packets(SPOKEN, codec, kind, start=5.0), name="Ada")
    assert heard.warnings == ()
    first = int(np.argmax(np.abs(heard.samples) > 0.05)) / RATE
    assert first == pytest.approx(5.0, abs=0.15)


@pytest.mark.parametrize(("kind", "codec"), [("mp3", "libmp3lame"), ("flac", "flac"), ("ipod", "aac")])
def test_what_comes_after_damage_keeps_its_time(kind: str, codec: str):
    sound = np.concatenate([voice(6.0), np.zeros(RATE, np.float32), voice(1.0, pitch=210)])
    data = bytearray(encode(sound, kind, codec, RATE))
    at = len(data) // 4
    hole = len(data) // 5
    data[at : at + hole] = bytes(hole)
    heard = decode(bytes(data), name="Ada")
    assert len(heard.warnings) == 1
    assert heard.warnings[0].startswith("Ada is damaged at 0:0")
    assert heard.seconds == pytest.approx(8.0, abs=0.2)
    last = np.abs(heard.samples[round(6.5 * RATE) :]) > 0.05
    assert 6.5 + int(np.argmax(last)) / RATE == pytest.approx(7.0, abs=0.2)


def amr(seconds: int) -> bytes:
    """A telephone's recording: speech, frames without data, the description of a silence, in turns."""
    coded = encode(voice(float(seconds), 8000), "amr", "libopencore_amrnb", 8000, bit_rate="12200")
    frames, at = [], 6
    sizes = [13, 14, 16, 18, 20, 21, 27, 32, 6]
    while at < len(coded):
        size = sizes[coded[at] >> 3 & 15]
        frames.append(coded[at : at + size])
        at += size
    silent = bytes([8 << 3 | 4]) + bytes(5), bytes([15 << 3 | 4])
    kept = [silent[index % 8 > 0] if index // 25 % 2 else frame for index, frame in enumerate(frames)]
    return coded[:6] + b"".join(kept)


def test_a_telephone_that_sends_no_silence_is_heard_to_its_end():
    heard = decode(amr(4), name="Ada")
    assert heard.warnings == ()
    assert heard.seconds == pytest.approx(4.0, abs=0.1)


def tracks(*sounds: np.ndarray, default: int | None = None, codec: str = "libopus") -> bytes:
    """Several sound tracks in one Matroska file."""
    out = io.BytesIO()
    with av.open(out, "w", format="matroska", options={"default_mode": "passthrough"}) as container:
        made = []
        for number in range(len(sounds)):
            track = container.add_stream(codec, rate=48_000, layout="mono")
            track.disposition = av.stream.Disposition.default if number == default else 0
            track.metadata["title"] = f"Track of {number + 1}"
            made.append(track)
        for track, sound in zip(made, sounds, strict=True):
            for at in range(0, len(sound) - 960, 960):
                piece = np.ascontiguousarray(sound[None, at : at + 960])
                frame = av.AudioFrame.from_ndarray(piece, format="flt", layout="mono")
                frame.sample_rate, frame.pts, frame.time_base = 48_000, at, Fraction(1, 48_000)
                container.mux(track.encode(frame))
            container.mux(track.encode(None))
    return out.getvalue()


def test_the_track_that_is_heard_is_the_default_one_else_the_speaking_one():
    speech = np.repeat(TURN[: 3 * RATE], 3)
    silence = np.zeros_like(speech)
    music = (0.1 * np.sin(np.arange(len(speech)) * 440 * 2 * np.pi / 48_000)).astype(np.float32)
    flagged = decode(tracks(silence, speech, default=1), name="Ada")
    assert flagged.warnings == (
        "Ada has 2 sound tracks; heard is track 2 (“Track of 2”), the one that is marked as default.",
    )
    for sounds in [(silence, speech), (music, silence, speech)]:
        found = decode(tracks(*sounds), name="Ada")
        assert f"heard is track {len(sounds)}" in found.warnings[0]
        assert "the most speech" in found.warnings[0]
        assert found.samples.std() > 0.01
    wrongly = decode(tracks(silence, speech, default=0), name="Ada")  # the flag is on what says nothing
    assert "heard is track 2" in wrongly.warnings[0]
    assert decode(tracks(speech), name="Ada").warnings == ()


def test_a_codec_that_is_missing_is_named():
    data = tracks(np.repeat(SPOKEN, 3)).replace(b"A_OPUS", b"A_QPUS")
    with pytest.raises(
        AudioError, match="sound in the codec A_QPUS that cannot be decoded: convert it to wav"
    ):
        decode(data, name="Ada")


NOISE = np.random.default_rng(5).standard_normal((8, len(SPOKEN))).astype(np.float32) * np.float32(1e-4)
INTERFACE = NOISE.copy()
INTERFACE[1] += SPOKEN
MIXES = {
    "alike": np.stack([SPOKEN, SPOKEN]),
    "opposite phase": np.stack([SPOKEN, -SPOKEN]),
    "mostly opposite": np.stack([SPOKEN, -0.8 * SPOKEN + NOISE[0]]),
    "left only": np.stack([SPOKEN, np.zeros_like(SPOKEN)]),
    "right only, noise left": np.stack([NOISE[0], SPOKEN]),
    "hum left": np.stack([0.02 * np.sin(np.arange(len(SPOKEN)) / 50).astype(np.float32), SPOKEN]),
}


@pytest.mark.parametrize("case", MIXES)
def test_a_voice_survives_the_mix(case: str):
    heard = decode(wav(MIXES[case]), name="Ada").samples
    assert abs(likeness(SPOKEN, heard, 100)) > 0.97 or likeness(-SPOKEN, heard, 100) > 0.97
    assert heard[RATE:].std() == pytest.approx(SPOKEN[RATE:].std(), rel=0.15)


def wav_of(
    samples: np.ndarray, rate: int = RATE, kind: int = 1, data_size: int | None = None, **wrong: int
) -> bytes:
    """A WAV file by hand: samples [channels, n] or [n]; wrong: bytes_a_second."""
    channels = np.atleast_2d(samples)
    width = 4 if kind == 3 else 2
    scaled = channels.T.astype("<f4") if kind == 3 else (channels.T * 32767).astype("<i2")
    body = scaled.tobytes()
    block = width * len(channels)
    speed = wrong.get("bytes_a_second", rate * block % 2**32)
    head = struct.pack("<HHIIHH", kind, len(channels), rate, speed, block, 8 * width)
    size = len(body) if data_size is None else data_size
    head = b"WAVEfmt " + struct.pack("<I", 16) + head + b"data" + struct.pack("<I", size)
    return b"RIFF" + struct.pack("<I", min(len(head) + len(body), 0xFFFFFFFF)) + head + body


def test_a_microphone_on_the_second_of_eight_inputs():
    heard = decode(wav_of(INTERFACE), name="Ada").samples
    assert likeness(SPOKEN, heard, 100) > 0.97
    assert heard[RATE:].std() == pytest.approx(SPOKEN[RATE:].std(), rel=0.1)


SIZES = [0, 0xFFFFFFFF, 0xFFFFFFFF - 36, 0x7FFFF000, 0x7FFFFFFF - 36, 0x80000000, 0x80000024]


@pytest.mark.parametrize("size", SIZES)
def test_a_placeholder_for_the_length_is_no_length(size: int):
    heard = decode(wav_of(SPOKEN, data_size=size), name="Ada")
    assert (heard.seconds, heard.warnings) == (3.0, ())


def test_a_file_that_grew_after_its_header_was_written_is_heard_to_its_end():
    """The same picture as a length that wrapped at 4 GB: sound goes on where the header ends it."""
    heard = decode(wav_of(SPOKEN, data_size=RATE * 2), name="Ada")
    assert (heard.seconds, heard.warnings) == (3.0, ())


def test_chunks_after_the_sound_are_no_sound():
    data = wav_of(SPOKEN) + b"LIST" + struct.pack("<I", 1000) + b"x" * 1000
    for whole in (data, data + b"\0\0\0"):
        heard = decode(whole, name="Ada")
        assert (heard.seconds, heard.warnings) == (3.0, ())


@pytest.mark.parametrize("speed", [0, 1, 8000, 0xFFFFFFFF])
def test_a_wrong_byte_rate_tells_no_length(speed: int):
    heard = decode(wav_of(SPOKEN, bytes_a_second=speed), name="Ada")
    assert (heard.seconds, heard.warnings) == (3.0, ())
    cut = decode(wav_of(SPOKEN, bytes_a_second=speed)[: 44 + 2 * RATE], name="Ada")
    assert "cut off before its end: the 1.0 s of 3.0 s" in cut.warnings[0]


def test_files_that_are_joined_end_to_end_are_heard_to_the_end():
    heard = decode(wav_of(SPOKEN) + wav_of(voice(2.0, 48_000), 48_000) + wav_of(SPOKEN), name="Ada")
    assert heard.warnings == ()
    assert heard.seconds == pytest.approx(8.0, abs=0.001)
    assert likeness(SPOKEN, heard.samples[5 * RATE :], 100) > 0.97


def rf64(samples: np.ndarray, kind: bytes = b"RF64", told: int | None = None) -> bytes:
    """A WAV file whose length stands in the chunk "ds64", as EBU Tech 3306 has it."""
    plain = wav_of(samples)
    body = plain[44:]
    long = struct.pack("<QQQI", 0, len(body) if told is None else told, len(samples), 0)
    head = kind + b"\xff" * 4 + b"WAVE" + b"ds64" + struct.pack("<I", len(long)) + long
    return head + plain[12:36] + b"data" + b"\xff" * 4 + body


@pytest.mark.parametrize("kind", [b"RF64", b"BW64"])
def test_files_of_more_than_4_gb_may_be_joined_too(kind: bytes):
    heard = decode(rf64(SPOKEN, kind), name="Ada")
    assert (heard.seconds, heard.warnings) == (3.0, ())
    heard = decode(rf64(SPOKEN, kind) + wav_of(SPOKEN) + rf64(SPOKEN, kind), name="Ada")
    assert (heard.seconds, heard.warnings) == (9.0, ())
    assert likeness(SPOKEN, heard.samples[6 * RATE :], 100) > 0.97
    assert decode(rf64(SPOKEN, kind, told=0), name="Ada").seconds == 3.0  # a recorder that never came back
    cut = decode(rf64(SPOKEN, kind)[: -2 * RATE], name="Ada")
    assert "cut off before its end: the 2.0 s of 3.0 s" in cut.warnings[0]


@pytest.mark.parametrize("padding", [b"", b"\0"])
def test_a_chunk_of_odd_size_may_lack_its_padding(padding: bytes):
    plain = wav_of(SPOKEN)
    odd = plain[:36] + b"junk" + struct.pack("<I", 3) + b"abc" + padding + plain[36:]
    heard = decode(odd, name="Ada")
    assert (heard.seconds, heard.warnings) == (3.0, ())


def test_a_file_that_grows_while_it_is_read_is_heard_as_far_as_it_was(tmp_path: Path):
    path = tmp_path / "growing.wav"
    path.write_bytes(wav_of(SPOKEN, data_size=0))
    heard = 0
    with path.open("ab") as file:
        recording = stream(path)
        for block in recording:
            heard += len(block)
            if heard < 6 * RATE:
                file.write((voice(0.1) * 32767).astype("<i2").tobytes())
                file.flush()
    assert heard >= 3 * RATE and recording.warnings == ()


@pytest.mark.parametrize("size", [500, 2000])
def test_aac_without_a_container_goes_on_after_its_damage(size: int):
    """In what is damaged FFmpeg sees headers of frames that would hold the real ones after them."""
    whole = encode(TURN, "adts", "aac")
    data = bytearray(whole)
    middle = len(data) // 2
    data[middle : middle + size] = np.random.default_rng(3).bytes(size)
    heard = decode(bytes(data), name="Ada")
    assert heard.seconds == pytest.approx(len(TURN) / RATE, abs=0.2)
    found = re.search(r"Ada is damaged at 0:01: (0\.\d) s of it could not be read", heard.warnings[0])
    assert found and float(found[1]) == pytest.approx(0.0625 * (size / 530 + 1), abs=0.15)
    last = round(0.3 * len(TURN))
    assert likeness(decode(whole).samples[-last:], heard.samples[-last:], 1500) > 0.95
    assert decode(whole).warnings == () and decode(whole[:middle], name="Ada").seconds < 2


@pytest.mark.parametrize("scale", [32768.0, 8388608.0, 2147483648.0])
def test_floats_that_were_integers_are_scaled(scale: float):
    heard = decode(wav_of(SPOKEN * scale, kind=3), name="Ada").samples
    np.testing.assert_allclose(heard, decode(wav_of(SPOKEN, kind=3)).samples, atol=1e-4)


def test_one_click_is_no_scale_and_what_nobody_records_is_refused():
    clicked = SPOKEN.copy()
    clicked[5000] = 100.0
    heard = decode(wav_of(clicked, kind=3), name="Ada").samples
    assert heard[RATE:].std() == pytest.approx(SPOKEN[RATE:].std(), rel=0.1)
    for huge in (SPOKEN * np.float32(3e38), np.where(np.arange(len(SPOKEN)) == 9, np.float32(3e38), SPOKEN)):
        with pytest.raises(AudioError, match="Ada holds values far beyond full scale"):
            decode(wav_of(huge, kind=3), name="Ada")


def test_what_comes_before_a_broken_value_is_heard():
    broken = np.concatenate([SPOKEN, SPOKEN])
    broken[5 * RATE] = np.nan
    heard = 0
    with pytest.raises(AudioError, match="not numbers"):
        for block in stream(wav_of(broken, kind=3), name="Ada"):
            heard += len(block)
    assert 4 * RATE < heard <= 5 * RATE


@pytest.mark.parametrize("rate", [2_147_483_647, 4_294_967_295, 1_000_000])
def test_a_rate_that_no_device_records_is_refused_at_once(rate: int):
    script = (
        "import resource, sys\n"
        "from speakerid.audio.decode import decode\n"
        "from speakerid.errors import AudioError\n"
        "resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))\n"
        "try: decode(sys.stdin.buffer.read(), name='Ada')\n"
        "except AudioError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], input=wav_of(SPOKEN, rate), capture_output=True, check=True
    )
    assert b"Ada " in done.stdout and done.stdout.count(b"\n") == 1


def test_more_channels_than_any_interface_has_are_refused():
    with pytest.raises(AudioError, match="Ada has 1000 channels, and at most 64 are read"):
        decode(wav_of(np.tile(SPOKEN[:8000], (1000, 1))), name="Ada")


def test_the_limit_holds_everywhere_by_what_is_heard_and_by_what_the_header_says():
    hours = encode(np.zeros(16_000, np.float32), "flac", "flac")
    at = hours.index(b"fLaC") + 8 + 13  # the low 36 bits of STREAMINFO's numbers: samples in all
    claimed = bytearray(hours)
    count = 82 * 3600 * RATE
    claimed[at] = claimed[at] & 0xF0 | count >> 32
    claimed[at + 1 : at + 5] = struct.pack(">I", count & 0xFFFFFFFF)
    with pytest.raises(AudioError, match="Ada is longer than 4 hours: cut out a part of it"):
        next(iter(stream(bytes(claimed), name="Ada")))
    assert MAX_SECONDS == 4 * 3600


def test_reading_can_be_cancelled():
    stop = threading.Event()
    heard = 0
    with pytest.raises(AudioError, match="Ada was not read to its end: reading it was cancelled"):
        for block in stream(wav(voice(4.0)), name="Ada", stop=stop):
            heard += len(block)
            if heard >= RATE:
                stop.set()
    assert heard < 3 * RATE
    with pytest.raises(AudioError, match="cancelled"):
        decode(wav(SPOKEN), name="Ada", stop=stop)


def sphere(samples: np.ndarray) -> bytes:
    """As TIMIT's `.WAV` files are."""
    fields = [
        "NIST_1A", "   1024", "channel_count -i 1", f"sample_count -i {len(samples)}",
        f"sample_rate -i {RATE}",
        "sample_n_bytes -i 2", "sample_byte_format -s2 01", "sample_coding -s3 pcm", "end_head",
    ]  # fmt: skip
    return "\n".join([*fields, ""]).encode().ljust(1024) + (samples * 32767).astype("<i2").tobytes()


def voc(samples: np.ndarray) -> bytes:
    """Creative's, with one block of 16-bit sound (type 9)."""
    body = (samples * 32767).astype("<i2").tobytes()
    block = struct.pack("<IBBH4x", RATE, 16, 1, 4) + body
    size = struct.pack("<I", len(block))[:3]
    head = b"Creative Voice File\x1a" + struct.pack("<HHH", 26, 0x0114, ~0x0114 + 0x1234 & 0xFFFF)
    return head + b"\x09" + size + block + b"\0"


@pytest.mark.parametrize("make", [sphere, voc])
def test_corpora_and_old_programs(make, tmp_path: Path):
    path = tmp_path / "SA1.WAV"
    path.write_bytes(make(SPOKEN))
    heard = decode(path)
    assert heard.seconds == pytest.approx(3.0, abs=0.01)
    assert heard.warnings == ()
    assert likeness(SPOKEN, heard.samples, 100) > 0.97
    cut = decode(make(SPOKEN)[:60_000], name="Ada")
    assert cut.warnings == () if make is voc else "cut off" in cut.warnings[0]


def test_gsm(tmp_path: Path):
    """Frames of silence: 33 bytes that begin with 0xD; there is no encoder at hand."""
    quiet = bytes.fromhex("d820a2e15a50004924924924500049249249245000492492492450004924924924")
    loud = bytes.fromhex("daa7aaa51a505038e46db91b502038e46db91b502038e46db91b502038e46db91b")
    path = tmp_path / "Ada.gsm"
    path.write_bytes((quiet * 5 + loud * 20) * 10)
    assert decode(path).seconds == pytest.approx(5.0, abs=0.1)


def test_a_pipe_and_standard_input(tmp_path: Path):
    data = encode(SPOKEN, "flac", "flac")
    expected = decode(data).samples
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(data))
    writer.start()
    np.testing.assert_array_equal(decode(pipe).samples, expected)
    writer.join()
    script = "from speakerid.audio.decode import decode; r = decode('-'); print(r.name, len(r.samples))"
    done = subprocess.run([sys.executable, "-c", script], input=data, capture_output=True, check=True)
    assert done.stdout.decode().strip() == f"The recording {len(expected)}"
    with pytest.raises(subprocess.CalledProcessError):
        subprocess.run([sys.executable, "-c", script], input=b"", capture_output=True, check=True)
