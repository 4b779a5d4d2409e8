"""The limits of enrollment of a model, from labelled speech that it was not trained on.

Each is set where about one good enrollment in a hundred is refused, or asked about: on people who are
enrolled from some recordings and come again with others, and on galleries of other people.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from speakerid.audio.format import RATE
from speakerid.evaluate.degrade import with_noise
from speakerid.gallery import voices
from speakerid.gallery.enrollment import spoken_spans, without_silence
from speakerid.gallery.exemplars import SHORTEST_WINDOW_SECONDS, Spoken, choose, embed_speech, spread
from speakerid.gallery.voiceprint import unit
from speakerid.model.embedder import Embedder
from speakerid.model.limits import TYPICAL, Limits

SIDE_SECONDS = 5.0  # of speech in one enrollment, at least
WINDOW_SECONDS = 1.5  # of the windows that neighbours are compared by
SIDES = 3  # of a speaker
GALLERY = 30  # people enrolled when somebody comes
DRAWS = 5  # of such galleries for each enrollment
NOISE_DB = 12.0  # in every other recording that is held against what its person enrolled before
REFUSED = 0.01  # of good enrollments, for whose voice it is
REFUSED_AS_TWO = 0.002  # of good enrollments, by how their phrases agree
# Of pairs of neighbouring windows of one voice. The segmentation hears a second voice in one good recording
# of twenty, so that few are refused in which it is wrong.
APART_OF_ONE = 0.05
ENOUGH = 300  # values whose tail is counted; of fewer their spread takes part
FEWEST = 8  # speakers with two enrollments; of fewer nothing can be learned
NEAR = np.linspace(0, 0.25, 26)  # below `other_voice`: where the margin decides
MARGINS = np.linspace(0.05, 0.4, 36)

Progress = Callable[[int, int], None]  # done, of how many speakers


@dataclass(frozen=True)
class Side:
    """What enrollment sees of some recordings of one speaker.

    centroid [d]: of the exemplars; voice [d]: mean of the windows; noisy [d]: the same in noise; phrases and
    windows [m, d]: what tells how far one voice agrees with itself.
    """

    centroid: np.ndarray
    voice: np.ndarray
    noisy: np.ndarray
    phrases: voices.Phrases
    windows: np.ndarray


def derive(
    speakers: Mapping[str, Sequence[np.ndarray]],
    encoder: Embedder,
    progress: Progress | None = None,
    seed: int = 0,
) -> Limits:
    """The limits of a model.

    Args:
        speakers: recordings float32 [n] at 16 kHz of each, by name; whoever says less than SIDE_SECONDS takes
            no part.

    Returns:
        TYPICAL where too few speakers have enough speech for it.
    """
    sides: list[list[Side]] = []
    for done, name in enumerate(sorted(speakers)):
        if progress:
            progress(done, len(speakers))
        sides.append([side(part, encoder, name) for part in parts_of(speakers[name])[:SIDES]])
    return from_sides([mine for mine in sides if mine], seed)


def from_sides(sides: Sequence[Sequence[Side]], seed: int = 0) -> Limits:
    """The limits, from the sides of each speaker."""
    if sum(len(mine) > 1 for mine in sides) < FEWEST:
        return TYPICAL
    rng = np.random.default_rng(seed)
    best, margin = _strangers(sides, rng)
    same, own, ahead = _again(sides, rng)
    other, near, near_margin = _whose(best, margin, own, ahead)
    each = [one for mine in sides for one in mine]
    return Limits(
        other_voice=other,
        near_voice=near,
        near_margin=near_margin,
        same_voice=tail(same, REFUSED),
        two_voices=tail(
            [voices.agreement_of_voices(one.phrases, TYPICAL.per_doubling) for one in each], REFUSED_AS_TWO
        ),
        per_doubling=TYPICAL.per_doubling,
        apart=_apart([one.windows for one in each]),
        known=True,
    )


def parts_of(recordings: Sequence[np.ndarray]) -> list[list[np.ndarray]]:
    """Recordings put together to enrollments of at least SIDE_SECONDS; a long one alone is cut in halves."""
    if len(recordings) == 1 and len(recordings[0]) >= 2 * SIDE_SECONDS * RATE:
        return [[half] for half in np.array_split(recordings[0], 2)]
    made: list[list[np.ndarray]] = []
    waiting: list[np.ndarray] = []
    for recording in recordings:
        waiting.append(recording)
        if sum(map(len, waiting)) >= SIDE_SECONDS * RATE:
            made.append(waiting)
            waiting = []
    return made


def side(recordings: Sequence[np.ndarray], encoder: Embedder, label: str) -> Side:
    """Embed recordings [n] as enrollment does; where hardly any speech is heard, all is taken for it."""
    return side_of(*spoken_in(recordings), encoder, label)


def side_of(
    spoken: Sequence[Spoken],
    phrases: Sequence[np.ndarray],
    encoder: Embedder,
    label: str,
    *,
    noise: bool = True,
) -> Side:
    """Embed what `spoken_in` found.

    Args:
        noise: False saves the embeddings in noise; those in quiet stand for them.
    """
    windows, wholes = embed_speech(spoken, encoder)
    candidates = wholes.join(windows)
    noisy = windows
    if noise:
        spoilt = [Spoken(with_noise(one.samples, label, NOISE_DB), one.seconds, "") for one in spoken]
        noisy, _ = embed_speech(spoilt, encoder)
    return Side(
        unit(candidates.pick(choose(candidates)).embeddings.mean(axis=0)),
        unit(windows.embeddings.mean(axis=0)),
        unit(noisy.embeddings.mean(axis=0)),
        # A single phrase is about what its window is; there is no other to hold it against.
        voices.embed_phrases(phrases, encoder)
        if len(phrases) > 1
        else voices.Phrases(windows.embeddings, windows.seconds),
        _windows(spoken, encoder),
    )


def spoken_in(recordings: Sequence[np.ndarray]) -> tuple[list[Spoken], list[np.ndarray]]:
    """Recordings [n] as enrollment takes them, without silence, and their phrases; where hardly any speech is
    heard, all is taken for it and nothing is cut."""
    from speakerid.audio.vad import speech_probabilities

    spoken: list[Spoken] = []
    phrases: list[np.ndarray] = []
    for samples in recordings:
        heard = speech_probabilities(samples)
        if spoken_spans(heard, len(samples) / RATE):
            phrases += voices.phrases_of(samples, heard)
            samples = without_silence(samples, heard)
        spoken.append(Spoken(samples, len(samples) / RATE, ""))
    if sum(one.seconds for one in spoken) < SHORTEST_WINDOW_SECONDS:
        spoken = [Spoken(samples, len(samples) / RATE, "") for samples in recordings]
    return spoken, phrases


def _windows(spoken: Sequence[Spoken], encoder: Embedder) -> np.ndarray:
    """Unit embeddings [m, d] of windows of WINDOW_SECONDS that overlap by half; none, [0, 0], where there are
    too few for two that do not overlap."""
    pieces: list[np.ndarray] = []
    for part in spoken:
        size = min(round(WINDOW_SECONDS * RATE), len(part.samples))
        starts = range(0, len(part.samples) - size + 1, max(size // 2, 1))
        pieces += [part.samples[start : start + size] for start in starts]
    if len(pieces) < 3:
        return np.empty((0, 0), np.float32)
    return unit(encoder.embed(spread(pieces)))


def tail(values: Sequence[float] | np.ndarray, share: float, *, high: bool = False) -> float:
    """The value beyond which about this share of the values lies, below or, if `high`, above.

    Counted; of fewer than ENOUGH values it is at least as far out as a normal distribution would put it.
    """
    rows = np.sort(np.asarray(values, np.float64)) * (-1 if high else 1)
    counted = float(np.quantile(rows, share))
    if len(rows) < ENOUGH:
        from statistics import NormalDist

        counted = min(counted, float(rows.mean() + NormalDist().inv_cdf(share) * rows.std()))
    return -counted if high else counted


def _strangers(sides: Sequence[Sequence[Side]], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Of people who come to a gallery of others: agreement with the nearest, and its lead over the next."""
    first = np.stack([mine[0].centroid for mine in sides])
    rows: list[tuple[float, float]] = []
    for number, mine in enumerate(sides):
        others = np.delete(np.arange(len(sides)), number)
        for one in mine:
            agree = first @ one.voice
            for _ in range(DRAWS):
                near = np.sort(agree[rng.choice(others, min(GALLERY, len(others)), replace=False)])
                rows.append((near[-1], near[-1] - near[-2]))
    best, margin = np.array(rows).T
    return best, margin


def _again(
    sides: Sequence[Sequence[Side]], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of people who come again: agreement with what they enrolled, in noise every other time; the same in
    quiet, and its lead over a gallery of others."""
    first = np.stack([mine[0].centroid for mine in sides])
    same: list[float] = []
    quiet: list[tuple[float, float]] = []
    for number, mine in enumerate(sides):
        others = np.delete(np.arange(len(sides)), number)
        for k, one in enumerate(mine):
            for j, enrolled in enumerate(mine):
                if j == k:
                    continue
                same.append(float(enrolled.centroid @ (one.noisy if (j + k) % 2 else one.voice)))
                gallery = rng.choice(others, min(GALLERY, len(others)), replace=False)
                own = float(enrolled.centroid @ one.voice)
                quiet.append((own, own - float((first[gallery] @ one.voice).max())))
    own, ahead = np.array(quiet).T
    return np.array(same), own, ahead


def _whose(
    best: np.ndarray, margin: np.ndarray, own: np.ndarray, ahead: np.ndarray
) -> tuple[float, float, float]:
    """other_voice, near_voice and near_margin: of those that take a stranger for somebody enrolled in REFUSED
    of all cases, those that know most people again who come under another name."""
    other = tail(best, REFUSED / 2, high=True)
    chosen, most = (other, float(MARGINS[-1])), -1.0
    for near in other - NEAR:
        for least in MARGINS:
            asked = ((best >= other) | ((best >= near) & (margin >= least))).mean()
            known = ((own >= other) | ((own >= near) & (ahead >= least))).mean()
            if asked <= REFUSED and known > most:
                chosen, most = (float(near), float(least)), known
    return other, *chosen


def _apart(windows: Sequence[np.ndarray]) -> float:
    """From windows [m, d] of each enrollment, which overlap by half."""
    agree = [np.einsum("ij,ij->i", rows[2:], rows[:-2]) for rows in windows if len(rows) > 2]
    return tail(np.concatenate(agree), APART_OF_ONE) if agree else TYPICAL.apart
