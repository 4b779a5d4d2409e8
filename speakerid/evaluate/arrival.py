"""Calibration on arrival: what a model that nobody has calibrated gets when it is first used.

The package carries some minutes of licensed speech (calibration_speech/). From it come the cohort, the
calibration, the limits of enrollment and the gender head of any model, in about a minute. That is far less
speech than the bundled model's calibration was learned from, so its weights are where learning begins, and
are left only as far as the new model's scores ask for it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from speakerid.audio.format import RATE
from speakerid.errors import ModelError
from speakerid.evaluate import metrics
from speakerid.evaluate.calibration import fit, trials_by_cosine
from speakerid.evaluate.degrade import with_noise
from speakerid.evaluate.gate_measures import Remembering
from speakerid.evaluate.gender import adult, learn_head
from speakerid.evaluate.limits import Side, from_sides, side_of, spoken_in
from speakerid.evaluate.subjects import Subject, subject
from speakerid.gallery.exemplars import SHORTEST_WINDOW_SECONDS
from speakerid.identify.gender import GenderHead
from speakerid.identify.scoring import Calibration, Scorer, save
from speakerid.model import companions
from speakerid.model.embedder import Embedder
from speakerid.model.limits import Limits

SPEECH = Path(__file__).with_name("calibration_speech") / "speech.ogg"
SPEECH_INDEX = SPEECH.with_suffix(".json")
TESTS = 8  # pieces of each voice
NOISY = 0.1  # share of the pieces that come in noise, as in training/calibrate.py
NOISE_DB = 10.0
PROBE_SECONDS = 2.0

Progress = Callable[[int, int], None]  # steps done, of how many


@dataclass(frozen=True)
class Voice:
    """One person of the calibration speech: float32 [n] each recording, "f", "m" or "" for the sex."""

    speaker: str
    corpus: str
    sex: str
    age: str
    recordings: tuple[np.ndarray, ...]


@lru_cache(maxsize=1)
def speech() -> tuple[Voice, ...]:
    """Everybody in the calibration speech."""
    from speakerid.audio.decode import decode

    index = json.loads(SPEECH_INDEX.read_text(encoding="utf-8"))
    samples = decode(SPEECH, max_seconds=float("inf")).samples
    return tuple(
        Voice(
            one["speaker"],
            one["corpus"],
            one["sex"],
            one["age"],
            tuple(np.ascontiguousarray(samples[start:end]) for start, end in one["spans"]),
        )
        for one in index["voices"]
    )


def needed(model_id: str) -> bool:
    """Whether nobody has calibrated the model yet."""
    return companions.calibration_of(model_id) is None


def calibrate(encoder: Embedder, progress: Progress | None = None) -> Path:
    """Calibrate a model with the speech of the package, and keep that.

    Args:
        progress: called with how many steps are done, and of how many.

    Returns:
        The file of the calibration: beside the downloads, or where those cannot be written in the user's
        folder of calibrations.

    Raises:
        ModelError: the model cannot embed speech, or the calibration cannot be kept anywhere.
    """
    began = time.monotonic()
    learned = learn(encoder, progress)
    about = {**learned.about, "seconds": round(time.monotonic() - began, 1)}
    try:
        return _keep(encoder.id, learned, about, companions.arrival_file(encoder.id))
    except OSError:
        own = companions.own_file(encoder.id)
    try:
        return _keep(encoder.id, learned, about, own)
    except OSError as error:
        raise ModelError(
            f"The calibration of {encoder.id} cannot be kept in {own.parent} ({error.strerror or error}); "
            "free some space, or set SPEAKERID_CALIBRATIONS to another folder."
        ) from error


def _keep(model_id: str, learned: Learned, about: dict[str, Any], path: Path) -> Path:
    save(path, learned.cohort, learned.calibration, about, learned.limits)
    if learned.gender is not None:
        learned.gender.save(model_id, path.parent)
    return path


@dataclass(frozen=True)
class Learned:
    """What came of the speech."""

    cohort: np.ndarray
    calibration: Calibration
    limits: Limits
    gender: GenderHead | None
    about: dict[str, Any]


def learn(encoder: Embedder, progress: Progress | None = None, voices: Sequence[Voice] = ()) -> Learned:
    """Embed the speech and learn from it.

    Args:
        voices: instead of the speech of the package.
    """
    remembering = Remembering(encoder)
    rng = np.random.default_rng(0)
    heard = voices or speech()
    subjects: list[Subject] = []
    sides: list[list[Side]] = []
    centers, owners = [], []
    for done, voice in enumerate(heard):
        if progress:
            progress(done, len(heard))
        long = _long(voice.recordings)
        parts = [spoken_in([one]) for one in _halves(long)]
        mine = [side_of(*part, remembering, voice.speaker, noise=False) for part in parts]
        sides.append(mine)
        center = np.mean([one.voice for one in mine], axis=0)
        centers.append(center / np.linalg.norm(center))
        owners.append(voice.speaker)
        if len(long) > 1:
            spoil = _noise(voice.speaker, rng)
            made = subject(
                voice.speaker,
                voice.corpus,
                # As enrollment and a Listener hear them, and embedded already.
                [spoken[0].samples for spoken, _ in parts],
                remembering,
                rng,
                spoil_test=spoil,
                tests=TESTS,
            )
            subjects += [made] if made else []
    cohort = np.stack(centers).astype(np.float32)
    calibration, losses = fit(subjects, cohort, owners=owners, start=_start())
    if progress:
        progress(len(heard), len(heard))
    target, nontarget = trials_by_cosine(subjects)
    about = {
        "model": encoder.id,
        "made": "on arrival",
        "voices": len(subjects),
        "cohort": len(cohort),
        "eer": metrics.equal_error(metrics.Scores(target, nontarget).rates())[0],
        "ms": round(1000 * seconds_of(encoder), 1),
        **losses,
    }
    return Learned(cohort, calibration, from_sides(sides), _gender(heard, sides), about)


def seconds_of(encoder: Embedder) -> float:
    """Seconds of a processor that PROBE_SECONDS of sound take here, at the best of three."""
    block = np.random.default_rng(0).normal(0, 0.1, int(PROBE_SECONDS * RATE)).astype(np.float32)
    taken = []
    for _ in range(3):
        began = time.thread_time()
        encoder.embed([block])
        taken.append(time.thread_time() - began)
    return min(taken)


def _long(recordings: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Recordings that are long enough to enroll from; where there are none, all of them as one."""
    long = [samples for samples in recordings if len(samples) > SHORTEST_WINDOW_SECONDS * RATE]
    return long or [np.concatenate(recordings)]


def _halves(recordings: Sequence[np.ndarray]) -> list[np.ndarray]:
    if len(recordings) > 1 or len(recordings[0]) < 2.1 * SHORTEST_WINDOW_SECONDS * RATE:
        return list(recordings)
    return list(np.array_split(recordings[0], 2))


def _noise(label: str, rng: np.random.Generator):
    def spoil(samples: np.ndarray) -> np.ndarray:
        return with_noise(samples, label, NOISE_DB) if rng.random() < NOISY else samples

    return spoil


def _start() -> Calibration | None:
    """The calibration of the bundled model."""
    files = sorted(companions.CALIBRATIONS.glob("ecapa-bundled-*.safetensors"))
    return Scorer.in_file(files[0]).calibration if files else None


def _gender(voices: Sequence[Voice], sides: Sequence[Sequence[Side]]) -> GenderHead | None:
    rows, female, owners = [], [], []
    for number, (voice, mine) in enumerate(zip(voices, sides, strict=True)):
        if voice.sex in {"f", "m"} and adult(voice.age):
            for one in mine:
                rows += list(one.phrases.embeddings)
                female += [voice.sex == "f"] * len(one.phrases.embeddings)
                owners += [number] * len(one.phrases.embeddings)
    if len(set(owners)) < 20 or len(set(female)) < 2:
        return None
    return learn_head(np.stack(rows), np.array(female), np.array(owners))
