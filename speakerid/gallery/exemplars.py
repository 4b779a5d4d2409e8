"""Exemplar embeddings: made from windows of speech, a varied few of them kept."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from speakerid.audio.format import RATE
from speakerid.gallery.voiceprint import MAX_EXEMPLARS, SAME_SAMPLES, WINDOW_SECONDS, Voiceprint, unit
from speakerid.model.embedder import Embedder

SHORTEST_WINDOW_SECONDS = 1.5  # a remainder shorter than this makes no exemplar of its own
MAX_WINDOWS = 60  # embedded for one enrollment; more of the same voice adds time and nothing else
WHOLE_SECONDS = 30.0  # how much of a recording its whole-recording exemplar takes in
T = TypeVar("T")


@dataclass(frozen=True)
class Spoken:
    """What was said in a recording: samples [n] pauses included, seconds of speech in them, source, and the
    id under which the recording is kept, "" if it is not."""

    samples: np.ndarray
    seconds: float
    source: str
    recording: str = ""


@dataclass(frozen=True)
class Exemplars:
    """Candidate exemplars: embeddings float32 [k, d] unit rows; of each seconds of speech, source, and ids of
    the kept recordings that it was made from, with a space between them."""

    embeddings: np.ndarray
    seconds: np.ndarray
    sources: tuple[str, ...]
    recordings: tuple[str, ...] = ()

    def __post_init__(self):
        if not self.recordings:
            object.__setattr__(self, "recordings", ("",) * len(self.sources))

    def __len__(self) -> int:
        return len(self.embeddings)

    def kept(self) -> set[str]:
        """Ids of the kept recordings that these were made from."""
        return {one for ids in self.recordings for one in ids.split()}

    def pick(self, rows: Sequence[int]) -> "Exemplars":
        """The given rows only."""
        chosen = np.asarray(rows, int)
        return Exemplars(
            self.embeddings[chosen],
            self.seconds[chosen],
            tuple(self.sources[i] for i in rows),
            tuple(self.recordings[i] for i in rows),
        )

    def join(self, other: "Exemplars") -> "Exemplars":
        """These, then the others."""
        return Exemplars(
            np.concatenate([self.embeddings, other.embeddings]),
            np.concatenate([self.seconds, other.seconds]),
            self.sources + other.sources,
            self.recordings + other.recordings,
        )


def exemplars_of(person: Voiceprint) -> Exemplars:
    """Those that somebody has."""
    return Exemplars(person.embeddings, person.seconds, person.sources, person.recordings)


def embed_speech(parts: Sequence[Spoken], encoder: Embedder) -> tuple[Exemplars, Exemplars]:
    """Embed what was said: its windows, and each recording as a whole.

    Returns:
        Candidate exemplars of the windows of all recordings, then of the recordings.
    """
    parts = _join_short(parts)
    windows = spread([window for part in parts for window in _windows(part)])
    wholes = [_cut(part, part.samples[: round(WHOLE_SECONDS * RATE)]) for part in parts]
    rows = unit(encoder.embed([item.samples for item in windows + wholes]))

    def exemplars(items: list[Spoken], embeddings: np.ndarray) -> Exemplars:
        seconds = np.array([item.seconds for item in items], np.float32)
        sources, recordings = [item.source for item in items], [item.recording for item in items]
        return Exemplars(embeddings, seconds, tuple(sources), tuple(recordings))

    return exemplars(windows, rows[: len(windows)]), exemplars(wholes, rows[len(windows) :])


def spread(pieces: Sequence[T]) -> list[T]:
    """At most MAX_WINDOWS of the pieces to embed, evenly over everything that was said."""
    if len(pieces) <= MAX_WINDOWS:
        return list(pieces)
    return [pieces[i] for i in np.linspace(0, len(pieces) - 1, MAX_WINDOWS).round().astype(int)]


def choose(candidates: Exemplars, limit: int = MAX_EXEMPLARS) -> list[int]:
    """Rows of the exemplars to keep: the most typical one first, then always the one least like those chosen.

    Farthest-point selection (Gonzalez 1985) keeps the variety of rooms and moods that few exemplars can hold.
    """
    if len(candidates) <= limit:
        return list(range(len(candidates)))
    alike = candidates.embeddings @ candidates.embeddings.T
    chosen = [int(alike.mean(axis=1).argmax())]
    nearest = alike[chosen[0]].copy()
    while len(chosen) < limit:
        nearest[chosen] = np.inf
        chosen.append(int(nearest.argmin()))
        nearest = np.maximum(nearest, alike[chosen[-1]])
    return sorted(chosen)


def unknown(known: Exemplars, fresh: Exemplars) -> tuple[list[int], Exemplars, list[str]]:
    """What of fresh candidates comes from recordings that somebody was not enrolled from before.

    Of a recording that was, some pieces were chosen before, and those show that all of it is known.

    Args:
        known: the exemplars of the person, of the same model.
        fresh: candidates from the recordings of one enrollment.

    Returns:
        Rows of the fresh ones that are new; the known ones, each with the kept recording that it was made
        from if that is kept from now on; sources of the recordings that are known.
    """
    alike = known.embeddings @ fresh.embeddings.T > SAME_SAMPLES
    repeated = {(fresh.sources[j], fresh.recordings[j]) for j in np.flatnonzero(alike.any(axis=0))}
    new = [j for j in range(len(fresh)) if (fresh.sources[j], fresh.recordings[j]) not in repeated]
    recordings = list(known.recordings)
    for i in np.flatnonzero(alike.any(axis=1)):
        recordings[i] = recordings[i] or fresh.recordings[int(alike[i].argmax())]
    sources = list(dict.fromkeys(source for source, _ in sorted(repeated)))
    return new, replace(known, recordings=tuple(recordings)), sources


def _join_short(parts: Sequence[Spoken]) -> list[Spoken]:
    """Speech too short for a window of its own is put together; the rest stays as it is."""
    long = [part for part in parts if part.seconds >= SHORTEST_WINDOW_SECONDS]
    short = [part for part in parts if part.seconds < SHORTEST_WINDOW_SECONDS]
    seconds = sum(part.seconds for part in short)
    if seconds < SHORTEST_WINDOW_SECONDS:
        return long
    samples = np.concatenate([part.samples for part in short])
    sources = ", ".join(part.source for part in short)
    recordings = " ".join(part.recording for part in short if part.recording)
    return [*long, Spoken(samples, seconds, sources, recordings)]


def _windows(part: Spoken) -> list[Spoken]:
    """Speech cut into pieces of about WINDOW_SECONDS, all of one length, nothing left over."""
    pieces = max(1, round(len(part.samples) / RATE / WINDOW_SECONDS))
    return [_cut(part, piece) for piece in np.array_split(part.samples, pieces)]


def _cut(part: Spoken, piece: np.ndarray) -> Spoken:
    """A piece of it; speech is taken to be spread evenly."""
    return Spoken(piece, part.seconds * len(piece) / len(part.samples), part.source, part.recording)
