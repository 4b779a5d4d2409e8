"""What every sound passes once, at the door: the DC offset goes, and a level that is far off is corrected.

Embeddings hardly depend on the level (the features subtract each band's mean), but the detection of speech
does: silero-vad hears speech down to about -60 dBFS and loses it below. So a normal recording passes with a
gain of exactly 1, and only speech quieter than `NORMAL_DBFS` is raised, slowly and by at most `MAX_GAIN_DB`.
Background noise alone never raises the gain: only sound that stands out of it is measured.
"""

import numpy as np

from speakerid.audio.format import RATE, Block, dbfs

NORMAL_DBFS = -45.0
"""Speech at least this loud (RMS while somebody speaks) passes unchanged; quieter speech is raised to it."""

MAX_GAIN_DB = 30.0

_CELL = RATE // 10  # samples between two decisions about the gain
DC_POLE = float(np.exp(-2 * np.pi * 20 / RATE))
"""Of the DC estimate, a one-pole low-pass at 20 Hz; while the sound is constant, y[n] = DC_POLE * y[n-1]."""

_POWERS = DC_POLE ** np.arange(_CELL + 1, dtype=np.float64)
_STANDS_OUT_DB = 10.0  # above the noise floor: taken for speech
_FLOOR_RISE_DB = 0.1  # a cell (1 dB/s): so that the floor follows a room that grows louder
_FASTEST_DB = 1.0  # change of the gain a cell (10 dB/s)
_MEMORY = 0.97  # weight of the past in the mean level of speech (3 s of speech) …
_MEMORY_LOUDER = 0.7  # … and where it grows louder, so that a near voice is not raised after a far one
_ENOUGH = 3  # cells of speech before the first decision
_DEAF_DBFS = -85.0  # below this nothing can be told from the noise of 16-bit samples


class Normalizer:
    """Normalizes one stream of sound; one instance a stream. `push` gives as many samples as it takes.

    All state moves on a fixed grid of 0.1 s cells, counted from the first sample, and within a cell every
    sample is computed by the same operations in the same order: the block size changes no bit.
    """

    def __init__(self):
        self._dc: float | None = None  # the DC estimate at the start of the cell
        self._sum = 0.0  # of the cell so far: what is added to the estimate, times DC_POLE ** -index
        self._filled = 0  # samples of the cell seen so far
        self._quiet = np.zeros(_CELL)  # the cell without DC
        self._level = _Level()
        self._gain_from = self._gain_to = 1.0  # the gain moves in a straight line through the cell

    @property
    def gain_db(self) -> float:
        """The gain in decibels at the end of the current cell; 0.0 for a normal level."""
        return float(20 * np.log10(self._gain_to))

    def push(self, block: Block) -> Block:
        """Normalize a block [n] -> [n], in -1..1.

        Raises:
            ValueError: a sample is not a finite number.
        """
        block = np.asarray(block, np.float64)
        if not np.isfinite(block).all():
            raise ValueError("a block of sound holds samples that are not finite numbers")
        out = np.empty(len(block), np.float32)
        at = 0
        while at < len(block):
            count = min(len(block) - at, _CELL - self._filled)
            out[at : at + count] = self._push_into_cell(block[at : at + count])
            at += count
        return out

    def _push_into_cell(self, samples: np.ndarray) -> np.ndarray:
        """At most the rest of the current cell."""
        begin, end = self._filled, self._filled + len(samples)
        quiet = self._without_dc(samples, begin, end)
        self._quiet[begin:end] = quiet
        if self._gain_from != 1.0 or self._gain_to != 1.0:
            along = np.arange(begin + 1, end + 1) / _CELL
            quiet = quiet * (self._gain_from + (self._gain_to - self._gain_from) * along)
        self._filled = end
        if end == _CELL:
            self._finish_cell()
        return np.clip(quiet, -1.0, 1.0)

    def _without_dc(self, samples: np.ndarray, begin: int, end: int) -> np.ndarray:
        """x - m with m[n] = p m[n-1] + (1 - p) x[n], unrolled over the cell so that numpy can run it.

        With index n counted in the cell: m[n] = p**(n+1) (m[-1] + (1 - p) sum over k of x[k] p**-(k+1)).
        The sum runs strictly from left to right, hence the same bits wherever a block ends.
        """
        if self._dc is None:
            self._dc = float(samples[0])  # a constant offset is gone from the first sample on
        weighed = (1 - DC_POLE) * samples / _POWERS[begin + 1 : end + 1]
        sums = np.cumsum(np.concatenate([[self._sum], weighed]))
        self._sum = float(sums[-1])
        return samples - _POWERS[begin + 1 : end + 1] * (self._dc + sums[1:])

    def _finish_cell(self) -> None:
        self._dc = float(_POWERS[_CELL] * ((self._dc or 0.0) + self._sum))
        self._sum = 0.0
        self._filled = 0
        self._gain_from = self._gain_to
        self._gain_to = self._level.next_gain(self._quiet)


class _Level:
    """How loud the speech of a stream is, and the gain in dB that follows from it, cell by cell."""

    def __init__(self):
        self._floor: float | None = None
        self._speech: float | None = None
        self._cells = 0
        self._gain_db = 0.0

    def next_gain(self, cell: np.ndarray) -> float:
        """Hear a whole cell (before the gain); -> the factor to reach by the end of the next one."""
        loudness = dbfs(float(np.mean(np.square(cell))))
        # An honest floor needs a floor: digital silence between words would make any hiss stand out.
        heard = max(loudness, _DEAF_DBFS)
        self._floor = heard if self._floor is None else min(heard, self._floor + _FLOOR_RISE_DB)
        if heard >= self._floor + _STANDS_OUT_DB:
            self._cells += 1
            past = loudness if self._speech is None else self._speech
            # The mean is taken over few cells at first, so that the first cell does not weigh for seconds.
            memory = min(_MEMORY_LOUDER if loudness > past else _MEMORY, 1 - 1 / self._cells)
            self._speech = memory * past + (1 - memory) * loudness
        self._move(loudness)
        return float(10 ** (self._gain_db / 20))

    def _move(self, loudness: float) -> None:
        wanted = 0.0
        if self._speech is not None and self._cells >= _ENOUGH:
            wanted = min(max(NORMAL_DBFS - self._speech, 0.0), MAX_GAIN_DB)
        step = min(max(wanted - self._gain_db, -_FASTEST_DB), _FASTEST_DB)
        self._gain_db += step
        # Somebody loud came near: a cell that would be raised to where it may clip ends the gain at once.
        self._gain_db = min(self._gain_db, max(0.0, -20.0 - loudness))


def normalize(samples: Block) -> Block:
    """Normalize a whole recording [n] -> [n]: the same numbers as streaming it through a `Normalizer`."""
    return Normalizer().push(samples)
