"""Open a sound file of any kind with PyAV and read mono samples from it, noticing what is wrong with it.

Only sound formats are opened (a playlist could point at other files and at the network), and only through a
Python file object, so that a name such as `http://…` is never taken for an address.
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

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
_TELL_LENGTH = {"wav", "w64", "flac", "mov", "matroska", "aiff", "caf", "ogg"}
_BEGINNINGS = (b"RIFF", b"fLaC", b"OggS", b"ID3", b"FORM", b"caff", b"\x1aE\xdf\xa3")
_LEAST_RATE = 4000  # below, a voice cannot be told from another one
_OGG_PAGE = 65_307  # the longest page of an Ogg file
_WEBM_SOUND = (b"\xa3", b"\xa0", b"\x1fC\xb6u")  # SimpleBlock, BlockGroup, Cluster: more sound begins
_WEBM_HEAD = 4  # bytes of a block before its packet: track, time, flags


class Sound:
    """An open recording; iterate once over (rate, float32 [n] mono samples as they were recorded).

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
        if self._formats & _TELL_LENGTH or ("mp3" in self._formats and _mp3_tells_length(self._file)):
            alone = len(self._container.streams) == 1
            if self._stream.duration and self._stream.time_base:
                self.told = float(self._stream.duration * self._stream.time_base)
            elif self._container.duration and alone:
                self.told = self._container.duration / 1_000_000

    def close(self) -> None:
        """Close the file."""
        self._container.close()
        self._file.close()

    def __iter__(self) -> Iterator[tuple[int, np.ndarray]]:
        import av
        from av.error import FFmpegError

        read = 0.0  # seconds
        failed = 0  # pieces since the last good one
        end = 0  # where the last packet ends in the file
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except FFmpegError:
                self.cut = True
                break
            if packet is None:
                break
            end = max(end, (packet.pos or 0) + packet.size)
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
                yield self._rate(frame), self._mono(frame)
        self.cut |= failed > 0 or read < self.told * 0.99 - 0.5 or self._ends_early(end)

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
        if not np.isfinite(scaled).all():
            raise AudioError(
                f"{self.name} holds values that are not numbers, so its sound cannot be trusted: "
                "export it again, best as 16-bit wav or flac."
            )
        return scaled.mean(axis=0)

    def _ends_early(self, end: int) -> bool:
        """Whether a file whose header tells no true length stops in the middle, its last packet at `end`."""
        if "ogg" in self._formats:
            return not _ogg_is_whole(self._file)
        if "matroska" in self._formats and not self.told and len(self._container.streams) == 1:
            # A browser records webm without a length; a last block that FFmpeg left out was not complete.
            return _tail(self._file, _size(self._file) - end - _WEBM_HEAD).startswith(_WEBM_SOUND)
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
    if not _size(file):
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


def _size(file: IO[bytes]) -> int:
    here = file.tell()
    size = file.seek(0, io.SEEK_END)
    file.seek(here)
    return size


def _tail(file: IO[bytes], count: int) -> bytes:
    """The last `count` bytes; the file stays where it is."""
    here = file.tell()
    file.seek(max(0, _size(file) - max(0, count)))
    data = file.read(max(0, count))
    file.seek(here)
    return data


def _ogg_is_whole(file: IO[bytes]) -> bool:
    """Whether the last page is complete and marked as the last one (RFC 3533: header type bit 4)."""
    tail = _tail(file, _OGG_PAGE)
    at = tail.rfind(b"OggS")
    if at < 0 or len(tail) < at + 27:
        return False
    segments = tail[at + 26]
    sizes = tail[at + 27 : at + 27 + segments]
    complete = len(sizes) == segments and len(tail) >= at + 27 + segments + sum(sizes)
    return complete and bool(tail[at + 5] & 4)


def _mp3_tells_length(file: IO[bytes]) -> bool:
    """Whether the first frame carries the number of frames (a Xing, Info or VBRI header)."""
    here = file.tell()
    file.seek(0)
    head = file.read(10)
    start = 0
    if head[:3] == b"ID3":  # its size: four bytes of seven bits
        start = 10 + sum(byte << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
    file.seek(start)
    frame = file.read(256)
    file.seek(here)
    return any(mark in frame for mark in (b"Xing", b"Info", b"VBRI"))
