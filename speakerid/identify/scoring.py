"""From embeddings to log-likelihood ratios: cosine, adaptive s-norm, calibration that knows the seconds.

A log-likelihood ratio says how many times likelier an embedding is if the enrolled person spoke than if
anybody else did (natural logarithm). It is comparable across people, models and lengths, which a cosine
is not.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from speakerid import tensors
from speakerid.errors import ModelError
from speakerid.gallery.centers import Centers, Enrolled, centers_of, gathered
from speakerid.identify.coarse import Coarse
from speakerid.model import companions
from speakerid.model.limits import Limits

TOP = 60  # nearest cohort members that normalise a score (adaptive s-norm: Matějka et al., Interspeech 2017)
SHORTEST, LONGEST_TEST, LONGEST_ENROLLED = 0.3, 4.0, 30.0  # seconds; beyond them, more changes nothing
MANY = 20_000  # people from which on a first look in 8 bits is quicker (`benchmark gallery --people N`)
_AT_ONCE = 4096  # embeddings; what their cosines to the cohort take stays small
FEATURES, SAME_FEATURES = 6, 4  # how many numbers of a trial, and of a pair of one stream, are weighed
# Without a calibration of its own, a model is assumed to behave roughly as published ECAPA-TDNNs do
# (SpeechBrain accepts at a cosine of 0.25 for whole recordings); the pages then say "uncalibrated".
ASSUMED_SLOPE, ASSUMED_THRESHOLD = 14.0, 0.32


@dataclass(frozen=True, eq=False)
class Profiles:
    """People in the form that scoring wants; those of one model share one in a process.

    names [p]; centers [p, d]: mean of the unit exemplars, unit length; seconds [p] of enrolled speech;
    cohort_mean, cohort_std [p]: of a center's cosines to its nearest cohort members.
    """

    names: tuple[str, ...]
    centers: np.ndarray
    seconds: np.ndarray
    cohort_mean: np.ndarray
    cohort_std: np.ndarray
    coarse: Coarse | None = field(default=None, kw_only=True)  # the centers in 8 bits, of more than MANY

    @cached_property
    def log_seconds(self) -> np.ndarray:
        """[p], of the seconds that count."""
        return np.log(np.clip(self.seconds, SHORTEST, LONGEST_ENROLLED))

    @property
    def nbytes(self) -> int:
        """Bytes that the numbers take."""
        arrays = (self.centers, self.seconds, self.cohort_mean, self.cohort_std, self.log_seconds)
        return sum(array.nbytes for array in arrays) + (self.coarse.nbytes if self.coarse else 0)

    def cosines(self, embeddings: np.ndarray) -> np.ndarray:
        """[n, p] of unit embeddings [n, d]; of more than MANY people those of the nearest are exact, and
        those of all others right to 0.01."""
        if self.coarse is None:
            return embeddings @ self.centers.T
        return self.coarse.cosines(embeddings, self.centers)

    def only(self, people: Sequence[int]) -> "Profiles":
        """The people with these numbers, in this order."""
        kept = np.asarray(people, int)
        arrays = (self.centers, self.seconds, self.cohort_mean, self.cohort_std)
        return Profiles(tuple(self.names[k] for k in people), *(array[kept] for array in arrays))


@dataclass(frozen=True)
class Scores:
    """Each [n, p]: embeddings by people. normalized equals cosine where there is no cohort."""

    cosine: np.ndarray
    normalized: np.ndarray
    llr: np.ndarray


@dataclass(frozen=True)
class Calibration:
    """Weights of the features() of a trial, and of same_features() for two pieces of one stream."""

    weights: np.ndarray
    same_weights: np.ndarray


class Scorer:
    """Scores embeddings of one model against people enrolled with it.

    Args:
        cohort: [c, d] unit embeddings of people who are not enrolled; None for no normalisation.
        calibration: None where nobody has calibrated the model; `calibrated` is then False.
    """

    def __init__(self, cohort: np.ndarray | None = None, calibration: Calibration | None = None):
        self.cohort = cohort
        self.calibration = calibration
        nobody, none = np.zeros((0, 0), np.float32), np.zeros(0, np.float32)
        self._latest = Centers((), nobody), Profiles((), nobody, none, none, none)

    @property
    def calibrated(self) -> bool:
        return self.calibration is not None

    @staticmethod
    def for_model(model_id: str) -> "Scorer":
        """The scorer that was made for a model, here by `calibrate` or with the app, or an uncalibrated one.

        Raises:
            ModelError: the file of the calibration cannot be used.
        """
        path = companions.calibration_of(model_id)
        return Scorer.in_file(path) if path else Scorer()

    @staticmethod
    def in_file(path: Path) -> "Scorer":
        """The scorer in a file that save() wrote.

        Raises:
            ModelError: it cannot be used.
        """
        return _load(path, companions.version(path))

    def profiles(self, people: Sequence[Enrolled]) -> Profiles:
        """Prepare people of one model for scoring; of those who were prepared before, only what changed."""
        there, before = self._latest
        if there.are_of(people):
            return before
        centers, known = centers_of(people), there.known(people)
        new = np.flatnonzero(known < 0)
        seconds = np.array([float(np.sum(people[i].seconds)) for i in new.tolist()], np.float32)
        mean, std = self._cohort_statistics(centers.rows[new])
        coarse = None
        if len(people) > MANY:
            coarse = (before.coarse or Coarse.of(before.centers)).updated(known, centers.rows[new])
        made = Profiles(
            tuple(person.name for person in people),
            centers.rows,
            gathered(before.seconds, known, seconds),
            gathered(before.cohort_mean, known, mean),
            gathered(before.cohort_std, known, std),
            coarse=coarse,
        )
        self._latest = (centers, made)
        return made

    def score(self, embeddings: np.ndarray, seconds: np.ndarray, profiles: Profiles) -> Scores:
        """Score n unit embeddings [n, d], each made from so many seconds [n], against all people."""
        if not profiles.names:  # nobody, whatever the width of the embeddings
            nothing = np.zeros((len(embeddings), 0), np.float32)
            return Scores(nothing, nothing, nothing)
        cosine = profiles.cosines(embeddings)
        if self.cohort is None:
            normalized = cosine
        else:
            mean, std = self._cohort_statistics(embeddings)
            by_test = (cosine - mean[:, None]) / std[:, None]
            normalized = (by_test + (cosine - profiles.cohort_mean) / profiles.cohort_std) / 2
        if self.calibration is None:
            return Scores(cosine, normalized, ASSUMED_SLOPE * (cosine - ASSUMED_THRESHOLD))
        # features() times the weights, gathered by the score, so that nothing is [n, p, 6].
        one, w_t, w_e, slope, slope_t, slope_e = self.calibration.weights.astype(np.float32).tolist()
        t = np.log(np.clip(seconds, SHORTEST, LONGEST_TEST))[:, None].astype(np.float32)
        e = profiles.log_seconds
        llr = one + w_t * t + w_e * e + normalized * (slope + slope_t * t + slope_e * e)
        return Scores(cosine, normalized, llr)

    def same_voice(self, first: np.ndarray, second: np.ndarray, seconds: tuple[float, float]) -> float:
        """Log-likelihood ratio that two unit embeddings [d] of one stream are of one voice."""
        return float(self.same_voices(np.array([first @ second]), *np.array([seconds]).T)[0])

    def same_voices(self, cosine: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """The same [...] for pairs with these cosines [...] and seconds of speech [...] on both sides."""
        if self.calibration is None:
            return ASSUMED_SLOPE * (cosine - ASSUMED_THRESHOLD)
        return same_features(cosine, first, second) @ self.calibration.same_weights

    def _cohort_statistics(self, embeddings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation [n] of the cosines to the nearest TOP of the cohort."""
        if self.cohort is None or not len(embeddings):
            return np.zeros(len(embeddings), np.float32), np.ones(len(embeddings), np.float32)
        mean, std = np.empty((2, len(embeddings)), np.float32)
        for at in range(0, len(embeddings), _AT_ONCE):
            alike = embeddings[at : at + _AT_ONCE] @ self.cohort.T
            near = np.partition(alike, -min(TOP, len(self.cohort)), axis=1)[:, -TOP:]
            mean[at : at + _AT_ONCE], std[at : at + _AT_ONCE] = near.mean(axis=1), near.std(axis=1) + 1e-3
        return mean, std


def features(normalized: np.ndarray, tested: np.ndarray, enrolled: np.ndarray) -> np.ndarray:
    """Trials [...] -> [..., 6]: what the log-likelihood ratio is linear in.

    The slope and the offset depend on the logarithm of the seconds on both sides, as the spread of an
    embedding around its speaker falls with them. The cosine as it was takes no part beside the normalised
    score: with it, voices that resemble everybody were taken for others half as often again.
    """
    t = np.log(np.clip(tested, SHORTEST, LONGEST_TEST))
    e = np.log(np.clip(enrolled, SHORTEST, LONGEST_ENROLLED))
    return np.stack([np.ones_like(normalized), t, e, normalized, normalized * t, normalized * e], axis=-1)


def same_features(cosine: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Pairs [...] -> [..., 4], symmetric in the seconds of both sides."""
    t = np.log(np.clip(first, SHORTEST, LONGEST_TEST)) + np.log(np.clip(second, SHORTEST, LONGEST_TEST))
    return np.stack([np.ones_like(cosine), t, cosine, cosine * t], axis=-1)


@lru_cache(maxsize=8)
def _load(path: Path, _version: tuple[int, int, int]) -> Scorer:
    try:
        arrays = {name: value.astype(np.float32) for name, value in tensors.read(path).items()}
        calibration = Calibration(arrays["weights"], arrays["same_weights"])
        cohort = arrays["cohort"]
        if (len(calibration.weights), len(calibration.same_weights)) != (FEATURES, SAME_FEATURES):
            raise ModelError(
                f'The calibration "{path}" is of another version of the app: delete it, and calibrate again.'
            )
    except (KeyError, OSError, ValueError) as error:
        raise ModelError(f'The calibration "{path}" is damaged: delete it, and calibrate again.') from error
    if not len(cohort):
        return Scorer(None, calibration)
    return Scorer(cohort / np.linalg.norm(cohort, axis=1, keepdims=True), calibration)


def save(
    path: Path,
    cohort: np.ndarray | None,
    calibration: Calibration,
    about: Mapping[str, Any],
    limits: Limits | None = None,
) -> None:
    """Write what for_model() reads, in one step; `about` says how it was made.

    Args:
        limits: of enrollment, of this model.

    Raises:
        OSError: it cannot be written there.
    """
    arrays = {
        "cohort": np.zeros((0, 0), np.float16) if cohort is None else cohort.astype(np.float16),
        "weights": calibration.weights.astype(np.float32),
        "same_weights": calibration.same_weights.astype(np.float32),
    }
    _write(path, arrays, {"about": json.dumps(about)}, limits)


def set_limits(path: Path, limits: Limits) -> None:
    """Give the calibration in a file these limits of enrollment.

    Raises:
        ModelError: it is no calibration.
        OSError: it cannot be written.
    """
    try:
        arrays = tensors.read(path)
    except (OSError, ValueError) as error:
        raise ModelError(f'There is no calibration in "{path}": calibrate the model first.') from error
    _write(path, arrays, {"about": json.dumps(companions.about(path))}, limits)


def _write(path: Path, arrays: dict[str, np.ndarray], told: dict[str, str], limits: Limits | None) -> None:
    if limits is not None and limits.known:
        told = told | {"limits": json.dumps(limits.as_dict())}
    tensors.write(path, arrays, told)
