"""Open a sound file of any kind with PyAV and read mono samples from it, noticing what is wrong with it.

Only sound formats are opened (a playlist could point at other files and at the network), and only through a
Python file object, so that a name such as `http://…` is never taken for an address.
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from speakerid.audio import endings
from speakerid.errors import AudioError

if TYPE_CHECKING:
    import av
    from av.container import InputContainer

KINDS = "wav, flac, mp3, ogg, m4a, webm or mp4"

_FORMATS = (
    "wav,w64,flac,mp3,ogg,mov,mp4,matroska,webm,aac,aiff,caf,asf,amr,amrnb,amrwb,au,avi,mpegts,mpeg,flv,"
    "wv,ape,tta,ac3,eac3"
)
# The kinds whose header tells the length; that of others is FFmpeg's guess from the bit rate.
_TELL_LENGTH = {"w64", "flac", "mov", "matroska", "aiff", "ogg"}
_TELL_EXACTLY = {"wav", "w64", "flac", "aiff"}
_BEGINNINGS = (b"RIFF", b"fLaC", b"OggS", b"ID3", b"FORM", b"caff", b"\x1aE\xdf\xa3")
_LEAST_RATE = 4000  # below, a voice cannot be told from another one


class Sound:
    """An open recording; iterate once over (rate, float32 [n] mono samples as they were recorded).

    The pieces are half a second long or a little more.

    Attributes, complete after the last sample:
        cut: the file ends before the sound does.
        told: seconds of sound that the header promises; 0.0 if it does not say.
        damaged: pieces in the middle that could not be read and were left out.
    """

    def __init__(self, source: Path | bytes, name: str):
        """Raises AudioError: no such file, empty, not audio, no sound track, or cut off at its start."""
        self.name = name
        self.cut = False
        self.told = 0.0
        self.damaged = 0
        self._file = _open_file(source, name)
        try:
            self._container = _open_container(self._file, name)
            try:
                self._read_header()
            except BaseException:
                self._container.close()
                raise
        except BaseException:
            self._file.close()
            raise

    def _read_header(self) -> None:
        if not self._container.streams.audio:
            raise AudioError(
                f"{self.name} has no sound track: choose a recording in which somebody can be heard."
            )
        self._stream = self._container.streams.audio[0]
        self._formats = set(self._container.format.name.split(","))
        self._alone = len(self._container.streams) == 1
        if "wav" in self._formats:
            self.told = endings.wav_seconds(self._file)
        elif self._formats & _TELL_LENGTH or (
            "mp3" in self._formats and endings.mp3_tells_length(self._file)
        ):
            if self._stream.duration and self._stream.time_base:
                self.told = float(self._stream.duration * self._stream.time_base)
            elif self._container.duration and self._alone:
                self.told = self._container.duration / 1_000_000

    def close(self) -> None:
        """Close the file."""
        self._container.close()
        self._file.close()

    def __iter__(self) -> Iterator[tuple[int, np.ndarray]]:
        """Frames are short (5 to 100 ms, as the codec likes); joined, they cost the next steps less."""
        parts: list[np.ndarray] = []
        count, rate = 0, 0
        for frame in self._frames():
            if parts and (count >= rate // 2 or frame.sample_rate != rate):
                yield rate, np.concatenate(parts)
                parts, count = [], 0
            rate = self._rate(frame)
            parts.append(self._mono(frame))
            count += len(parts[-1])
        if parts:
            yield rate, np.concatenate(parts)

    def _frames(self) -> Iterator["av.AudioFrame"]:
        import av
        from av.error import FFmpegError

        read = 0.0  # seconds
        failed = 0  # pieces since the last good one
        last = (0, 0)  # position and size of the last packet
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except FFmpegError:
                self.cut = True
                break
            if packet is None:
                break
            last = max(last, (packet.pos or 0, packet.size))
            try:
                frames = packet.decode()
            except FFmpegError:
                failed += 1
                continue
            for frame in frames:
                if not isinstance(frame, av.AudioFrame) or not frame.samples:
                    continue
                self.damaged, failed = self.damaged + failed, 0
                read += frame.samples / frame.sample_rate
                yield frame
        missing = self.told - read
        self.cut |= failed > 0 or missing > self.told * 0.01 + 0.5 or self._ends_early(last)
        if not self.cut and self._formats & _TELL_EXACTLY and missing > 0.01:
            self.damaged += 1  # FFmpeg skipped something and said nothing

    def _rate(self, frame: "av.AudioFrame") -> int:
        if frame.sample_rate < _LEAST_RATE:
            raise AudioError(
                f"{self.name} has only {frame.sample_rate} samples a second, too few to tell voices apart: "
                "record with at least 8000, better 16000."
            )
        return frame.sample_rate

    def _mono(self, frame: "av.AudioFrame") -> np.ndarray:
        """The mean of the channels as float32 [n], full scale at 1."""
        samples = frame.to_ndarray()
        if not frame.format.is_planar:
            samples = samples.reshape(-1, len(frame.layout.channels)).T
        if samples.dtype == np.uint8:
            scaled = (samples.astype(np.float32) - 128) / 128
        elif samples.dtype.kind == "i":
            scaled = samples.astype(np.float32) / np.float32(2.0 ** (8 * samples.dtype.itemsize - 1))
        else:
            scaled = samples.astype(np.float32, copy=False)
        if samples.dtype.kind == "f" and not np.isfinite(scaled).all():
            raise AudioError(
                f"{self.name} holds values that are not numbers, so its sound cannot be trusted: "
                "export it again, best as 16-bit wav or flac."
            )
        return scaled[0] if len(scaled) == 1 else scaled.mean(axis=0)

    def _ends_early(self, last: tuple[int, int]) -> bool:
        """Whether a file whose header tells no true length stops in the middle."""
        if "ogg" in self._formats:
            return not endings.ogg_is_whole(self._file)
        if "matroska" in self._formats and not self.told and self._alone and last[1]:
            return not endings.webm_is_whole(self._file, *last)  # a browser's recording tells no length
        return False


def _open_file(source: Path | bytes, name: str) -> IO[bytes]:
    if isinstance(source, Path):
        try:
            file = source.open("rb")
        except FileNotFoundError as error:
            raise AudioError(f"There is no file {source}: check the name and the folder.") from error
        except IsADirectoryError as error:
            raise AudioError(f"{source} is a folder: name the recordings in it.") from error
        except OSError as error:
            raise AudioError(
                f"{source} cannot be opened ({error.strerror}): check that you may read it."
            ) from error
    else:
        file = io.BytesIO(source)
    if not endings.size_of(file):
        file.close()
        raise AudioError(f"{name} is empty (0 bytes): record or copy it again.")
    return file


def _open_container(file: IO[bytes], name: str) -> "InputContainer":
    import av
    from av.error import FFmpegError

    beginning = file.read(12)
    file.seek(0)
    try:
        return av.open(file, "r", options={"format_whitelist": _FORMATS})
    except (FFmpegError, ValueError) as error:
        if beginning.startswith(_BEGINNINGS) or beginning[4:8] == b"ftyp":
            raise AudioError(
                f"{name} is damaged or cut off, and nothing of it can be read: "
                "copy, export or record it again."
            ) from error
        raise AudioError(f"{name} is not a sound file: choose {KINDS}.") from error
