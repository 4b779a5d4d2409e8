"""Cohort, calibration and limits of enrollment of a trained network.

The cohort are the speakers that the network was trained on; calibration and limits are learned on the
speakers held out of training, for an embedding is surer of a voice it was trained on than it will ever be
again.
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from speakerid.audio.format import RATE
from speakerid.evaluate import metrics
from speakerid.evaluate.calibration import fit, trials_by_cosine
from speakerid.evaluate.limits import derive
from speakerid.evaluate.subjects import Subject, subject
from speakerid.identify.scoring import save, set_limits
from speakerid.model.embedder import Embedder
from speakerid.model.limits import TYPICAL, Limits
from speakerid.training import augment
from speakerid.training import corpus as corpora
from speakerid.training.prepare import load_surroundings

DRAWS = 3  # of recordings to enroll and of pieces to test, for each held-out speaker
MANY = 100  # speakers of a corpus of which one draw each is enough
# A speaker of a single recording has to have so many seconds of it: the halves of a shorter one are enrolled
# and tested within one breath, which makes voices look more alike than they are on another day.
SINGLE_SECONDS = 8.0
SPOILT_SHARE = 0.1  # more of them made the app too sure of clean speech, and no better in noise and rooms
COHORT_CLIPS = 3  # a speaker
COHORT_OF_CORPUS = 500  # speakers of one corpus at most, so that none of them is the whole cohort
# Limits that stay as they were. Where one good enrollment in a hundred may fail, those derived on people's
# own microphones came out so lax that a stranger could be added to somebody's voiceprint.
KEPT = ("other_voice", "near_voice", "near_margin", "same_voice")


def calibrate(prepared: Path, encoder: Embedder, out: Path, seed: int = 0) -> None:
    """Write cohort, calibration and limits for an encoder to `out`, a safetensors file."""
    corpus = corpora.load(prepared)
    held = corpora.held_out(corpus)
    cohort = _cohort(corpus.without(held), encoder, seed)
    print(f"cohort of {len(cohort)} speakers")
    people = _subjects(corpus.only(held), load_surroundings(prepared), encoder, seed)
    print(f"{len(people)} enrollments of speakers held out of training")
    calibration, losses = fit(people, cohort)
    target, nontarget = trials_by_cosine(people)
    eer = metrics.equal_error(metrics.Scores(target, nontarget).rates())[0]
    print(", ".join(f"Cllr {value:.3f} ({what})" for what, value in losses.items()))
    save(
        out,
        cohort,
        calibration,
        {"model": encoder.id, "enrollments": len(people), "cohort": len(cohort), "eer": eer, **losses},
        _limits(corpus.only(held), encoder, seed),
    )


def renew_limits(prepared: Path, encoder: Embedder, path: Path, seed: int = 0) -> None:
    """Derive the limits of enrollment anew and store them in the calibration at `path`.

    Raises:
        ModelError: there is no calibration, or it cannot be used.
    """
    corpus = corpora.load(prepared)
    set_limits(path, _limits(corpus.only(corpora.held_out(corpus)), encoder, seed))


def _limits(held: corpora.Corpus, encoder: Embedder, seed: int) -> Limits:
    speakers = {speaker: [held.audio(clip) for clip in clips] for speaker, clips in held.by_speaker().items()}
    limits = replace(derive(speakers, encoder, seed=seed), **{name: getattr(TYPICAL, name) for name in KEPT})
    print(
        "limits of enrollment:", ", ".join(f"{name} {value:.2f}" for name, value in limits.as_dict().items())
    )
    return limits


def _cohort(corpus: corpora.Corpus, encoder: Embedder, seed: int) -> np.ndarray:
    """One unit embedding for each of the training speakers that take part, [c, 192]."""
    rng = np.random.default_rng(seed)
    of_corpora: dict[str, list[list[corpora.Clip]]] = {}
    for clips in corpus.by_speaker().values():
        if clips[0].labelled:
            of_corpora.setdefault(clips[0].corpus, []).append(clips)
    rows = []
    for speakers in of_corpora.values():
        for number in sorted(rng.permutation(len(speakers))[:COHORT_OF_CORPUS]):
            clips = speakers[number]
            chosen = rng.choice(len(clips), min(COHORT_CLIPS, len(clips)), replace=False)
            center = encoder.embed([corpus.audio(clips[k])[: 6 * RATE] for k in chosen]).mean(axis=0)
            rows.append(center / np.linalg.norm(center))
    return np.stack(rows)


def _subjects(
    corpus: corpora.Corpus, around: augment.Surroundings, encoder: Embedder, seed: int
) -> list[Subject]:
    rng = np.random.default_rng(seed)
    speakers = {
        speaker: clips
        for speaker, clips in sorted(corpus.by_speaker().items())
        if len(clips) > 1 or clips[0].stop - clips[0].start >= SINGLE_SECONDS * RATE
    }
    sizes = Counter(clips[0].corpus for clips in speakers.values())
    subjects = []
    for speaker, clips in speakers.items():
        audio = [corpus.audio(clip) for clip in clips]
        for _ in range(1 if sizes[clips[0].corpus] >= MANY else DRAWS):

            def spoil(samples: np.ndarray, babble: np.ndarray = audio[0]) -> np.ndarray:
                return augment.degrade(samples, around, babble, rng)

            def spoil_some(samples: np.ndarray, spoil=spoil) -> np.ndarray:
                return spoil(samples) if rng.random() < SPOILT_SHARE else samples

            enrolled = spoil if rng.random() < SPOILT_SHARE / 2 else None
            one = subject(speaker, clips[0].corpus, audio, encoder, rng, enrolled, spoil_some)
            if one is not None:
                subjects.append(one)
    return subjects
