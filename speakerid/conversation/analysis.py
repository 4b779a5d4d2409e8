"""Who spoke when in a recording: both looks at a file, in a thread, with progress.

No Streamlit here. The same Listener as on the live page hears the file in the same 20 ms blocks.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from speakerid.audio.decode import Stream
from speakerid.conversation.conversation import Conversation
from speakerid.conversation.entry import Entry, clock
from speakerid.conversation.hearing import Hearing
from speakerid.conversation.recorded_sound import RecordedSound
from speakerid.conversation.sure_turns import surely_of_pieces
from speakerid.errors import SpeakerIdError
from speakerid.identify import Listener, Turn


@dataclass(frozen=True)
class Heard:
    """How far an analysis is.

    Attributes:
        seconds: of the recording heard so far.
        turns: who spoke when so far.
        running: whether more is to come.
        second_look: how far it is, 0..1; None while the recording is heard.
        warnings: what was lost of the file, as sentences.
        error: why it failed, as a sentence, and from what second on it was not heard; "" if it did not.
    """

    seconds: float = 0.0
    turns: tuple[Turn, ...] = ()
    running: bool = True
    second_look: float | None = None
    warnings: tuple[str, ...] = ()
    error: str = ""


class Analysis:
    """One recording on its way through a Listener.

    Args:
        recording: its blocks; read in the analysis's own thread.
        make_listener: makes the Listener, there too (it may wait for the model).
        name: of the recording.

    Attributes:
        sound: what was heard so far.
    """

    def __init__(self, recording: Stream, make_listener: Callable[[], Listener], name: str = ""):
        self._recording = recording
        self._make_listener = make_listener
        self._stop = threading.Event()
        self._heard = Heard()
        self._seconds = 0.0
        self._hearing: Hearing | None = None
        self._conversation = Conversation(name, 0.0, (), "", True)
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

    @property
    def conversation(self) -> Conversation:
        """Who spoke when, once it has ended."""
        return self._conversation

    def surely_one_voice(self, turn: int) -> list[bool]:
        """For each turn of the conversation, whether it surely is of the voice of turn number `turn`."""
        if self._hearing is None or self._hearing.pieces is None:
            return [number == turn for number in range(len(self._conversation.turns))]
        scorer = self._hearing.listener.scorer
        return surely_of_pieces(self._conversation.turns, turn, self._hearing.pieces, scorer)

    def _run(self) -> None:
        error = ""
        try:
            listener = self._make_listener()
            hearing = self._hearing = Hearing(listener)
            try:
                self._hear(hearing)
            except SpeakerIdError as broken:
                error = str(broken)
                if listener.turns:
                    error += f" Up to {clock(self._seconds)} it was heard; what comes after that was not."
            hearing.flush()
            self._look_again(Heard(self._seconds, tuple(hearing.turns)), hearing)
        except SpeakerIdError as refused:
            error = str(refused)
        except Exception as unexpected:
            error = (
                f"The analysis stopped at {clock(self._seconds)} ({unexpected}), and what comes after that "
                "was not heard; the server's log says more."
            )
            raise
        finally:
            if error and not self._conversation.turns:  # what was heard before is shown all the same
                turns = tuple(_entry(turn) for turn in self._heard.turns)
                self._conversation = replace(self._conversation, seconds=self._seconds, turns=turns)
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

    def _look_again(self, heard: Heard, hearing: Hearing) -> None:
        def progress(share: float) -> None:
            self._heard = replace(heard, second_look=share)

        warnings = self._recording.warnings
        self._conversation = hearing.conversation(self._conversation.name, warnings, progress)


def _entry(turn: Turn) -> Entry:
    return Entry(turn.start, turn.end, turn.speaker, turn.confidence, turn.speaker)
