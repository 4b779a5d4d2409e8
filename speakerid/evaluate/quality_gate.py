"""How well enrollment tells good recordings from spoiled ones, on labelled recordings.

Every speaker's recordings are put together to enrollments of some seconds, in the order of their labels.
The first one of each speaker is enrolled in a gallery of its own; the others are tried against it. Then the
same enrollments are spoiled and tried again: whatever gets through is a fault of the gate, as is every good
one that does not. Behind the shares stand the measures that the gate's thresholds cut, so that they can be
set anew for another model.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from speakerid.audio.format import RATE
from speakerid.errors import EnrollmentRefused
from speakerid.evaluate.degrade import clip, with_noise
from speakerid.evaluate.gate_measures import Measured, Remembering, Tried, agreement
from speakerid.evaluate.gate_recordings import Enrollment
from speakerid.evaluate.two_voices import at_once, by_sentences, in_turn
from speakerid.gallery import Consent, Gallery, Voiceprint, voices
from speakerid.gallery import enrollment as gate
from speakerid.gallery.exemplars import Spoken
from speakerid.gallery.owner import check_owner
from speakerid.gallery.segmented import MOST_AT_ONCE, agreement_of_pairs, segmented
from speakerid.gallery.voiceprint import unit
from speakerid.model.embedder import Embedder
from speakerid.model.limits import limits_of

CLIPPED_SHARE, NOISE_DB = 0.10, 0.0  # how recordings are spoiled

GOOD = "good recordings"
NOISY, CLIPPED = "noise at 0 dB", "10 % clipped"
TURNS, SENTENCES, AT_ONCE = "two voices in turn", "two, sentence by sentence", "two voices at once"
ASKED = "good, asked whether it is another's"  # whoever enrolls can say that it is not
NEW_NAME, WRONG_NAME = "enrolled voice, new name", "another's voice, this name"

Progress = Callable[[int, int, str], None]  # done, of how many, what


class Gate:
    """Tries enrollments and collects what came of them: `tried` by kind, `measured` by threshold."""

    def __init__(self, encoder: Embedder):
        self._encoder = Remembering(encoder)
        self._rng = np.random.default_rng(0)
        self.tried: dict[str, Tried] = {}
        self._limits = limits = limits_of(encoder.id)
        self.measured = {
            name: Measured(name, value, above)
            for name, value, above in (
                ("MIN_SPEECH_SECONDS", gate.MIN_SPEECH_SECONDS, True),
                ("MIN_SNR_DB", gate.MIN_SNR_DB, True),
                ("MAX_CLIPPED", gate.MAX_CLIPPED, False),
                ("two_voices", limits.two_voices, True),
                ("apart", limits.apart, True),
                ("MOST_AT_ONCE", MOST_AT_ONCE, False),
                ("other_voice", limits.other_voice, False),
                ("near_margin", limits.near_margin, False),
                ("same_voice", limits.same_voice, True),
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
        except EnrollmentRefused as refused:
            self._count_good(refused)
        else:
            self._count_good(None)

    def _again(self, one: Enrollment, people: dict[str, Voiceprint]) -> None:
        """Somebody who is enrolled comes again: under their name, a new one, and somebody else's."""
        self._measure_good(one)
        try:
            examined = gate.examine(one.blocks, self._encoder, one.labels)
        except EnrollmentRefused as refused:
            self._count_good(refused)
            return
        own = people.get(one.speaker)
        others = [person for person in people.values() if person is not own]
        self._count_good(_owner(examined, one.speaker, own, others))
        if own is None or not others:
            return
        self._count(NEW_NAME, _reasons(_owner(examined, "somebody new", None, [own, *others])))
        claimed = others[int(self._rng.integers(len(others)))]
        rest = [person for person in people.values() if person not in (own, claimed)]
        self._count(WRONG_NAME, _reasons(_owner(examined, claimed.name, claimed, rest)))
        voice = unit(examined.windows.mean(axis=0))
        scores = np.stack([person.centroid for person in others]) @ voice
        self.measured["other_voice"].good.append(float(scores.max()))
        self.measured["other_voice"].bad.append(float(own.centroid @ voice))
        if len(scores) > 1:
            self.measured["near_margin"].good.append(float(np.diff(np.sort(scores))[-1]))
        self.measured["near_margin"].bad.append(float(own.centroid @ voice - scores.max()))
        self.measured["same_voice"].good.append(float(own.centroid @ voice))
        self.measured["same_voice"].bad.append(float(claimed.centroid @ voice))

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
        turns, sentences, both = (mix(mine, theirs) for mix in (in_turn, by_sentences, at_once))
        self._try(TURNS, [turns])
        self._try(SENTENCES, [sentences])
        self._try(AT_ONCE, [both])
        self.measured["apart"].bad.append(agreement_of_pairs(segmented([turns]).pairs, self._encoder))
        self.measured["two_voices"].bad += self._agreements([sentences])
        self.measured["MOST_AT_ONCE"].bad.append(segmented([both]).at_once)

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
        self.measured["two_voices"].good += self._agreements(one.blocks)
        heard = segmented(one.blocks)
        self.measured["apart"].good.append(agreement_of_pairs(heard.pairs, self._encoder))
        self.measured["MOST_AT_ONCE"].good.append(heard.at_once)

    def _agreements(self, blocks: list[np.ndarray]) -> Iterator[float]:
        """How far the two groups of phrases agree that the gate finds; none where nothing is said."""
        phrases = [phrase for block in blocks for phrase in voices.phrases_of(block, _heard(block))]
        if phrases:
            embedded = voices.embed_phrases(phrases, self._encoder)
            yield voices.agreement_of_voices(embedded, self._limits.per_doubling)

    def _partner(self, one: Enrollment, enrollments: Sequence[Enrollment]) -> Enrollment | None:
        others = [other for other in enrollments if other.speaker != one.speaker]
        return others[int(self._rng.integers(len(others)))] if others else None

    def _count_good(self, refused: EnrollmentRefused | None) -> None:
        """A good one, refused or taken; to whom it might belong is asked, and the answer lets it in."""
        asked = _reasons(refused) if refused and refused.belongs_to else []
        self._count(GOOD, [] if asked else _reasons(refused))
        self._count(ASKED, asked)

    def _count(self, kind: str, reasons: Sequence[str]) -> None:
        self.tried.setdefault(kind, Tried()).add(reasons)


def _owner(
    examined: gate.Examined, name: str, own: Voiceprint | None, others: list[Voiceprint]
) -> EnrollmentRefused | None:
    try:
        check_owner(examined, name, own, others)
    except EnrollmentRefused as refused:
        return refused
    return None


def _reasons(refused: EnrollmentRefused | None) -> list[str]:
    return refused.reasons if refused else []


def _heard(block: np.ndarray) -> np.ndarray:
    from speakerid.audio.vad import speech_probabilities

    return speech_probabilities(block)


def _spoken(blocks: Sequence[np.ndarray]) -> list[Spoken]:
    spoken = []
    for block in blocks:
        probabilities = _heard(block)
        if gate.spoken_spans(probabilities, len(block) / RATE):
            speech = gate.without_silence(block, probabilities)
            spoken.append(Spoken(speech, len(speech) / RATE, ""))
    return spoken


def _quality(block: np.ndarray):
    from speakerid.audio.quality import measure

    return measure(block)


def _pairs(one: Enrollment) -> Iterator[tuple[np.ndarray, str]]:
    return zip(one.blocks, one.labels, strict=True)
