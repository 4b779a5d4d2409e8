"""What one visit to the Enroll page remembers across reruns; gone when the visitor leaves. No Streamlit."""

from collections.abc import Callable, Collection
from typing import Any

from speakerid.audio.browser import BrowserSource
from speakerid.audio.decode import decode
from speakerid.dashboard.enroll.take import Collector, Progress, Recorder, Take, make_take
from speakerid.dashboard.shared.browser_stream import RecordedStream
from speakerid.errors import AudioError
from speakerid.gallery import EnrollmentReport


class Enrollment:
    """The recordings and the result of one visit.

    Attributes:
        source: what the browser's microphone feeds at the moment.
        stream: the connection that brings the browser's microphone.
        take: the guided recording, once it has ended.
        report: what was stored; None before.
        reasons: why nothing was stored, sentence by sentence.
        offer: the name under which the refused recording would fit; "" for none.
        offer_known: whether that is somebody enrolled, rather than a new name.
        save_now: whether to save without another click, for the offer was taken or turned down.
        distinct: (name, person): the visitor confirmed that it is not this person's voice under that name,
        though it sounds like it.
        round: counts the people enrolled in this visit; part of the keys of inputs that must start empty
        again.
    """

    def __init__(self) -> None:
        self.source: BrowserSource | None = None
        self.stream = RecordedStream()
        self.take: Take | None = None
        self.report: EnrollmentReport | None = None
        self.reasons: list[str] = []
        self.offer = ""
        self.offer_known = False
        self.save_now = False
        self.distinct: set[tuple[str, str]] = set()
        self.round = 0
        self.clear_inputs = False
        self._collector: Collector | None = None
        self._recorder: Recorder | None = None
        self._recorded: object = None  # the source of the latest recorder: none is recorded twice
        self._files: dict[str, Take | str] = {}
        self._chosen = ""

    def changed_source(self, chosen: str) -> bool:
        """Whether another way to record was chosen since the last call."""
        before, self._chosen = self._chosen, chosen
        return before not in ("", chosen)

    def look(self) -> Progress:
        """How far the guided recording is; the page looks twice a second while one runs, else it is ended."""
        self.stream.seen()
        return self._recorder.look() if self._recorder else Progress()

    def start(self, source: object, open_source: Callable[[], Any], ended: Callable[[Any], bool]) -> None:
        """Record from a source, after what was recorded before; once for each source."""
        if source is self._recorded or self.look().running or self.look().full:
            return
        self.take, self.report = None, None
        self.refuse([])
        self._recorded = source
        self._collector = self._collector or Collector()
        self._collector.begin()
        self._recorder = Recorder(open_source, self._collector, ended=ended)

    def finished(self, source: object) -> bool:
        """Whether this source was recorded and nothing more is wanted from it."""
        return source is self._recorded and not self.look().running

    def stop(self, name: str) -> None:
        """End the guided recording and keep what was heard as a take of this name."""
        if self._recorder and self._collector and self.take is None:
            self._recorder.close()
            samples = self._collector.samples()
            if len(samples):
                self.take = make_take(name, samples, gain_db=self._recorder.look().gain_db)

    def close(self) -> None:
        """Forget every recording; a saved result stays to be read."""
        self.stream.hang_up()
        if self._recorder:
            self._recorder.close()
        self._collector = self._recorder = self.take = None
        self.distinct.clear()
        self._files.clear()
        self.refuse([])

    def refuse(self, reasons: list[str], *, offer: str = "", known: bool = False) -> None:
        """Note why nothing was stored (no reasons: nothing was refused), and what name to offer instead."""
        self.reasons, self.offer, self.offer_known, self.save_now = reasons, offer, known, False

    def next_person(self) -> None:
        """Begin again with empty inputs."""
        self.close()
        self.report = None
        self.round += 1
        self.clear_inputs = True

    def file(self, key: str, data: bytes, name: str) -> Take | str:
        """The take of an uploaded file, or why it cannot be used; each one that is there is read once."""
        if key not in self._files:
            try:
                recording = decode(data, name=name)
                self._files[key] = make_take(name, recording.samples, recording.warnings, recording.gain_db)
            except AudioError as error:
                self._files[key] = str(error)
        return self._files[key]

    def only_files(self, keys: Collection[str]) -> None:
        """Forget the files that are not among these any more: who uploads one after another keeps one."""
        self._files = {key: take for key, take in self._files.items() if key in keys}
