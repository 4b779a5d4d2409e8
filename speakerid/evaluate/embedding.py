"""Labelled recordings to embeddings: whole and in pieces from the middle, by every model, in every condition.

Each recording is decoded once a condition, and all models embed the same pieces, so that all figures rest on
the same trials. Nothing is kept on disk.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from speakerid.audio.format import RATE
from speakerid.errors import SpeakerIdError
from speakerid.evaluate import EvaluationError
from speakerid.evaluate.degrade import CONDITIONS
from speakerid.evaluate.trials import Utterance
from speakerid.model.embedder import Embedder

LENGTHS: dict[str, float | None] = {"whole": None, "3 s": 3.0, "2 s": 2.0, "1 s": 1.0}
CHUNK = 64  # recordings decoded at a time: bounds memory, and fills the encoder's batches

Progress = Callable[[int, int, str], None]  # done, of how many, what


@dataclass
class Embedded:
    """What the encoders made of the recordings.

    Attributes:
        utterances: the recordings that every model could embed under every condition, [n].
        rows: float32 [n, d] by (model id, condition, length).
        seconds: float [n], of the pieces, by length.
        left_out: {"path", "reason"} of the others.
    """

    utterances: list[Utterance]
    rows: dict[tuple[str, str, str], np.ndarray]
    seconds: dict[str, np.ndarray]
    left_out: list[dict[str, str]]


def middle(samples: np.ndarray, seconds: float | None) -> np.ndarray:
    """The given seconds from the middle of a recording [n]; all of it where it is shorter, or for None."""
    count = len(samples) if seconds is None else min(round(seconds * RATE), len(samples))
    start = (len(samples) - count) // 2
    return samples[start : start + count]


def embed_recordings(
    utterances: Sequence[Utterance],
    encoders: Sequence[Embedder],
    conditions: Sequence[str] = ("clean",),
    lengths: Sequence[str] = tuple(LENGTHS),
    progress: Progress | None = None,
) -> Embedded:
    """Decode, degrade, cut and embed; a recording that cannot be used is left out, with the reason.

    Raises:
        EvaluationError: none of the recordings can be used, or a condition needs a package that is missing.
    """
    from speakerid.audio.decode import decode

    count = len(utterances)
    rows: dict[tuple[str, str, str], list] = {
        (encoder.id, condition, length): [None] * count
        for encoder in encoders
        for condition in conditions
        for length in lengths
    }
    size = np.zeros(count)  # s
    bad: dict[int, str] = {}
    for turn, condition in enumerate(conditions):
        for first in range(0, count, CHUNK):
            if progress:
                progress(turn * count + first, len(conditions) * count, f"embedding ({condition})")
            chunk: dict[int, np.ndarray] = {}
            for i in range(first, min(first + CHUNK, count)):
                if i in bad:
                    continue
                try:
                    samples = decode(utterances[i].path).samples
                except SpeakerIdError as error:
                    bad[i] = str(error)
                    continue
                chunk[i] = CONDITIONS[condition](samples, utterances[i].label)
                size[i] = len(samples) / RATE
            for length in lengths:
                pieces = {i: middle(samples, LENGTHS[length]) for i, samples in chunk.items() if i not in bad}
                for encoder in encoders:
                    good = _embed(encoder, pieces, bad, f"{length}, {condition}")
                    for i, row in good.items():
                        rows[encoder.id, condition, length][i] = row
    if progress:
        progress(len(conditions) * count, len(conditions) * count, f"embedding ({conditions[-1]})")
    return _collect(utterances, rows, size, bad, lengths)


def _embed(encoder: Embedder, pieces: dict[int, np.ndarray], bad: dict[int, str], what: str) -> dict:
    """Rows by index; those that the encoder refuses go to `bad`."""
    if not pieces:
        return {}
    try:
        rows = dict(zip(pieces, encoder.embed(list(pieces.values())), strict=True))
    except SpeakerIdError:  # one of them: find out which, so that the rest counts
        rows = {}
        for i, piece in pieces.items():
            try:
                rows[i] = encoder.embed([piece])[0]
            except SpeakerIdError as error:
                bad[i] = f"{what}: {error}"
    for i, row in rows.items():
        if not np.isfinite(row).all():
            bad[i] = f"{what}: {encoder.id} gives no finite embedding for it."
    return rows


def _collect(utterances, rows, size, bad, lengths) -> Embedded:
    keep = [i for i in range(len(utterances)) if i not in bad]
    if not keep:
        reason = next(iter(bad.values()))
        raise EvaluationError(
            f"None of the {len(utterances)} recordings can be used; the first one: {reason}"
        )
    return Embedded(
        utterances=[utterances[i] for i in keep],
        rows={key: np.stack([values[i] for i in keep]) for key, values in rows.items()},
        seconds={name: np.minimum(size[keep], LENGTHS[name] or np.inf) for name in lengths},
        left_out=[{"path": utterances[i].label, "reason": reason} for i, reason in sorted(bad.items())],
    )
