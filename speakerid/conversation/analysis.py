"""Who spoke when in a recording: the Listener over a file, in a thread, with progress; strangers told apart.

No Streamlit here. The same Listener as on the live page hears the file in the same 20 ms blocks.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from speakerid.audio.decode import Stream
from speakerid.conversation.entry import Entry, clock
from speakerid.conversation.hearing import Hearing
from speakerid.conversation.recorded_sound import RecordedSound
from speakerid.errors import SpeakerIdError
from speakerid.identify import Listener, Turn


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
            hearing = Hearing(listener)
            try:
                self._hear(hearing)
            except SpeakerIdError as broken:
                error = str(broken)
                if listener.turns:
                    error += f" Up to {clock(self._seconds)} it was heard; what comes after that was not."
            hearing.flush()
            self._tell_apart(Heard(self._seconds, tuple(hearing.turns)), hearing)
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

    def _hear(self, hearing: Hearing) -> None:
        for number, block in enumerate(self._recording):
            if self._stop.is_set():
                break
            self.sound.add(block, self._recording.gain_db)
            hearing.push(block)
            self._seconds = hearing.seconds
            if number % 50 == 0:
                self._heard = Heard(self._seconds, tuple(hearing.turns))

    def _tell_apart(self, heard: Heard, hearing: Hearing) -> None:
        def progress(share: float) -> None:
            self._heard = replace(heard, told_apart=share)

        self._entries = list(hearing.conversation(progress=progress).turns)


def _entry(turn: Turn, name: str) -> Entry:
    return Entry(turn.start, turn.end, name, turn.confidence, turn.speaker)
