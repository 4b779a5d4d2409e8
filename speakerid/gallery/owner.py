"""Whose voice it is: not somebody else's, and the one that the person enrolled before."""

from collections.abc import Sequence

import numpy as np

from speakerid.errors import EnrollmentRefused
from speakerid.gallery.centers import centers_of
from speakerid.gallery.enrollment import Examined
from speakerid.gallery.voiceprint import Voiceprint, unit
from speakerid.model.limits import Limits


def check_owner(
    examined: Examined,
    name: str,
    own: Voiceprint | None,
    others: Sequence[Voiceprint],
    distinct_from: Sequence[str] = (),
) -> list[str]:
    """Refuse a voice that is already somebody else's, or not the one this person enrolled before.

    Args:
        examined: the recordings.
        name: the person to enroll.
        own: what this person enrolled before, if anything.
        others: everybody made by the same model; `own` may be among them and does not count.
        distinct_from: names of people whose voice it is not, though it sounds like theirs: somebody who knows
            them says so. Whoever was enrolled in spite of such a likeness is not asked about it again.

    Returns:
        Warnings about people who will be hard to tell from this one.

    Raises:
        EnrollmentRefused: naming the other person.
    """
    voice, limits = unit(examined.windows.mean(axis=0)), examined.limits
    with_own = float(own.centroid @ voice) if own else -1.0
    centers = centers_of(others).rows if others else np.zeros((0, len(voice)), np.float32)
    scores = centers @ voice
    counts = np.ones(len(others), bool)  # whose voice it might be
    if own:
        counts &= np.fromiter((other is not own for other in others), bool, len(others))
    told_apart = np.zeros(len(others), bool)
    if distinct_from:
        told_apart |= np.fromiter((other.name in distinct_from for other in others), bool, len(others))
    if own:
        told_apart |= centers @ own.centroid >= limits.near_voice
    in_question = np.flatnonzero(counts & ~told_apart)
    if len(in_question):
        nearest = int(in_question[scores[in_question].argmax()])
        if scores[nearest] > with_own and _is_theirs(scores[in_question], limits):
            other = others[nearest].name
            raise EnrollmentRefused(
                [
                    f'This is the voice of "{other}", who is enrolled, or one very like it: add the '
                    f'recording to "{other}", or confirm that "{name}" is somebody else.'
                ],
                belongs_to=other,
            )
    if own and with_own < limits.same_voice:
        raise EnrollmentRefused(
            [
                f'This does not sound like the voice that "{name}" enrolled before: '
                "choose another name, or remove the old voiceprint first."
            ],
            other_voice=True,
        )
    return [
        f'"{name}" sounds very much like "{others[near].name}": the one may be taken for the other.'
        for near in np.flatnonzero(counts & told_apart & (scores >= limits.near_voice)).tolist()
    ]


def _is_theirs(scores: np.ndarray, limits: Limits) -> bool:
    """Whether a voice is that of the person it agrees with most, by its agreement with each person [n]."""
    best = float(scores.max())
    margin = best - float(np.partition(scores, -2)[-2]) if len(scores) > 1 else np.inf
    return best >= limits.other_voice or (best >= limits.near_voice and margin >= limits.near_margin)
