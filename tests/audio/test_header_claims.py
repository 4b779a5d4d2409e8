"""What a header claims is bounded before anything is allocated for it, in every kind of file.

The files are read by a process that may take 1.5 GB in all: what would take more fails there.
SPEAKERID_FUZZ=10000 tries so many spoiled headers instead of some hundred.
"""

import os
import random
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator

import pytest
from sounds import encode, voice

from speakerid.errors import AudioError

COUNT = int(os.environ.get("SPEAKERID_FUZZ", "300"))
MOST_BYTES = 1_500_000_000
MADE = {
    "aiff": ("aiff", "pcm_s16be", 16_000),
    "flac": ("flac", "flac", 16_000),
    "caf": ("caf", "pcm_s16le", 16_000),
    "w64": ("w64", "pcm_s16le", 16_000),
    "opus": ("ogg", "libopus", 48_000),
    "webm": ("webm", "libopus", 48_000),
    "m4a": ("ipod", "aac", 16_000),
    "mov": ("mov", "pcm_s16le", 16_000),
    "mp3": ("mp3", "libmp3lame", 16_000),
    "au": ("au", "pcm_s16be", 16_000),
    "avi": ("avi", "pcm_s16le", 16_000),
    "mpegts": ("mpegts", "aac", 16_000),
    "wv": ("wv", "wavpack", 16_000),
    "tta": ("tta", "tta", 16_000),
    "adpcm": ("wav", "adpcm_ms", 16_000),
}
CLAIMS = [0, 1, 3, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF]
HUGE_RATE = struct.pack(">HQ", 16383 + 30, 0x80000000_00000000)  # 2^30 as AIFF's 80-bit number


def put(content: bytes, after: bytes, by: int, value: bytes) -> bytes:
    """A content with a value so many bytes behind a mark."""
    at = content.index(after) + len(after) + by
    return content[:at] + value + content[at + len(value) :]


def named() -> dict[str, bytes]:
    """Claims that somebody made who knows the formats."""
    whole = {kind: encode(voice(1.5, rate), form, codec, rate) for kind, (form, codec, rate) in MADE.items()}
    most = 0xFFFFFFFF
    cases = {
        "aiff rate": put(whole["aiff"], b"COMM", 12, HUGE_RATE),
        "aiff channels": put(whole["aiff"], b"COMM", 4, b"\xff\xff"),
        "aiff frames": put(whole["aiff"], b"COMM", 6, struct.pack(">I", most)),
        "flac rate": put(whole["flac"], b"fLaC", 14, b"\xff\xff\xf2"),
        "flac blocks": put(whole["flac"], b"fLaC", 4, b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
        "caf bytes a packet": put(whole["caf"], b"desc", 24, struct.pack(">I", most)),
        "caf channels": put(whole["caf"], b"desc", 32, struct.pack(">I", most)),
        "w64 rate": put(whole["w64"], b"fmt ", 12 + 8 + 4, struct.pack("<I", most)),
        "opus channels": put(whole["opus"], b"OpusHead", 1, b"\xff"),
        "opus rate and skip": put(whole["opus"], b"OpusHead", 2, b"\xff" * 6),
        "au begins behind its end": put(whole["au"], b".snd", 0, struct.pack(">I", 0xFFFF)),
        "au length": put(whole["au"], b".snd", 4, struct.pack(">I", most)),
        "webm rate": put(whole["webm"], b"\xb5\x88", 0, struct.pack(">d", 2.0**31)),
        "a compressed index": bomb(whole["m4a"]),
    }
    for rate in (0.0, -1.0, 2.0**31 - 1, 1e300, float("nan"), float("inf")):
        cases[f"caf rate {rate}"] = put(whole["caf"], b"desc", 8, struct.pack(">d", rate))
    for kind in ("m4a", "mov"):
        for value in (0, most):
            claim = struct.pack(">I", value)
            cases[f"{kind} timescale {value}"] = put(whole[kind], b"mdhd", 12, claim)
            cases[f"{kind} samples {value}"] = put(whole[kind], b"stsz", 8, claim)
            cases[f"{kind} chunks {value}"] = put(whole[kind], b"stco", 4, claim)
            cases[f"{kind} times {value}"] = put(whole[kind], b"stts", 4, claim)
    return cases


def bomb(m4a: bytes) -> bytes:
    """An MP4 file whose index is compressed, and 700 times as large as it says itself to be."""
    at = m4a.index(b"moov") - 4
    (size,) = struct.unpack(">I", m4a[at : at + 4])
    moov, zeros = m4a[at : at + size], bytes(10_000_000)
    packer = zlib.compressobj(9)
    packed = packer.compress(moov) + packer.compress(struct.pack(">I4s", 8 + 70 * len(zeros), b"free"))
    packed += b"".join(packer.compress(zeros) for _ in range(70)) + packer.flush()

    def atom(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I4s", 8 + len(body), name) + body

    told = struct.pack(">I", size + 8 + 70 * len(zeros))
    index = atom(b"moov", atom(b"cmov", atom(b"dcom", b"zlib") + atom(b"cmvd", told + packed)))
    return m4a[:at] + index + m4a[at + size :]


def spoiled() -> Iterator[tuple[str, bytes]]:
    """Headers with a claim or several anywhere in them."""
    chance = random.Random(3)
    whole = {kind: encode(voice(1.5, rate), form, codec, rate) for kind, (form, codec, rate) in MADE.items()}
    for number in range(COUNT):
        kind = chance.choice(sorted(whole))
        content = bytearray(whole[kind])
        begin = max(0, len(content) - 1200) if kind in ("m4a", "mov") and chance.random() < 0.5 else 0
        end = len(content) if begin else min(len(content), chance.choice([64, 128, 300, 1500]))
        for _ in range(chance.choice([1, 1, 1, 2, 3])):
            width = chance.choice([1, 2, 4, 4, 4, 8])
            claim = chance.choice(CLAIMS) << (32 if width == 8 else 0)
            at = chance.randrange(begin, end - 8)
            order = chance.choice(["big", "little"])
            content[at : at + width] = (claim & ((1 << 8 * width) - 1)).to_bytes(width, order)
        yield f"{kind} {number}", bytes(content)


@pytest.mark.parametrize("kind", ["named", "spoiled"])
def test_no_header_is_taken_at_its_word(kind: str):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, __file__, kind]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=3600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert len(done.stdout.splitlines()) >= (20 if kind == "named" else COUNT)


def main(kind: str) -> None:
    """Read each case, and say what came of it."""
    import resource

    import numpy as np

    from speakerid.audio.decode import decode

    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    for name, content in named().items() if kind == "named" else spoiled():
        try:
            read = decode(content, name="it")
        except AudioError as error:
            print(f"{name}: {error}")
            continue
        assert np.isfinite(read.samples).all() and read.seconds <= 600, name
        print(f"{name}: {read.seconds:.2f} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
