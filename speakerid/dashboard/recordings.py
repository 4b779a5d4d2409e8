"""Who spoke when in a recording: the Listener over a file, in a thread, with progress; strangers told apart.

No Streamlit here. The same Listener as on the live page hears the file in the same 20 ms blocks.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from speakerid.audio.container import Sound
from speakerid.audio.decode import Stream, stream
from speakerid.audio.format import RATE
from speakerid.dashboard.eventlog import Entry
from speakerid.dashboard.recording_sound import RecordedSound
from speakerid.errors import SpeakerIdError
from speakerid.gallery import UNKNOWN, Gallery
from speakerid.identify import Decision, Listener, Turn
from speakerid.identify.scoring import Scorer

if TYPE_CHECKING:
    from speakerid.model import Encoder

SAME_STRANGER = 1.4
"""Average log-likelihood ratio from which turns of unknown voices count as one stranger's.

On 300 draws of 1 to 4 people with up to 6 turns of 3 s each (speechocean762, test speakers), the number of
strangers came out right in 79 %; 2 % of the pairs of one voice were split and 6 % of those of two mixed.
"""

SameVoice = Callable[[np.ndarray, np.ndarray, tuple[float, float]], float]
"""(embedding, embedding, seconds of both) → log-likelihood ratio that they are one voice's."""

_LEAST_SECONDS = 1.5  # of speech in a turn whose voice is compared; a shorter one is too uncertain


@dataclass(frozen=True)
class Heard:
    """How far an analysis is.

    Attributes:
        seconds: of the recording heard so far.
        turns: who spoke when so far.
        running: whether more is to come.
        warnings: what was lost of the file, as sentences.
        error: why it failed, as a sentence; "" if it did not.
    """

    seconds: float = 0.0
    turns: tuple[Turn, ...] = ()
    running: bool = True
    warnings: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, eq=False)
class Voice:
    """What an unknown voice sounded like at one decision."""

    at: float
    seconds: float
    embedding: np.ndarray = field(repr=False)


class Analysis:
    """One recording on its way through a Listener.

    Args:
        recording: its blocks; read in the analysis's own thread.
        make_listener: makes the Listener, there too (it may wait for the model).

    Attributes:
        sound: what was heard so far.
        calibrated: whether its confidences can be taken at their word.
    """

    def __init__(self, recording: Stream, make_listener: Callable[[], Listener]):
        self._recording = recording
        self._make_listener = make_listener
        self._stop = threading.Event()
        self._heard = Heard()
        self._strangers: list[Voice] = []
        self._same_voice: SameVoice = Scorer().same_voice
        self.calibrated = True
        self.sound = RecordedSound()
        self._thread = threading.Thread(target=self._run, name="analyze-recording", daemon=True)
        self._thread.start()

    @property
    def heard(self) -> Heard:
        """How far it is; immutable."""
        return self._heard

    def close(self) -> None:
        """Give up, and free the sound."""
        self._stop.set()
        self._thread.join(timeout=10.0)
        self.sound.close()

    def entries(self) -> list[Entry]:
        """The turns as a log; strangers that are told apart are "unknown 1", "unknown 2" …"""
        turns = self._heard.turns
        names = tell_strangers_apart(turns, self._strangers, self._same_voice)
        return [
            Entry(turn.start, turn.end, name, turn.confidence, turn.speaker)
            for turn, name in zip(turns, names, strict=True)
        ]

    def _run(self) -> None:
        seconds, error = 0.0, ""
        try:
            listener = self._make_listener()
            self._same_voice = listener.scorer.same_voice
            self.calibrated = listener.scorer.calibrated
            for number, block in enumerate(self._recording):
                if self._stop.is_set():
                    break
                self.sound.add(block)
                self._keep(listener.push(block))
                seconds += len(block) / RATE
                if number % 50 == 0:
                    self._heard = Heard(seconds, tuple(listener.turns))
            self._keep(listener.flush())
            self._heard = Heard(seconds, tuple(listener.turns))
        except SpeakerIdError as refused:
            error = str(refused)
        except Exception as unexpected:
            error = f"The analysis stopped ({unexpected}); the server's log says more."
            raise
        finally:
            self._heard = replace(
                self._heard, seconds=seconds, running=False, warnings=self._recording.warnings, error=error
            )

    def _keep(self, decisions: Iterable[Decision]) -> None:
        for decision in decisions:
            if decision.speaker == UNKNOWN and decision.embedding is not None and decision.details:
                self._strangers.append(Voice(decision.at, decision.details.seconds, decision.embedding))


class RecordingPage:
    """What one visit to the Recordings page remembers.

    Attributes:
        analysis: of the recording that was chosen last; None before.
        name: the recording's.
        duration: seconds that its header promises; 0.0 if it does not say.
    """

    def __init__(self) -> None:
        self.analysis: Analysis | None = None
        self.name = ""
        self.duration = 0.0
        self._entries: list[Entry] | None = None

    def start(self, data: bytes, name: str, encoder: "Callable[[], Encoder]", gallery: Gallery) -> None:
        """Begin to analyze a recording, instead of the one before.

        Raises:
            AudioError: it is no recording.
        """
        self.close()
        sound = Sound(data, name)
        self.duration = sound.told
        sound.close()
        self.name = name
        self.analysis = Analysis(stream(data, name=name), lambda: Listener(encoder(), gallery))

    def entries(self) -> list[Entry]:
        """The turns of a finished analysis."""
        if self._entries is None:
            self._entries = self.analysis.entries() if self.analysis else []
        return self._entries

    def named(self, name: str, starts: Sequence[float]) -> None:
        """A person says who speaks in the turns that begin at these seconds."""
        self._entries = [
            replace(entry, speaker=name) if entry.start in starts else entry for entry in self.entries()
        ]

    def close(self) -> None:
        """End the analysis and forget it."""
        if self.analysis:
            self.analysis.close()
        self.analysis = self._entries = None


def tell_strangers_apart(turns: Sequence[Turn], voices: Sequence[Voice], same_voice: SameVoice) -> list[str]:
    """Names for turns: unknown voices become "unknown 1", "unknown 2" … in the order in which they are heard.

    Turns of unknown voices are joined while the average evidence between two groups is at least SAME_STRANGER
    (agglomerative clustering, average linkage). A turn too short to compare stays "unknown", and so do all of
    them if there is only one stranger.
    """
    means = {index: mean for index, turn in enumerate(turns) if (mean := _voice_of(turn, voices)) is not None}
    heard = list(means.values())
    alike = np.zeros((len(heard), len(heard)))
    for row, first in enumerate(heard):
        for column, second in enumerate(heard[:row]):
            seconds = (first.seconds, second.seconds)
            alike[row, column] = alike[column, row] = same_voice(first.embedding, second.embedding, seconds)
    groups = cluster(alike, SAME_STRANGER)
    if len(set(groups)) < 2:
        return [turn.speaker for turn in turns]
    numbers = dict(zip(means, groups, strict=True))
    return [
        f"{UNKNOWN} {numbers[index] + 1}" if index in numbers else turn.speaker
        for index, turn in enumerate(turns)
    ]


def cluster(alike: np.ndarray, least: float) -> list[int]:
    """Group numbers 0, 1, … in order of appearance, by average linkage.

    Args:
        alike: [n, n], symmetric; the diagonal does not matter.
        least: average likeness down to which two groups are joined.
    """
    label = np.arange(len(alike))
    size = np.ones(len(alike))
    between = alike.astype(float)  # summed over the members of two groups
    np.fill_diagonal(between, -np.inf)
    while len(alike) > 1:
        average = between / np.outer(size, size)
        first, second = sorted(np.unravel_index(int(average.argmax()), average.shape))
        if average[first, second] < least:
            break
        between[first] += between[second]
        between[:, first] += between[:, second]
        between[second] = between[:, second] = between[first, first] = -np.inf
        size[first] += size[second]
        label[label == second] = first
    order = list(dict.fromkeys(label.tolist()))
    return [order.index(group) for group in label.tolist()]


def _voice_of(turn: Turn, voices: Sequence[Voice]) -> Voice | None:
    """The mean voice of an unknown turn, weighted by the seconds heard; None if that is too little."""
    if turn.speaker != UNKNOWN:
        return None
    own = [voice for voice in voices if turn.start < voice.at <= turn.end + 0.5]
    longest = max((voice.seconds for voice in own), default=0.0)
    if longest < _LEAST_SECONDS:
        return None
    mean = np.average([voice.embedding for voice in own], axis=0, weights=[voice.seconds for voice in own])
    return Voice(turn.end, longest, mean / max(float(np.linalg.norm(mean)), 1e-9))
