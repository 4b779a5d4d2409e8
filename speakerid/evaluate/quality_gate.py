"""How well enrollment tells good recordings from spoiled ones, on labelled recordings.

Every speaker's recordings are put together to enrollments of some seconds, in the order of their labels.
The first one of each speaker is enrolled in a gallery of its own; the others are tried against it. Then the
same enrollments are spoiled and tried again: whatever gets through is a fault of the gate, as is every good
one that does not. Behind the shares stand the measures that the gate's thresholds cut, so that they can be
set anew for another model.
"""

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from speakerid.audio.format import RATE
from speakerid.errors import EnrollmentRefused, SpeakerIdError
from speakerid.evaluate import EvaluationError
from speakerid.evaluate.degrade import clip, with_noise
from speakerid.evaluate.gate_measures import Measured, Tried, agreement
from speakerid.evaluate.trials import Utterance
from speakerid.gallery import Consent, Gallery, Voiceprint, voices
from speakerid.gallery import enrollment as gate
from speakerid.gallery.exemplars import Embedder, Spoken
from speakerid.gallery.voiceprint import unit

SECONDS = 10.0  # of recordings in one enrollment, at least
CLIPPED_SHARE, NOISE_DB = 0.10, 0.0  # how recordings are spoiled

GOOD = "good recordings"
NOISY, CLIPPED = "noise at 0 dB", "10 % clipped"
TURNS, AT_ONCE = "two voices in turn", "two voices at once"
NEW_NAME, WRONG_NAME = "enrolled voice, new name", "another's voice, this name"

Progress = Callable[[int, int, str], None]  # done, of how many, what


@dataclass(frozen=True)
class Enrollment:
    """Recordings of one speaker that are enrolled together: float32 [n] each, 16 kHz."""

    speaker: str
    blocks: list[np.ndarray]
    labels: list[str]


class Gate:
    """Tries enrollments and collects what came of them: `tried` by kind, `measured` by threshold."""

    def __init__(self, encoder: Embedder):
        self._encoder = Remembering(encoder)
        self._rng = np.random.default_rng(0)
        self.tried: dict[str, Tried] = {}
        self.measured = {
            name: Measured(name, getattr(module, name), above)
            for module, name, above in (
                (gate, "MIN_SPEECH_SECONDS", True),
                (gate, "MIN_SNR_DB", True),
                (gate, "MAX_CLIPPED", False),
                (voices, "TWO_VOICES", True),
                (voices, "CHANGE", False),
                (voices, "AT_ONCE", False),
                (gate, "OTHER_VOICE", False),
                (gate, "NEAR_MARGIN", False),
                (gate, "SAME_VOICE", True),
            )
        }
        self.exemplars: list[float] = []  # agreement of each with the others of its voiceprint

    def run(self, enrollments: Sequence[Enrollment], progress: Progress | None = None) -> None:
        """Try all of them: as they are, spoiled, and under wrong names."""
        with tempfile.TemporaryDirectory() as folder:
            gallery = Gallery.open(folder, passphrase="")
            people: dict[str, Voiceprint] = {}
            first = {}
            for one in enrollments:
                first.setdefault(one.speaker, one)
            for number, one in enumerate(first.values()):
                if progress:
                    progress(number, len(first), "enrolling")
                self._enroll(gallery, one)
            people = {person.name: person for person in gallery.speakers()}
        for person in people.values():
            self.exemplars += agreement(person.embeddings).tolist()
        for number, one in enumerate(enrollments):
            if progress:
                progress(number, len(enrollments), "trying")
            if one is not first[one.speaker]:
                self._again(one, people)
            self._spoiled(one, self._partner(one, enrollments))
        if progress:
            progress(len(enrollments), len(enrollments), "trying")

    def exemplar_quantiles(self, shares: Sequence[float]) -> list[float]:
        """The agreement of an exemplar with the others of its voiceprint that these shares lie below."""
        return (
            np.quantile(self.exemplars, shares).tolist() if self.exemplars else [float("nan")] * len(shares)
        )

    def _enroll(self, gallery: Gallery, one: Enrollment) -> None:
        """Enroll somebody new, as the pages do."""
        self._measure_good(one)
        consent = Consent.now("A recording of a public corpus.", "evaluation")
        try:
            gallery.enroll(one.speaker, one.blocks, self._encoder, consent=consent, sources=one.labels)
            self._count(GOOD, [])
        except EnrollmentRefused as refused:
            self._count(GOOD, refused.reasons)

    def _again(self, one: Enrollment, people: dict[str, Voiceprint]) -> None:
        """Somebody who is enrolled comes again: under their name, a new one, and somebody else's."""
        self._measure_good(one)
        try:
            examined = gate.examine(one.blocks, self._encoder, one.labels)
        except EnrollmentRefused as refused:
            self._count(GOOD, refused.reasons)
            return
        own = people.get(one.speaker)
        others = [person for person in people.values() if person is not own]
        self._count(GOOD, _owner(examined, one.speaker, own, others))
        if own is None or not others:
            return
        self._count(NEW_NAME, _owner(examined, "somebody new", None, [own, *others]))
        claimed = others[int(self._rng.integers(len(others)))]
        rest = [person for person in people.values() if person not in (own, claimed)]
        self._count(WRONG_NAME, _owner(examined, claimed.name, claimed, rest))
        voice = unit(examined.windows.mean(axis=0))
        scores = np.stack([person.centroid for person in others]) @ voice
        self.measured["OTHER_VOICE"].good.append(float(scores.max()))
        self.measured["OTHER_VOICE"].bad.append(float(own.centroid @ voice))
        if len(scores) > 1:
            self.measured["NEAR_MARGIN"].good.append(float(np.diff(np.sort(scores))[-1]))
        self.measured["NEAR_MARGIN"].bad.append(float(own.centroid @ voice - scores.max()))
        self.measured["SAME_VOICE"].good.append(float(own.centroid @ voice))
        self.measured["SAME_VOICE"].bad.append(float(claimed.centroid @ voice))

    def _spoiled(self, one: Enrollment, other: Enrollment | None) -> None:
        noisy = [with_noise(block, label, NOISE_DB) for block, label in _pairs(one)]
        clipped = [clip(block, CLIPPED_SHARE) for block in one.blocks]
        self._try(NOISY, noisy)
        self._try(CLIPPED, clipped)
        self.measured["MIN_SNR_DB"].bad += [_quality(block).snr_db for block in noisy]
        self.measured["MAX_CLIPPED"].bad += [_quality(block).clipped for block in clipped]
        if other is None:
            return
        mine, theirs = np.concatenate(one.blocks), np.concatenate(other.blocks)
        length = min(len(mine), len(theirs))
        turns = np.concatenate([mine[: length // 2], theirs[: length // 2]])
        louder = np.std(mine[:length]) / max(float(np.std(theirs[:length])), 1e-6)
        at_once = 0.5 * (mine[:length] + louder * theirs[:length]).astype(np.float32)
        self._try(TURNS, [turns])
        self._try(AT_ONCE, [at_once])
        for windows in self._windows([turns]):
            self.measured["TWO_VOICES"].bad.append(voices.agreement_of_voices(windows))
            self.measured["CHANGE"].bad.append(voices.change_of_voice(windows)[0])
        for windows in self._windows([at_once]):
            self.measured["AT_ONCE"].bad.append(voices.odds_at_once(windows, self._encoder.id))

    def _try(self, kind: str, blocks: list[np.ndarray]) -> None:
        try:
            gate.examine(blocks, self._encoder, [f"recording {i + 1}" for i in range(len(blocks))])
            self._count(kind, [])
        except EnrollmentRefused as refused:
            self._count(kind, refused.reasons)

    def _measure_good(self, one: Enrollment) -> None:
        qualities = [_quality(block) for block in one.blocks]
        self.measured["MIN_SNR_DB"].good += [quality.snr_db for quality in qualities]
        self.measured["MAX_CLIPPED"].good += [quality.clipped for quality in qualities]
        self.measured["MIN_SPEECH_SECONDS"].good.append(sum(part.seconds for part in _spoken(one.blocks)))
        for windows in self._windows(one.blocks):
            self.measured["TWO_VOICES"].good.append(voices.agreement_of_voices(windows))
            self.measured["CHANGE"].good.append(voices.change_of_voice(windows)[0])
            self.measured["AT_ONCE"].good.append(voices.odds_at_once(windows, self._encoder.id))

    def _windows(self, blocks: list[np.ndarray]) -> Iterator[np.ndarray]:
        """The windows that the gate looks at; none where it refuses for too little speech."""
        spoken = _spoken(blocks)
        if sum(part.seconds for part in spoken) >= gate.MIN_SPEECH_SECONDS:
            yield voices.voice_windows(spoken, self._encoder)

    def _partner(self, one: Enrollment, enrollments: Sequence[Enrollment]) -> Enrollment | None:
        others = [other for other in enrollments if other.speaker != one.speaker]
        return others[int(self._rng.integers(len(others)))] if others else None

    def _count(self, kind: str, reasons: Sequence[str]) -> None:
        self.tried.setdefault(kind, Tried()).add(reasons)


class Remembering:
    """An encoder that embeds each recording once; the gate and the measures look at the same ones."""

    def __init__(self, encoder: Embedder):
        self._encoder = encoder
        self._known: dict[bytes, np.ndarray] = {}

    @property
    def id(self) -> str:
        """That of the encoder."""
        return self._encoder.id

    def embed(self, blocks: list[np.ndarray]) -> np.ndarray:
        """As the encoder does."""
        keys = [hashlib.blake2b(block.astype(np.float32).tobytes()).digest() for block in blocks]
        new = {key: block for key, block in zip(keys, blocks, strict=True) if key not in self._known}
        if new:
            self._known.update(zip(new, self._encoder.embed(list(new.values())), strict=True))
        return np.stack([self._known[key] for key in keys])


def collect(utterances: Sequence[Utterance], seconds: float = SECONDS) -> list[Enrollment]:
    """Put the recordings of each speaker together to enrollments of at least so many seconds.

    What is left over at a speaker's end is not used, nor is a recording that cannot be decoded.

    Raises:
        EvaluationError: there is no enrollment of that length.
    """
    made = list(_collect(utterances, seconds))
    if not made:
        raise EvaluationError(
            f"No speaker has {seconds:g} seconds of recordings: give a smaller number with --seconds, or "
            "another manifest."
        )
    return made


def _collect(utterances: Sequence[Utterance], seconds: float) -> Iterator[Enrollment]:
    from speakerid.audio.decode import decode

    by_speaker: dict[str, list[Utterance]] = {}
    for utterance in sorted(utterances, key=lambda one: (one.speaker, one.label)):
        by_speaker.setdefault(utterance.speaker, []).append(utterance)
    for speaker, recordings in by_speaker.items():
        blocks: list[np.ndarray] = []
        labels: list[str] = []
        for utterance in recordings:
            try:
                blocks.append(decode(utterance.path).samples)
            except SpeakerIdError:
                continue
            labels.append(utterance.label)
            if sum(map(len, blocks)) >= seconds * RATE:
                yield Enrollment(speaker, blocks, labels)
                blocks, labels = [], []


def _owner(examined: gate.Examined, name: str, own: Voiceprint | None, others: list[Voiceprint]) -> list[str]:
    try:
        gate.check_owner(examined, name, own, others)
    except EnrollmentRefused as refused:
        return refused.reasons
    return []


def _spoken(blocks: Sequence[np.ndarray]) -> list[Spoken]:
    from speakerid.audio.vad import speech_probabilities

    spoken = []
    for block in blocks:
        probabilities = speech_probabilities(block)
        if gate.spoken_spans(probabilities, len(block) / RATE):
            speech = gate.without_silence(block, probabilities)
            spoken.append(Spoken(speech, len(speech) / RATE, ""))
    return spoken


def _quality(block: np.ndarray):
    from speakerid.audio.quality import measure

    return measure(block)


def _pairs(one: Enrollment) -> Iterator[tuple[np.ndarray, str]]:
    return zip(one.blocks, one.labels, strict=True)
