"""Where speech is in a stream, and when to look at it: the Listener's clock, counted in samples."""

import math
from dataclasses import dataclass

import numpy as np

from speakerid.audio.format import RATE, dbfs
from speakerid.audio.vad import FRAME, SPEECH, VoiceActivity


@dataclass(frozen=True)
class SpeechConfig:
    """Times in seconds.

    first: of speech before the first look, then every `early` until `grown` or until the listener is at
        ease, then every `late`.
    pause: of silence that ends a stretch of speech.
    """

    threshold: float = SPEECH
    release: float = 0.35
    first: float = 0.16
    early: float = 0.064
    grown: float = 1.2
    late: float = 0.256
    pause: float = 0.2
    longest: float = 3.0
    keep: float = 6.0  # of audio remembered


@dataclass(frozen=True)
class Look:
    """A moment to look at the stretch of speech since `start`; at `end` it goes on or, if `over`, has ended.

    All in samples since the stream began. pause: seconds between this stretch and the one before.
    """

    segment: int
    start: int
    end: int
    heard: int
    over: bool
    pause: float


class SignalToNoise:
    """Levels of speech and of pauses, over about the last ten seconds of each.

    What is neither surely speech nor surely a pause, such as the end of a word, counts as neither: as a pause
    it would be louder than the speech.
    """

    SHARE = FRAME / RATE / 10.0  # of a new frame in the mean
    PAUSE = 0.1  # probability of speech down to which a frame surely is a pause
    LEAST = 6  # frames of each (0.2 s) from which on the mean says something
    MOST = 60.0  # dB; a pause of digital silence would make it infinite

    def __init__(self) -> None:
        self._power = {True: 0.0, False: 0.0}  # of speech and of pauses
        self._frames = {True: 0, False: 0}

    @property
    def decibels(self) -> float:
        """Level of the speech above that of the pauses, 0..60; NaN until both were heard."""
        if min(self._frames.values()) < self.LEAST:
            return math.nan
        noise = self._power[False]
        speech = max(self._power[True] - noise, 0.0)  # a frame of speech holds the noise too
        return min(max(dbfs(speech) - dbfs(noise), 0.0), self.MOST)

    def hear(self, samples: np.ndarray, probability: float, speech: float) -> None:
        """A frame [n] and the probability of speech in it; from `speech` on it is speech."""
        if self.PAUSE < probability < speech:
            return
        kind = probability >= speech
        self._frames[kind] += 1
        share = max(self.SHARE, 1 / self._frames[kind])
        self._power[kind] += share * (float(samples @ samples) / len(samples) - self._power[kind])


class Memory:
    """The last samples of a stream: at least `keep` of them. What it gives out are copies."""

    ROOM = 2 * RATE  # samples that come before older ones are moved out of the way

    def __init__(self, keep: int):
        self._keep, self._held, self._heard = keep, 0, 0
        self._samples = np.zeros(keep + self.ROOM, np.float32)

    def push(self, samples: np.ndarray) -> None:
        """Remember at most ROOM samples [n]."""
        if self._held + len(samples) > len(self._samples):
            self._samples[: self._keep] = self._samples[self._held - self._keep : self._held]
            self._held = self._keep
        self._samples[self._held : self._held + len(samples)] = samples
        self._held += len(samples)
        self._heard += len(samples)

    def between(self, start: int, end: int) -> np.ndarray:
        """Samples start..end of the stream, as far back as they are remembered."""
        first = self._heard - self._held
        return self._samples[max(start - first, 0) : min(max(end - first, 0), self._held)].copy()


class Speech:
    """Cuts a stream into stretches of speech, frame by frame."""

    def __init__(self, config: SpeechConfig):
        self.config = config
        self.activity = VoiceActivity()
        self.signal = SignalToNoise()
        self.probability = 0.0
        self.speaking = False
        self.heard = 0  # samples
        self.segment = -1
        self.start = 0
        self._last_voiced = 0
        self._previous_end = 0
        self._next_look = 0
        self._at_ease = False
        self._memory = Memory(int(config.keep * RATE))

    def frame(self, samples: np.ndarray) -> Look | None:
        """Hear one frame [512]; a Look where this is a moment to look."""
        config = self.config
        self.probability = float(self.activity.push(samples)[0])
        self.signal.hear(samples, self.probability, config.threshold)
        before, self.heard = self.heard, self.heard + FRAME
        self._memory.push(samples)
        if self.probability >= (config.release if self.speaking else config.threshold):
            self._last_voiced = self.heard
            if not self.speaking:
                # silero needs about a frame of speech to notice it, so the onset lies before this frame.
                self._begin(max(before - FRAME, self._previous_end))
        if not self.speaking:
            return None
        if self.heard - self._last_voiced >= config.pause * RATE:
            self.speaking = False
            self._previous_end = self._last_voiced
            return self._look(over=True)
        if self.heard >= self._next_look and self._last_voiced == self.heard:
            self._plan(self.heard)
            return self._look(over=False)
        return None

    def restart(self, start: int) -> None:
        """The voice changed at `start` (samples): the stretch from there on is another one."""
        self._begin(start)
        self._previous_end = start
        self._plan(self.heard)

    def ease(self) -> None:
        """It is clear who speaks in this stretch: look seldom until it ends."""
        self._at_ease = True
        self._plan(self.heard)

    def audio(self, start: int, end: int) -> np.ndarray:
        """Samples start..end of the stream, as far back as they are remembered."""
        return self._memory.between(start, end)

    def _begin(self, start: int) -> None:
        self.speaking = True
        self.segment += 1
        self.start = start
        self._at_ease = False
        self._next_look = start + int(self.config.first * RATE)

    def _plan(self, now: int) -> None:
        age = (now - self.start) / RATE
        seldom = self._at_ease or age >= self.config.grown
        self._next_look = now + int((self.config.late if seldom else self.config.early) * RATE)

    def _look(self, over: bool) -> Look:
        pause = (self.start - self._previous_end) / RATE if self.segment else 1e6
        return Look(self.segment, self.start, self._last_voiced, self.heard, over, pause)
