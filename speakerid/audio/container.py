"""Open a sound file of any kind with PyAV and read mono samples from it, noticing what is wrong with it.

Only sound formats are opened (a playlist could point at other files and at the network), and only through a
Python file object, so that a name such as `http://…` is never taken for an address.
"""

from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

import numpy as np

from speakerid.audio import endings
from speakerid.audio.downmix import Downmix
from speakerid.audio.joined import follower, parts
from speakerid.audio.kinds import check_channels, check_rate
from speakerid.audio.opening import Source, open_container, open_file
from speakerid.audio.packets import Packets
from speakerid.audio.part import PartFile
from speakerid.audio.promises import ends_early, promised
from speakerid.audio.resample import Resampler
from speakerid.audio.samples import check, full_scale, samples_of
from speakerid.audio.timeline import Bytes, Timeline
from speakerid.audio.tracks import cannot_decode, choose, codec_named
from speakerid.errors import AudioError

if TYPE_CHECKING:
    import av
    from av.audio.stream import AudioStream
    from av.container import InputContainer

_NO_TIMESTAMPS = {"mp3", "aac", "ac3", "eac3", "gsm"}  # FFmpeg counts packets; what is lost shows in bytes
_NO_GAPS = {"wav", "w64", "flac", "aiff", "au", "caf", "nistsphere"}  # time without sound is damage there
_PIECE = 0.5  # seconds of silence made at once


class Sound:
    """An open recording; iterate once over (rate, float32 [n] mono samples as they were recorded).

    The pieces are half a second long or a little more. Time without sound (gaps between timestamps, a late
    start, what is damaged) comes as zeros.

    Attributes, complete after the last sample:
        cut: the file ends before the sound does.
        told: seconds of sound that the header promises; 0.0 if it does not say.
        expected: seconds that may come: told, or less where the file is known to hold less.
        damaged: (start, length) in seconds of what could not be read and became silence.
        notes: a sentence each on what was chosen.
    """

    def __init__(self, source: Source, name: str):
        """Raises AudioError: no such file, empty, not audio, no sound track, a codec that nothing here can
        decode, a header that claims what cannot be, or cut off at its start."""
        self.name = name
        self.cut = False
        self.told = self.expected = 0.0
        self.damaged: list[tuple[float, float]] = []
        self.notes: list[str] = []
        self._source = source
        self._scale = 1.0
        self._container: InputContainer | None = None
        self._file = open_file(source, name)
        try:
            self._parts = parts(self._file)
            self._begin = 0  # of the file within the file that is open
            for part in self._parts:
                check_rate(part.rate, name)
                check_channels(part.channels, name)
            self._open(0)
            self._read_header()
        except BaseException:
            self.close()
            raise

    def _open(self, part: int) -> None:
        """The whole file, or the part of this number in it."""
        if self._container:
            self._container.close()
        self._file.seek(0)
        self._container = open_container(self._inner(self._file, part), self.name, self._file)

    def _inner(self, file: IO[bytes], part: int) -> PartFile:
        if not self._parts:
            return PartFile(file, b"", self._begin, endings.size_of(file) - self._begin)
        chosen = self._parts[part]
        return PartFile(file, chosen.head, chosen.start, chosen.size)

    def _read_header(self) -> None:
        container = self._container
        assert container is not None
        for stream in container.streams.audio:
            if stream.codec_context is not None:
                check_rate(stream.codec_context.sample_rate or 16_000, self.name)
                check_channels(stream.codec_context.channels or 1, self.name)
        self._formats = set(container.format.name.split(","))
        self._alone = len(container.streams) == 1
        stream, note = choose(list(container.streams.audio), self.name, self._file, self._first)
        self._track = container.streams.audio.index(stream)
        self.notes += [note] if note else []
        if (stream.codec_context.name or "").startswith("pcm_f"):
            parts = [samples.ravel() for _, samples, _ in self._look(self._track, 60.0)]
            self._scale = full_scale(np.concatenate([np.zeros(0, np.float32), *parts]))
        self.told = self._promised(stream)
        self.expected = sum(part.seconds for part in self._parts) if self._parts else self.told

    def _promised(self, stream: "AudioStream") -> float:
        """Seconds of sound that the header promises; 0.0 if it does not say."""
        container = self._container
        assert container is not None
        if self._parts:
            told = [part.told for part in self._parts]
            return sum(told) if all(told) else 0.0
        origin = self._origin(container)
        return promised(container, stream, self._formats, origin, self._file)

    def close(self) -> None:
        """Close the file."""
        if self._container:
            self._container.close()
        self._file.close()

    def __iter__(self) -> Iterator[tuple[int, np.ndarray]]:
        """Frames are short (5 to 100 ms, as the codec likes); joined, they cost the next steps less."""
        waiting: list[np.ndarray] = []
        count, rate = 0, 0
        downmix = Downmix()
        for frame_rate, samples in self._sound():
            if waiting and (count >= rate // 2 or frame_rate != rate or len(samples) != len(waiting[0])):
                yield rate, downmix.push(np.concatenate(waiting, axis=1), rate)
                waiting, count = [], 0
            rate = frame_rate
            waiting.append(samples)
            count += samples.shape[1]
        if waiting:
            yield rate, downmix.push(np.concatenate(waiting, axis=1), rate)

    def _sound(self) -> Iterator[tuple[int, np.ndarray]]:
        """(rate, [channels, n]) in order, silence in the gaps; notices damage and an end that is none."""
        read, part = 0.0, 0
        while part == 0 or self._open_next(part):
            assert self._container is not None
            timeline = Timeline(self._origin(self._container))
            for rate, samples, gap in self._timed(self._container, timeline, read):
                for _ in range(int(gap // _PIECE)):
                    yield rate, np.zeros((len(samples), round(_PIECE * rate)), np.float32)
                rest = round((gap % _PIECE) * rate)
                yield rate, np.concatenate([np.zeros((len(samples), rest), np.float32), samples], axis=1)
            read += timeline.at
            part += 1
        if not read and self._failed:
            raise cannot_decode(self.name, self._codec or codec_named(self._file))
        missing = self.told - read
        self.cut |= self._failed > 0 or missing > self.told * 0.01 + 0.5 or self._ends_early()

    def _open_next(self, part: int) -> bool:
        """Go on with the next one of joined files, the part of this number; False if there is none."""
        if self._parts:
            if part < len(self._parts):
                self._open(part)
            return part < len(self._parts)
        begin = follower(self._file, self._formats, self._begin + sum(self._last)) if any(self._last) else 0
        if not begin:
            return False
        self._begin, self.cut = begin, False
        try:
            self._open(part)
            assert self._container is not None
            stream = self._container.streams.audio[self._track]
            if stream.codec_context is None:
                raise cannot_decode(self.name, codec_named(self._file))
        except (AudioError, IndexError):
            self.notes.append(f"{self.name} is several recordings joined, of which {part} could be read.")
            return False
        told = self._promised(stream)
        self.told = self.told + told if told else 0.0
        return True

    def _timed(
        self, container: "InputContainer", timeline: Timeline, begin: float
    ) -> Iterator[tuple[int, np.ndarray, float]]:
        """(rate, [channels, n], seconds of silence before it) of one file."""
        counted = Bytes()
        timeless = bool(self._formats & _NO_TIMESTAMPS) or (
            "wav" in self._formats and _has_heads(container.streams.audio[self._track])
        )
        failed, before = 0, 0.0
        packets = Packets(self._file, container, container.streams.audio[self._track])
        for packet, frames in packets:
            failed += frames is None
            for number, frame in enumerate(frames or ()):
                seconds = frame.samples / frame.sample_rate
                lost = 0.0 if number else self._lost(counted, packet, seconds)
                gap = lost if timeless else timeline.gap(_timestamp(frame, packet))
                lost, before = max(lost, before), lost  # Ogg's timestamps know of it a packet later
                at_end = not packet.size  # what the decoder still held: nothing was read after what failed
                if (failed and not at_end and (gap or "ogg" not in self._formats)) or (
                    gap and (timeless or self._formats & _NO_GAPS or lost > gap / 2)
                ):
                    self.damaged.append((begin + timeline.at, gap))
                failed = failed if at_end else 0
                timeline.at += gap + seconds
                yield frame.sample_rate, self._samples(frame), gap
        self.cut |= packets.broken
        self._failed, self._codec, self._last = failed, packets.codec, packets.last

    def _lost(self, counted: Bytes, packet: "av.Packet", seconds: float) -> float:
        """Seconds that lie in bytes before a packet that were not read, neither tags nor other tracks."""
        end = counted.end or 0
        lost = counted.gap(packet.pos, packet.size, seconds)
        return lost if lost and self._alone and not endings.tag_at(self._file, self._begin + end) else 0.0

    def _samples(self, frame: "av.AudioFrame") -> np.ndarray:
        check_rate(frame.sample_rate, self.name)
        check_channels(len(frame.layout.channels), self.name)
        samples = samples_of(frame)
        if frame.format.name.startswith(("flt", "dbl")):
            check(samples, self.name)
        return samples if self._scale == 1.0 else samples / np.float32(self._scale)

    def _look(self, track: int, seconds: float) -> Iterator[tuple[int, np.ndarray, float]]:
        """The first seconds of a track, through an opening of its own: (rate, [channels, n], _)."""
        with (
            open_file(self._source, self.name) as file,
            open_container(self._inner(file, 0), self.name, file) as container,
        ):
            heard = 0.0
            for _, frames in Packets(file, container, container.streams.audio[track]):
                for frame in frames or ():
                    heard += frame.samples / frame.sample_rate
                    check_rate(frame.sample_rate, self.name)
                    # What is broken is said where it is heard; up to there the recording can be used.
                    yield frame.sample_rate, np.nan_to_num(samples_of(frame)), 0.0
                if heard >= seconds:
                    return

    def _first(self, stream: "AudioStream", seconds: float) -> Iterator[np.ndarray]:
        """The first seconds of a track as 16 kHz blocks."""
        assert self._container is not None
        resampler, current, downmix = None, 0, Downmix()
        for rate, samples, _ in self._look(self._container.streams.audio.index(stream), seconds):
            if resampler is None or rate != current:
                resampler, current = Resampler(rate), rate
            yield resampler.push(downmix.push(samples, rate))

    def _ends_early(self) -> bool:
        if self._parts:
            return False
        return ends_early(self._file, self._formats, self._begin, self._last, self.told, self._alone)

    def _origin(self, container: "InputContainer") -> float:
        """The timestamp at which the recording begins: 0 where the format says so, else the first."""
        if "mov" in self._formats or not container.start_time:
            return 0.0
        return container.start_time / 1_000_000


def _has_heads(stream: "AudioStream") -> bool:
    """Whether the packets of a codec have heads of their own, by which they are found and counted."""
    return (stream.codec_context.name or "").startswith(("mp", "aac", "ac3"))


def _timestamp(frame: "av.AudioFrame", packet: "av.Packet") -> float | None:
    for item in (frame, packet):
        if item.pts is not None and item.time_base:
            return float(item.pts * item.time_base)
    return None
