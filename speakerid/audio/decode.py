"""Recordings: whatever a person has, whole (`decode`) or as a stream of blocks of any length (`stream`).

Both go through one path (PyAV, `Downmix`, soxr to 16 kHz, `Normalizer`), so a recording gives the same
samples either way.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from speakerid.audio.container import Sound
from speakerid.audio.format import RATE, Block
from speakerid.audio.kinds import MAX_SECONDS, clock, length
from speakerid.audio.normalize import Normalizer
from speakerid.audio.opening import MAX_BYTES, source_of
from speakerid.audio.resample import Resampler
from speakerid.errors import AudioError
from speakerid.plural import counted

MIN_SECONDS = 0.4
"""A shorter recording holds no voice that could be compared."""

_MOST_PLACES = 3  # of damage that a warning names
_SILENT_PEAK = 0.001  # -60 dBFS: a microphone that is off or muted


@dataclass(frozen=True)
class Recording:
    """A decoded recording.

    Attributes:
        samples: a block, float32 [n], 16 kHz mono, -1..1, normalized.
        name: what to call it in messages.
        warnings: one sentence each on what was wrong with it and what was done about it.
        gain_db: by how much its end was raised, because it is too quiet; 0 for a normal level.
    """

    samples: Block
    name: str
    warnings: tuple[str, ...]
    gain_db: float = 0.0

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.samples) / RATE


class Stream:
    """A recording as normalized blocks, in constant memory however long it is; may be iterated again.

    What comes through a pipe is read into memory at the first iteration.

    Attributes:
        name: what to call it in messages.
        warnings: as in `Recording`; complete after the last block.
        seconds: length of what was read so far.
        told: the length that the file claims, from the first block on; 0 where it claims none.
        gain_db: as in `Recording`, of what was read so far.
    """

    def __init__(
        self,
        source: str | Path | bytes,
        name: str,
        block: int,
        max_seconds: float,
        stop: threading.Event | None = None,
    ):
        if block < 1:
            raise ValueError(f"a block needs at least one sample, not {block}")
        self._source: str | Path | bytes = source
        self.name = _display_name(source, name)
        self.warnings: tuple[str, ...] = ()
        self.seconds = self.gain_db = self.told = 0.0
        self._block = block
        self._max_seconds = max_seconds
        self._stop = stop

    def __iter__(self) -> Iterator[Block]:
        """Blocks of the size asked for, the last one maybe shorter. Raises as `decode` does, in passing."""
        rest = np.zeros(0, np.float32)
        for piece in self._pieces():
            piece = np.concatenate([rest, piece]) if len(rest) else piece
            whole = len(piece) - len(piece) % self._block
            for at in range(0, whole, self._block):
                yield piece[at : at + self._block]
            rest = piece[whole:]
        if len(rest):
            yield rest

    def _pieces(self) -> Iterator[Block]:
        """Normalized samples in pieces as they come, checked."""
        self.warnings, self.seconds = (), 0.0
        self._source = source_of(self._source, self.name)
        sound = Sound(self._source, self.name)
        self.told = sound.told
        try:
            self._check_length(sound.expected)
            normalizer = Normalizer()
            count, peak = 0, 0.0
            for piece in _at_16_khz(sound):
                count += len(piece)
                self.seconds = count / RATE
                self._check_length(self.seconds)
                if self._stop is not None and self._stop.is_set():
                    raise AudioError(f"{self.name} was not read to its end: reading it was cancelled.")
                piece = normalizer.push(piece)
                self.gain_db = normalizer.gain_db
                peak = max(peak, float(np.abs(piece).max(initial=0.0)))
                yield piece
            self._check_end(sound, count, peak)
        finally:
            sound.close()

    def _check_length(self, seconds: float) -> None:
        if seconds > self._max_seconds + 0.01:  # a header may round
            raise AudioError(
                f"{self.name} is longer than {length(self._max_seconds)}: cut out a part of it; "
                "half a minute of speech is plenty to enroll a voice."
            )

    def _check_end(self, sound: Sound, count: int, peak: float) -> None:
        if not count:
            raise AudioError(f"{self.name} holds no sound: record or copy it again.")
        if self.seconds < MIN_SECONDS:
            raise AudioError(
                f"{self.name} is too short ({self.seconds:.1f} s): a voice needs at least {MIN_SECONDS} s, "
                "and some seconds are better."
            )
        if peak < _SILENT_PEAK:
            raise AudioError(
                f"{self.name} is silent: check that the microphone is on and not muted, and record again."
            )
        warnings = list(sound.notes)
        if sound.damaged:
            places = list(dict.fromkeys(clock(start) for start, _ in sound.damaged))
            rest = len(places) - _MOST_PLACES
            more = f" and {counted(rest, 'more place')}" if rest > 0 else ""
            lost = sum(seconds for _, seconds in sound.damaged)
            what = (
                f"{lost:.1f} s of it could not be read and are silent" if lost >= 0.05 else "a moment is lost"
            )
            warnings.append(
                f"{self.name} is damaged at {', '.join(places[:_MOST_PLACES])}{more}: {what}; "
                "the rest is used."
            )
        if sound.cut:
            of = f" of {sound.told:.1f} s" if sound.told > self.seconds + 0.1 else ""
            warnings.append(
                f"{self.name} is cut off before its end: the {self.seconds:.1f} s{of} that could be read "
                "are used; copy or export it again for the rest."
            )
        self.warnings = tuple(warnings)


def decode(
    source: str | Path | bytes,
    *,
    name: str = "",
    max_seconds: float = 600.0,
    stop: threading.Event | None = None,
) -> Recording:
    """A whole recording, from a path or from the bytes of a file (wav, flac, mp3, ogg, m4a, webm, mp4, …).

    Args:
        name: what to call it in messages; the file's name by default.
        max_seconds: the longest recording to take (by default ten minutes).
        stop: once it is set, from another thread, reading ends with an AudioError.

    Raises:
        AudioError: it is not there, not audio, without sound track, empty, larger than `MAX_BYTES`, shorter
            than `MIN_SECONDS`, longer than `max_seconds`, silent, or holds values that are not numbers.
            A recording that is cut off or damaged in the middle is no error: what could be read is in
            `samples`, and `warnings` says so.
    """
    whole = Stream(source, name, block=RATE, max_seconds=max_seconds, stop=stop)
    size = len(source) if isinstance(source, bytes) else _size_of(Path(source))
    if size > MAX_BYTES:
        raise AudioError(
            f"{whole.name} is larger than {MAX_BYTES // 1_000_000_000} GB: cut out the part in which the "
            "person speaks, or save it as mp3 or m4a."
        )
    blocks = list(whole)
    return Recording(np.concatenate(blocks), whole.name, whole.warnings, whole.gain_db)


def stream(
    source: str | Path | bytes,
    *,
    block: int = 320,
    max_seconds: float = MAX_SECONDS,
    name: str = "",
    stop: threading.Event | None = None,
) -> Stream:
    """A recording as blocks of `block` samples (20 ms by default), hours long, in constant memory.

    Iterate over the result; its `warnings` and `seconds` are complete after the last block. Errors are those
    of `decode`, raised while iterating: what is wrong with the file as such at once; too short, silent or
    longer than `max_seconds` (four hours by default) when that is known. `stop` is that of `decode`.
    """
    return Stream(source, name, block, max_seconds, stop)


def _at_16_khz(sound: Sound) -> Iterator[Block]:
    """The samples of a recording, resampled; its rate may change on the way (joined Ogg files do that)."""
    resampler, current = None, 0
    for rate, samples in sound:
        if resampler is None or rate != current:
            if resampler is not None:
                yield resampler.flush()
            resampler, current = Resampler(rate), rate
        yield resampler.push(samples)
    if resampler is not None:
        yield resampler.flush()


def _display_name(source: str | Path | bytes, name: str) -> str:
    if name:
        return name
    if isinstance(source, bytes) or str(source) == "-":
        return "The recording"
    return Path(source).name or str(source)


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # opening it says what is wrong
