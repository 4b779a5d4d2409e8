"""The heart: blocks of audio in, decisions about who is speaking out.

No thread, no clock, no I/O: its time is the samples that it has heard, so the same audio gives the same
decisions whatever the block size, and a recording is treated as a microphone is.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

from speakerid.audio.format import RATE
from speakerid.audio.vad import FRAME
from speakerid.identify.closed_set import tuned
from speakerid.identify.config import ListenerConfig, Window
from speakerid.identify.decision import UNKNOWN, Decision, Details, Turn, sure
from speakerid.identify.local_voices import NONE, LocalVoices
from speakerid.identify.scoring import Enrolled, Profiles, Scorer, Scores
from speakerid.identify.speech import Look, Speech
from speakerid.identify.tracker import Tracker
from speakerid.identify.turn_log import TurnLog
from speakerid.model.embedder import Embedder
from speakerid.model.segmentation import Segmenter

MOST_TOLD = 1000  # people whose numbers a decision tells, the likeliest ones; of the others they say nothing


class Kept(Enrolled, Protocol):
    """A voiceprint: somebody enrolled, as one model knows them."""

    @property
    def model(self) -> str: ...


class GalleryLike(Protocol):
    def speakers(self) -> Sequence[Kept]: ...


class _Call(NamedTuple):
    """How a voice was called, how surely, and when (sample)."""

    name: str
    confidence: float
    at: int


class Listener:
    """Names who is speaking in one stream of 16 kHz mono blocks.

    `push` does all at once with its own encoder. A live session calls `prepare`, has the windows embedded
    elsewhere and gives each to `accept`, in order; then calls `prepare` again, with an empty block if
    there is no new audio, until it returns nothing.

    Args:
        gallery: anything with speakers(); voiceprints of other models than the encoder's take no part.
    """

    def __init__(
        self,
        encoder: Embedder,
        gallery: GalleryLike,
        config: ListenerConfig | None = None,
        scorer: Scorer | None = None,
    ):
        self.encoder, self.gallery = encoder, gallery
        self.config = config or ListenerConfig()
        self.scorer = scorer or Scorer.for_model(encoder.id)
        self.skipped = 0
        self._speech = Speech(self.config.speech)
        self._voices = LocalVoices(Segmenter.load(), self.config.voices, self.config.speech.keep)
        self._pending = np.zeros(0, np.float32)
        self._log = TurnLog()
        self._shown: Decision | None = None
        self._silent_since = 0
        self._segment = -1
        self._pieces: list[
            tuple[int, np.ndarray]
        ] = []  # end (samples) and embedding of the stretch's windows
        self._recent: tuple[Window, np.ndarray] | None = None
        self._one_voice_until = 0  # sample up to which a takeover was looked for and not found
        self._called: dict[int, _Call] = {}  # how the voice of each slot was called last
        self.reload()

    def __repr__(self) -> str:
        return f"<Listener {self.encoder.id}, {self.heard:.1f} s heard>"

    @property
    def heard(self) -> float:
        """Seconds of audio heard."""
        return self._speech.heard / RATE

    @property
    def speech_probability(self) -> float:
        return self._speech.probability

    @property
    def snr_db(self) -> float:
        """Level of the speech above that of the pauses; NaN until both were heard."""
        return self._speech.signal.decibels

    @property
    def profiles(self) -> Profiles:
        """The people who may be named, as scoring wants them."""
        return self._profiles

    @property
    def turns(self) -> list[Turn]:
        """Who spoke when, as far as it is known now."""
        return self._log.turns

    def reload(self) -> None:
        """Take in the gallery as it is now; who is speaking is worked out anew."""
        people: list[Enrolled] = [
            person
            for person in self.gallery.speakers()
            if person.model == self.encoder.id
            and (self.config.people is None or person.name in self.config.people)
        ]
        if self.config.closed_set and self.config.tuned:
            people = tuned(people)
        self._profiles = self.scorer.profiles(people)
        tracker = self.config.tracker
        if self.config.closed_set:
            tracker = replace(tracker, unknown=0.0)
        self._tracker = Tracker(len(people), tracker)

    def configure(self, **changes: Any) -> None:
        """Use these settings of ListenerConfig from now on, and the defaults of all others."""
        self.config = replace(ListenerConfig(), **changes)
        self._speech.config, self._voices.config = self.config.speech, self.config.voices
        self.reload()

    def push(self, block: np.ndarray) -> list[Decision]:
        """Hear a block [n]; the decisions that it brought."""
        decisions: list[Decision] = []
        windows = self.prepare(block)
        while windows:
            spoken = [window.samples for window in windows if window.samples is not None]
            embeddings = iter(self.encoder.embed(spoken)) if spoken else iter(())
            for window in windows:
                decisions += self.accept(window, None if window.samples is None else next(embeddings))
            windows = self.prepare(np.zeros(0, np.float32))
        return decisions

    def flush(self) -> list[Decision]:
        """The stream has ended: hear what is left and close the last turn."""
        silence = int((self.config.speech.pause + self.config.nobody_after) * RATE) + 2 * FRAME
        return self.push(np.zeros(silence, np.float32))

    def prepare(self, block: np.ndarray) -> list[Window]:
        """Hear on until there is something to embed; audio beyond it waits for the next call."""
        if len(
            block
        ):  # else what waits is not copied: an hour pushed as one block costs as much as in small ones
            self._pending = np.concatenate([self._pending, block])
        at = 0
        windows: list[Window] = []
        while not windows and len(self._pending) - at >= FRAME:
            frame = self._pending[at : at + FRAME]
            self._voices.hear(frame)
            look = self._speech.frame(frame)
            at += FRAME
            windows = self._windows(look) if look else self._silence()
        self._pending = self._pending[at:]
        return windows

    @property
    def behind(self) -> float:
        """Seconds of audio that wait for the next call of prepare()."""
        return len(self._pending) / RATE

    def skip(self, windows: list[Window]) -> list[Decision]:
        """Instead of accept(): these windows will not be embedded, since newer audio waits.

        Returns the decisions that need no embedding: that nobody speaks any more.
        """
        decisions: list[Decision] = []
        for window in windows:
            if window.samples is None:
                decisions += self.accept(window, None)
            else:
                self.skipped += 1
        return decisions

    def accept(self, window: Window, embedding: np.ndarray | None) -> list[Decision]:
        """Take in a window's embedding [d]; the decisions that follow from it."""
        if embedding is None or window.kind == "pause":
            if window.kind == "nobody":
                return self._publish_nobody()
            self._log.end_at(window.look.end / RATE)
            return []
        if window.kind == "recent":
            self._recent = (window, embedding)
            return []
        if window.look.segment != self._segment:
            self._segment = window.look.segment
            self._pieces = []
            self._tracker.begin(window.look.pause)
        if self._recent and self._changed(*self._recent):
            window, embedding = self._restart(*self._recent)
        self._recent = None
        self._pieces.append((window.look.end, embedding))
        return self._decide(window, embedding)

    def _windows(self, look: Look) -> list[Window]:
        if look.over:
            self._silent_since = look.end
            return [Window("pause", look)]
        start = max(look.start, look.end - int(self.config.max_window * RATE))
        newest = self._newest(look)
        windows = [] if newest is None else [self._window("recent", look, newest)]
        return [*windows, self._window("stretch", look, start)]

    def _window(self, kind: Literal["recent", "stretch"], look: Look, start: int) -> Window:
        main = self._voices.main(start, look.end)
        samples = self._one_voice(start, look.end)
        return Window(kind, look, samples, start, main, self._voices.beside(main))

    def _newest(self, look: Look) -> int | None:
        """The sample from which on the stretch is to be held against what came before; None for not now."""
        if self.config.voices.takeovers:
            at = self._voices.takeover(max(look.start, self._one_voice_until))
            return at if at is not None and look.end - at >= self.config.voices.least * RATE else None
        recent = int(self.config.recent * RATE)
        if look.end - look.start < 1.6 * recent:
            return None
        if self.config.voices.leave_out:
            # Two voices at once are like neither of them alone: that is no change.
            clean = self._voices.clean(look.end - recent, look.end)
            if clean.sum() < self.config.voices.least * RATE:
                return None
        return look.end - recent

    def _one_voice(self, start: int, end: int) -> np.ndarray:
        """The audio from start to end without the frames in which two speak, unless too little is left."""
        samples = self._speech.audio(start, end)
        if not self.config.voices.leave_out:
            return samples
        clean = self._voices.clean(end - len(samples), end)
        return samples[clean] if clean.sum() >= self.config.voices.least * RATE else samples

    def _silence(self) -> list[Window]:
        if self._speech.speaking or self._shown is None or self._shown.speaker is None:
            return []
        heard = self._speech.heard
        if heard - self._silent_since < self.config.nobody_after * RATE:
            return []
        return [Window("nobody", Look(self._segment, heard, heard, heard, True, 0.0))]

    def _changed(self, window: Window, embedding: np.ndarray) -> bool:
        """Whether the end of the stretch is another voice than what came before it."""
        slack = int(0.2 * self.config.recent * RATE)
        before = [piece for end, piece in self._pieces if end <= window.since + slack]
        if not before:
            return False
        age = (window.since - window.look.start) / RATE
        if self.scorer.same_voice(before[-1], embedding, (age, window.seconds)) < self.config.change:
            return True
        if window.seconds >= self.config.recent:
            self._one_voice_until = window.since
        return False

    def _restart(self, window: Window, embedding: np.ndarray) -> tuple[Window, np.ndarray]:
        start = window.since
        self._log.end_at(start / RATE)
        self._speech.restart(start)
        self._tracker.begin(None)
        self._segment = self._speech.segment
        self._pieces = []
        look = replace(window.look, segment=self._segment, start=start, pause=0.0)
        return replace(window, kind="stretch", look=look), embedding

    def _decide(self, window: Window, embedding: np.ndarray) -> list[Decision]:
        scores = self.scorer.score(embedding[None], np.array([window.seconds]), self._profiles)
        full = window.seconds >= 0.99 * self.config.max_window
        posterior = self._tracker.hear(scores.llr[0], full, self._turn_age(window))
        speaker, confidence, reason = self._choose(posterior, window)
        if speaker is None:
            return []
        beside = self._beside(window, speaker, confidence)
        decision = Decision(
            at=window.look.heard / RATE,
            speaker=speaker,
            confidence=confidence,
            scores={**self._by_name(posterior, posterior), UNKNOWN: float(posterior[-1])},
            embedding=embedding,
            details=self._details(scores, posterior, window.seconds, reason),
            segment=self._segment,
            start=window.look.start / RATE,
            also=tuple(call.name for call in beside),
        )
        before, self._shown = self._shown, decision
        if self._clear(before, decision):
            self._speech.ease()
        end = window.look.end / RATE
        self._log.add(decision, end)
        for call in beside:
            self._log.add_beside(call.name, end - self.config.voices.beside, end, call.confidence)
        return [decision]

    def _clear(self, before: Decision | None, now: Decision) -> bool:
        """Whether a name is as sure as it has to be for fewer looks, twice in a row."""
        return before is not None and all(
            one.segment == self._segment
            and one.speaker == now.speaker
            and one.confidence >= self.config.at_ease
            for one in (before, now)
        )

    def _beside(self, window: Window, speaker: str, confidence: float) -> list[_Call]:
        """How those are called who speak beside the main voice; whose slot nobody knows is unknown."""
        end = window.look.end
        if window.main != NONE:
            self._called[window.main] = _Call(speaker, confidence, end)
        calls: list[_Call] = []
        for slot in window.others:
            call = self._called.get(slot)
            taken = (speaker, *(one.name for one in calls))
            if call is None or end - call.at > self.config.voices.memory * RATE or call.name in taken:
                call = _Call(UNKNOWN, 0.0, end)
            calls.append(call)
        return calls

    def _turn_age(self, window: Window) -> float:
        """Seconds since the turn began, breaths included, that this stretch is known to belong to; else 0."""
        turn = self._log.last
        if turn is None or self._shown is None or self._shown.segment != self._segment:
            return 0.0
        return window.look.end / RATE - turn.start

    def _choose(self, posterior: np.ndarray, window: Window) -> tuple[str | None, float, str]:
        """The open-set decision: a name, "unknown", or None to wait for more."""
        config, names = self.config, self._profiles.names
        if not names:
            return UNKNOWN, 1.0, "nobody is enrolled"
        order = _likeliest(posterior, 2)
        best, ahead = int(order[0]), float(posterior[order[0]])
        second = float(posterior[order[1]]) if len(names) > 1 else 0.0
        if config.closed_set:
            return names[best], ahead, f"at {sure(ahead)} the likeliest of the people enrolled"
        shown = self._shown.speaker if self._shown and self._shown.segment == self._segment else None
        needed = config.threshold - (config.hysteresis if shown == names[best] else 0.0)
        if ahead >= needed and ahead - second >= config.margin:
            return names[best], ahead, f"at {sure(ahead)} ahead of everybody else"
        unknown = float(posterior[-1])
        if ahead < needed:
            reason = f"the nearest, {names[best]}, reaches {sure(ahead)} of the {needed:.0%} needed"
        else:
            reason = f"{names[best]} and {names[int(order[1])]} are too close to tell apart"
        age = (window.look.end - window.look.start) / RATE
        if shown is not None or age >= config.patience or unknown >= config.surely_unknown:
            return UNKNOWN, unknown, reason
        return None, 0.0, ""

    def _details(self, scores: Scores, posterior: np.ndarray, seconds: float, reason: str) -> Details:
        names = self._profiles.names
        cosine, normalized, llr = (
            self._by_name(posterior, values[0]) for values in (scores.cosine, scores.normalized, scores.llr)
        )
        runner_up = names[int(_likeliest(posterior, 2)[1])] if len(names) > 1 else None
        return Details(
            cosine, normalized if self.scorer.cohort is not None else {}, llr, seconds, runner_up, reason
        )

    def _by_name(self, posterior: np.ndarray, values: np.ndarray) -> dict[str, float]:
        names = self._profiles.names
        if len(names) <= MOST_TOLD:
            return dict(zip(names, values[: len(names)].tolist(), strict=True))
        return {names[row]: float(values[row]) for row in _likeliest(posterior, MOST_TOLD).tolist()}

    def _publish_nobody(self) -> list[Decision]:
        self._shown = Decision(at=self.heard, speaker=None, confidence=1.0, segment=self._segment)
        return [self._shown]


def _likeliest(posterior: np.ndarray, count: int) -> np.ndarray:
    """So many of the people, by their place, the likeliest first; the last probability is of nobody's."""
    people = posterior[:-1]
    rows = (
        np.arange(len(people)) if len(people) <= count else np.sort(np.argpartition(-people, count)[:count])
    )
    return rows[np.argsort(-people[rows], kind="stable")]
