"""A guided recording: how much speech was heard so far, what to do better, and when there is enough.

No Streamlit here. A `Recorder` runs a thread that moves sound from a source's ring into a `Collector`; the
page looks at its progress, which is immutable. The thread ends by itself when there is enough, when the
source ends, and when nobody has looked for some seconds (a closed browser tab sends no farewell).
"""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from speakerid.audio import quality, vad
from speakerid.audio.format import RATE, SILENCE_DBFS, empty, level
from speakerid.errors import SpeakerIdError
from speakerid.gallery.enrollment import spoken_spans

WANTED_SPEECH_SECONDS = 15.0
"""A recording stops by itself here: three times what is needed, about three sentences."""

LONGEST_SECONDS = 90.0
"""A recording stops here even if nobody spoke."""

_CLIPPED = 0.005  # share of samples with their peaks cut off; enrollment refuses twice as much
_QUIET_DBFS = -50.0  # speech below this is hard to tell from the microphone's own noise
_NOTHING_DBFS = -75.0  # below this, a microphone is muted or the wrong one
_SETTLING = int(0.5 * RATE)  # samples before which nothing is said about a recording's level
_RECENT = int(0.5 * RATE)  # samples that the level and its advice look back


@dataclass(frozen=True)
class Progress:
    """How far a recording is.

    Attributes:
        seconds: sound heard.
        speech_seconds: speech in it, with its short pauses, as the gallery counts it.
        pause: seconds since the last speech.
        level_dbfs: of the last half second, as it came in.
        clipped: whether the last half second touched full scale.
        lost: seconds of sound that came faster than they could be taken.
        full: whether it stopped by itself, for there is enough speech or it went on too long.
        running: whether more is on its way.
        error: why it ended, as a sentence for the person; "" if it did not fail.
        gain_db: by how much the source raises the sound, because it comes in too quiet.
        settling: whether the recording, or this part of it, has only begun, so that nothing can be said yet.
    """

    seconds: float = 0.0
    speech_seconds: float = 0.0
    pause: float = 0.0
    level_dbfs: float = SILENCE_DBFS
    clipped: bool = False
    lost: float = 0.0
    full: bool = False
    running: bool = False
    error: str = ""
    gain_db: float = 0.0
    settling: bool = False


def advice(progress: Progress) -> tuple[Literal["good", "warn", "bad"], str]:
    """(tone, sentence): what the person who reads aloud should know at this moment."""
    if progress.clipped:
        return "bad", "Too loud: move back a little or turn the microphone down."
    if progress.settling:
        return "good", "Listening …"
    if progress.seconds > 1.5 and progress.level_dbfs < _NOTHING_DBFS:
        return "warn", "Nothing is heard: is this the right microphone, and is it switched on?"
    if progress.pause > 2.5:
        return "warn", "No speech at the moment: please read on."
    if progress.pause < 0.3 and progress.speech_seconds > 0 and progress.level_dbfs < _QUIET_DBFS:
        return "warn", "Very quiet: come closer to the microphone."
    return "good", "Good. Read on in your usual voice." if progress.speech_seconds else "Listening …"


class Collector:
    """Keeps what was heard and counts the speech in it; for one thread that pushes and others that look."""

    def __init__(self, wanted: float = WANTED_SPEECH_SECONDS, longest: float = LONGEST_SECONDS):
        self._wanted = wanted
        self._longest = longest
        self._blocks: list[np.ndarray] = []
        self._recent = empty()
        self._activity = vad.VoiceActivity()
        self._samples = 0
        self._heard = empty()  # speech probability of each frame
        self._last_speech_frame = 0
        self._begun = 0  # samples heard before the latest START

    def begin(self) -> None:
        """A recording begins, or goes on: what was amiss before is no news any more."""
        self._begun = self._samples
        self._recent = empty()

    def push(self, block: np.ndarray) -> None:
        """Hear one block, float32 [n] at 16 kHz."""
        if not len(block):
            return
        self._blocks.append(block)
        self._samples += len(block)
        self._recent = np.concatenate([self._recent, block])[-_RECENT:]
        self._heard = np.concatenate([self._heard, self._activity.push(block)])
        spoken = np.flatnonzero(self._heard >= vad.SPEECH)
        self._last_speech_frame = int(spoken[-1]) + 1 if len(spoken) else 0

    def samples(self) -> np.ndarray:
        """Everything heard, float32 [n]."""
        return np.concatenate(self._blocks) if self._blocks else empty()

    def progress(
        self, *, running: bool = False, lost: float = 0.0, error: str = "", gain_db: float = 0.0
    ) -> Progress:
        """How far it is; the arguments are what only the source knows."""
        seconds = self._samples / RATE
        speech = sum(end - start for start, end in spoken_spans(self._heard, seconds))
        return Progress(
            seconds=seconds,
            speech_seconds=speech,
            pause=self._pause(),
            level_dbfs=level(self._recent) - gain_db,
            clipped=quality.clipped(self._recent) > _CLIPPED,
            lost=lost,
            full=speech >= self._wanted or seconds >= self._longest,
            running=running,
            error=error,
            gain_db=gain_db,
            settling=self._samples - self._begun < _SETTLING,
        )

    def _pause(self) -> float:
        """Seconds without speech, before the latest START not counted."""
        since = max(self._last_speech_frame * vad.FRAME, self._begun)
        return max(0.0, (len(self._heard) * vad.FRAME - since) / RATE)


class Recorder:
    """Moves sound from one source into a collector until there is enough.

    Args:
        open_source: makes the source as a context manager; entered and left in the recorder's own thread. The
            source has `.ring`, `.gain_db` and `.error` (a sentence, or None).
        ended: whether the source, given to it, will bring no more.
        abandoned_after: seconds without a `look()` after which nobody is there any more.
    """

    def __init__(
        self,
        open_source: Callable[[], AbstractContextManager[Any]],
        collector: Collector,
        *,
        ended: Callable[[Any], bool] = lambda source: False,
        abandoned_after: float = 4.0,
    ):
        self._open_source = open_source
        self._collector = collector
        self._ended = ended
        self._abandoned_after = abandoned_after
        self._looked_at = time.monotonic()
        self._stop = threading.Event()
        self._progress = collector.progress(running=True)
        self._thread = threading.Thread(target=self._run, name="guided-recording", daemon=True)
        self._thread.start()

    def look(self) -> Progress:
        """How far the recording is."""
        self._looked_at = time.monotonic()
        return self._progress

    def close(self) -> None:
        """End the recording; what was heard stays in the collector."""
        self._stop.set()
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        error = ""
        try:
            with self._open_source() as source:
                self._collect(source)
                error = str(source.error or "")
        except SpeakerIdError as refused:
            error = str(refused)
        except Exception as unexpected:
            error = f"The recording stopped ({unexpected}); please start it again."
            raise
        finally:
            heard = self._progress
            self._progress = self._collector.progress(lost=heard.lost, error=error, gain_db=heard.gain_db)

    def _collect(self, source: Any) -> None:
        while True:
            over = self._stop.wait(0.05) or bool(source.error) or self._ended(source)
            self._collector.push(source.ring.pop())
            self._progress = self._collector.progress(
                running=True, lost=source.ring.dropped / RATE, gain_db=source.gain_db
            )
            forgotten = time.monotonic() - self._looked_at > self._abandoned_after
            if over or forgotten or self._progress.full:
                return


@dataclass(frozen=True)
class Take:
    """One recording to enroll from, with what is known of it.

    Attributes:
        name: what the person calls it: a file's name, or the microphone's kind and the time.
        samples: float32 [n], 16 kHz.
        quality: its measures.
        speech: (start, end) of each piece of speech in seconds, short pauses included, as the gallery
            counts it.
        warnings: sentences on what was lost while it was read.
        gain_db: by how much it was raised when it came in, because it is too quiet.
    """

    name: str
    samples: np.ndarray
    quality: quality.Quality
    speech: tuple[tuple[float, float], ...]
    warnings: tuple[str, ...] = ()
    gain_db: float = 0.0

    @property
    def level_dbfs(self) -> float:
        """How loud the speech was when it came in."""
        return self.quality.level_dbfs - self.gain_db

    @property
    def speech_seconds(self) -> float:
        """How much speech is in it."""
        return sum(end - start for start, end in self.speech)


def make_take(name: str, samples: np.ndarray, warnings: tuple[str, ...] = (), gain_db: float = 0.0) -> Take:
    """Measure a recording, float32 [n] at 16 kHz."""
    heard = vad.speech_probabilities(samples)
    speech = tuple(spoken_spans(heard, len(samples) / RATE))
    return Take(name, samples, quality.measure(samples, heard), speech, warnings, gain_db)
