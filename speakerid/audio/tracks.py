"""Which of several sound tracks is heard: the one flagged as default, else the one with the most speech.

Screen recorders write the computer's sound first and the microphone second, conference programs one track a
person; the first track alone is silent as often as not.
"""

import re
from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING, cast

import numpy as np

from speakerid.errors import AudioError

if TYPE_CHECKING:
    from av.audio.codeccontext import AudioCodecContext
    from av.audio.stream import AudioStream

LOOK_SECONDS = (60.0, 600.0)
"""So much of each track is heard to find the one with speech; the second only where the first has none."""

_LEAST_SPEECH = 0.3  # seconds; less may be a click
_HEADER_BYTES = 1 << 20  # in which a codec is named
_CODEC_IN_MATROSKA = re.compile(rb"\x86([\x83-\xbf])(A_[A-Z0-9/_]{1,60})")  # element, length, name
_CODEC_IN_CAF = re.compile(rb"^caff.*?desc.{16}([\x20-\x7e]{4})", re.DOTALL)
_CODEC_NUMBER = re.compile(rb"(?:WAVE.*?fmt |auds.*?strf).{4}(..)", re.DOTALL)  # in WAV and AVI files
_CODEC_IN_MP4 = re.compile(rb"stsd.{12}([\x20-\x7e]{4})", re.DOTALL)


def decoder_of(stream: "AudioStream") -> "AudioCodecContext | None":
    """What decodes a track; None if nothing here can.

    FFmpeg's own decoder of AMR leaves out the frames of silence (SID, NO_DATA); libopencore has them all.
    """
    import av

    context = stream.codec_context
    if context is None or context.name != "amrnb":
        return context
    complete = cast("AudioCodecContext", av.CodecContext.create("libopencore_amrnb", "r"))
    complete.sample_rate, complete.layout = 8000, "mono"
    return complete


def choose(
    streams: "list[AudioStream]",
    name: str,
    file: IO[bytes],
    hear: "Callable[[AudioStream, float], Iterator[np.ndarray]]",
) -> "tuple[AudioStream, str]":
    """The track to hear, and a sentence that tells the choice ("" where there was none).

    Args:
        hear: the first so many seconds of a track as 16 kHz blocks.

    Raises:
        AudioError: there is no track, or none can be decoded.
    """
    if not streams:
        raise AudioError(f"{name} has no sound track: choose a recording in which somebody can be heard.")
    readable = [stream for stream in streams if stream.codec_context is not None]
    if not readable:
        raise cannot_decode(name, codec_named(file))
    if len(readable) == 1:
        (only,) = readable
        if len(streams) == 1:
            return only, ""
        return only, f"{_told(name, streams, only)}, the only one that can be decoded."
    flagged = [stream for stream in readable if _is_default(stream)]
    alone = flagged[0] if len(flagged) == 1 else None
    for seconds in LOOK_SECONDS:
        if alone is not None and _speech(hear(alone, seconds)) >= _LEAST_SPEECH:
            return alone, f"{_told(name, streams, alone)}, the one that is marked as default."
        heard = [_speech(hear(stream, seconds)) for stream in readable]
        if max(heard) >= _LEAST_SPEECH:
            best = readable[int(np.argmax(heard))]
            return best, f"{_told(name, streams, best)}, the one with the most speech at its beginning."
    chosen = alone or readable[0]
    why = "the one that is marked as default" if alone is not None else "since speech was found in none"
    return chosen, f"{_told(name, streams, chosen)}, {why}."


def cannot_decode(name: str, codec: str) -> AudioError:
    """The error for a track in a codec (its name, or "") that FFmpeg has no decoder for."""
    which = f"the codec {codec}" if codec else "a codec"
    return AudioError(
        f"{name} holds sound in {which} that cannot be decoded: convert it to wav, flac, mp3 or m4a."
    )


def codec_named(file: IO[bytes]) -> str:
    """What the header of a file calls the codec of its sound; "" if that is not found."""
    here = file.tell()
    file.seek(0)
    head = file.read(_HEADER_BYTES)
    file.seek(here)
    if found := _CODEC_IN_MATROSKA.search(head):
        return found[2][: found[1][0] & 0x7F].decode("ascii")
    if found := _CODEC_IN_CAF.search(head):
        return found[1].decode("ascii").strip()
    if head.startswith((b"RIFF", b"RF64")) and (found := _CODEC_NUMBER.search(head)):
        return f"0x{int.from_bytes(found[1], 'little'):04x}"
    kinds = [kind.decode("ascii").strip() for kind in _CODEC_IN_MP4.findall(head)]
    return ", ".join(dict.fromkeys(kinds))


def _told(name: str, streams: "list[AudioStream]", chosen: "AudioStream") -> str:
    title = chosen.metadata.get("title") or chosen.metadata.get("name") or ""
    called = f" (“{title[:60]}”)" if title.strip() else ""
    place = next(number for number, stream in enumerate(streams, 1) if stream.index == chosen.index)
    return f"{name} has {len(streams)} sound tracks; heard is track {place}{called}"


def _is_default(stream: "AudioStream") -> bool:
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.default)


def _speech(blocks: Iterator[np.ndarray]) -> float:
    """Seconds of speech."""
    from speakerid.audio.vad import FRAME, RATE, SPEECH, VoiceActivity

    activity = VoiceActivity()
    return sum(float((activity.push(block) >= SPEECH).sum()) for block in blocks) * FRAME / RATE
