"""Voices to calibrate with: enrolled from some of their recordings, and tested with short pieces of the
others, as a Listener would hear them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from speakerid.audio.format import RATE
from speakerid.gallery.exemplars import Spoken, choose, embed_speech
from speakerid.model.embedder import Embedder

TEST_SECONDS = (0.45, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0)
TESTS_PER_VOICE = 14
# Of the recording's power; a piece below it is mostly a pause, which a Listener would not look at.
PAUSE_POWER = 0.2

Spoil = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Subject:
    """One voice, enrolled and tested.

    Attributes:
        speaker: whose voice it is; a warped voice of the same speaker is another subject.
        group: the corpus; trials stay within it.
        embeddings, seconds: [k, d], [k]: the exemplars that enrolling it would keep.
        tests, test_seconds: [t, d], [t].
    """

    speaker: str
    group: str
    embeddings: np.ndarray
    seconds: np.ndarray
    tests: np.ndarray
    test_seconds: np.ndarray

    @property
    def name(self) -> str:
        return self.speaker


def subject(
    speaker: str,
    group: str,
    recordings: Sequence[np.ndarray],
    encoder: Embedder,
    rng: np.random.Generator,
    spoil_enrolled: Spoil | None = None,
    spoil_test: Spoil | None = None,
    tests: int = TESTS_PER_VOICE,
) -> Subject | None:
    """Enroll one to three recordings [n] of a voice, or half of its only one, and test with the others.

    Args:
        spoil_enrolled, spoil_test: what happens to the recordings on the way; None: nothing.
        tests: pieces to test with.

    Returns:
        None where there is too little speech for it.
    """
    if len(recordings) == 1:
        half = len(recordings[0]) // 2
        enrolled, tested = [recordings[0][:half]], [recordings[0][half:]]
    else:
        order = rng.permutation(len(recordings))
        count = min(int(rng.integers(1, 4)), len(recordings) - 1)
        enrolled, tested = [recordings[k] for k in order[:count]], [recordings[k] for k in order[count:]]
    pieces = []
    for _ in range(tests):
        source = tested[rng.integers(len(tested))]
        length = int(rng.choice(TEST_SECONDS) * RATE)
        start = int(rng.integers(max(1, len(source) - length)))
        piece = np.ascontiguousarray(source[start : start + length])
        if len(piece) < min(TEST_SECONDS) * RATE / 2:
            continue
        if np.mean(np.square(piece)) >= PAUSE_POWER * np.mean(np.square(source)):
            pieces.append(spoil_test(piece) if spoil_test else piece)
    if spoil_enrolled:
        enrolled = [spoil_enrolled(recording) for recording in enrolled]
    parts = [Spoken(samples, len(samples) / RATE, "calibration") for samples in enrolled]
    windows, wholes = embed_speech(parts, encoder)
    candidates = wholes.join(windows)
    exemplars = candidates.pick(choose(candidates))
    if not pieces or not len(exemplars):
        return None
    return Subject(
        speaker,
        group,
        exemplars.embeddings,
        exemplars.seconds,
        encoder.embed(pieces),
        np.array([len(piece) / RATE for piece in pieces]),
    )
