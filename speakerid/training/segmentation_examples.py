"""What the segmentation network is taught with: meetings as features and slots, in a pool made on the way."""

from dataclasses import dataclass

import numpy as np

from speakerid.audio.format import RATE
from speakerid.model import Encoder
from speakerid.model.encoder import refusal
from speakerid.model.segmentation import AT_ONCE, FRAMES_A_STEP, STEP, Features
from speakerid.training.meetings import Meeting, MeetingSource
from speakerid.training.slots import slots_of

MOST_PEOPLE = 5
HINT_SAMPLES = 2 * RATE  # of a clip, which tell its speaker's embedding


@dataclass(frozen=True)
class Example:
    """features float16 [s, 320]; sets int64 [s, 2], two frames a step; alone int64 [s, 2]: who speaks alone,
    a row of voices float32 [MOST_PEOPLE, 192], else -1."""

    features: np.ndarray
    sets: np.ndarray
    alone: np.ndarray
    voices: np.ndarray


class Voices:
    """One unit embedding of each speaker, made when it is asked for."""

    def __init__(self, source: MeetingSource):
        self._source, self._encoder = source, Encoder.load()
        self._known: dict[int, np.ndarray] = {}

    def __call__(self, speakers: list[int]) -> np.ndarray:
        """Speakers' numbers -> float32 [MOST_PEOPLE, 192]; zeros where nothing is known."""
        rows = np.zeros((MOST_PEOPLE, 192), np.float32)
        for row, number in zip(rows, speakers, strict=False):
            if number not in self._known:
                self._known[number] = self._embedded(number)
            row[:] = self._known[number]
        return rows

    def _embedded(self, number: int) -> np.ndarray:
        samples = self._source.corpus.audio(self._source.speakers[number][0])[:HINT_SAMPLES]
        if refusal(samples) is not None:
            return np.zeros(192, np.float32)
        return self._encoder.embed([np.resize(samples, HINT_SAMPLES)])[0]


def example_of(meeting: Meeting, voices: Voices) -> Example:
    def steps(values: np.ndarray) -> np.ndarray:
        whole = len(values) // FRAMES_A_STEP * FRAMES_A_STEP
        return values[:whole].reshape(-1, FRAMES_A_STEP)

    alone = np.where(meeting.speaking.sum(axis=0) == 1, meeting.speaking.argmax(axis=0), -1)
    features = features_of(meeting.samples).astype(np.float16)
    return Example(features, steps(slots_of(meeting.speaking)), steps(alone), voices(meeting.speakers))


def features_of(samples: np.ndarray) -> np.ndarray:
    """[n] -> [n // 512, 320], in steps of 4 s."""
    features, length = Features(), AT_ONCE * STEP
    samples = samples[: len(samples) // STEP * STEP]
    return np.concatenate([features.push(samples[at : at + length]) for at in range(0, len(samples), length)])


class Pool:
    """Examples, made on the way."""

    def __init__(self, source: MeetingSource, capacity: int):
        self._source, self._voices, self._capacity = source, Voices(source), capacity
        self._examples: list[Example] = []
        self._made = 0.0

    def grow(self, count: float) -> None:
        """Add meetings; parts of one add up."""
        self._made += count
        while self._made >= 1:
            self._examples.append(example_of(self._source.meeting(), self._voices))
            self._made -= 1
        del self._examples[: max(0, len(self._examples) - self._capacity)]

    def draw(self, count: int) -> list[Example]:
        chosen = self._source.rng.choice(len(self._examples), count, replace=False)
        return [self._examples[k] for k in chosen]
