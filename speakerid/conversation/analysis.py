"""Who spoke when in a recording: the Listener over a file, in a thread, with progress; strangers told apart.

No Streamlit here. The same Listener as on the live page hears the file in the same 20 ms blocks.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from speakerid.audio.decode import Stream
from speakerid.audio.format import RATE
from speakerid.conversation.entry import Entry, clock
from speakerid.conversation.recorded_sound import RecordedSound
from speakerid.conversation.strangers import Voice, split_strangers, tell_strangers_apart
from speakerid.errors import SpeakerIdError
from speakerid.gallery import UNKNOWN
from speakerid.identify import Decision, Listener, Turn
from speakerid.identify.scoring import Scorer


@dataclass(frozen=True)
class Heard:
    """How far an analysis is.

    Attributes:
        seconds: of the recording heard so far.
        turns: who spoke when so far.
        running: whether more is to come.
        told_apart: how far the strangers are told apart, 0..1; None while the recording is heard.
        warnings: what was lost of the file, as sentences.
        error: why it failed, as a sentence, and from what second on it was not heard; "" if it did not.
    """

    seconds: float = 0.0
    turns: tuple[Turn, ...] = ()
    running: bool = True
    told_apart: float | None = None
    warnings: tuple[str, ...] = ()
    error: str = ""


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
        self._seconds = 0.0
        self._strangers: list[Voice] = []
        self._entries: list[Entry] = []
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
        """The turns as a log, once it has ended; strangers told apart are "unknown 1", "unknown 2" …"""
        return list(self._entries)

    def _run(self) -> None:
        error = ""
        try:
            listener = self._make_listener()
            self.calibrated = listener.scorer.calibrated
            try:
                self._hear(listener)
            except SpeakerIdError as broken:
                error = str(broken)
                if listener.turns:
                    error += f" Up to {clock(self._seconds)} it was heard; what comes after that was not."
            self._keep(listener.flush())
            self._tell_apart(Heard(self._seconds, tuple(listener.turns)), listener.scorer)
        except SpeakerIdError as refused:
            error = str(refused)
        except Exception as unexpected:
            error = (
                f"The analysis stopped at {clock(self._seconds)} ({unexpected}), and what comes after that "
                "was not heard; the server's log says more."
            )
            raise
        finally:
            if error and not self._entries:  # what was heard before is shown all the same
                self._entries = [_entry(turn, turn.speaker) for turn in self._heard.turns]
            self._heard = replace(
                self._heard,
                seconds=self._seconds,
                running=False,
                warnings=self._recording.warnings,
                error=error,
            )

    def _hear(self, listener: Listener) -> None:
        for number, block in enumerate(self._recording):
            if self._stop.is_set():
                break
            self.sound.add(block, self._recording.gain_db)
            self._keep(listener.push(block))
            self._seconds += len(block) / RATE
            if number % 50 == 0:
                self._heard = Heard(self._seconds, tuple(listener.turns))

    def _tell_apart(self, heard: Heard, scorer: Scorer) -> None:
        def progress(share: float) -> None:
            self._heard = replace(heard, told_apart=share)

        turns = split_strangers(heard.turns, self._strangers, scorer)
        names = tell_strangers_apart(turns, self._strangers, scorer, progress)
        self._entries = [_entry(turn, name) for turn, name in zip(turns, names, strict=True)]

    def _keep(self, decisions: Iterable[Decision]) -> None:
        for decision in decisions:
            if decision.speaker == UNKNOWN and decision.embedding is not None and decision.details:
                seconds = decision.details.seconds
                self._strangers.append(Voice(decision.at, seconds, decision.embedding, decision.start))


def _entry(turn: Turn, name: str) -> Entry:
    return Entry(turn.start, turn.end, name, turn.confidence, turn.speaker)
