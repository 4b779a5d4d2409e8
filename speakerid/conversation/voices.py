"""The voices of a recording: its pieces in groups, each an enrolled person's or a stranger's."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from speakerid.conversation.pieces import HOP, Pieces
from speakerid.conversation.strangers import SAME_STRANGER, Voice, cluster, likeness
from speakerid.identify.scoring import Profiles, Scorer

LEAST_SECONDS = 1.5
"""Of speech in a stranger's group; what is shorter is some unknown voice."""

SURELY = 4.0
"""Log-likelihood ratio from which a stranger's group turns out to be an enrolled person's after all.

Half of it is what the voiceprint says, half what the person's other speech in the recording does. In made-up
meetings of people held out of training, less gave strangers the name of whoever sounds like them.
"""

_REACH = 1.0  # s by which the pieces of a group reach beyond their own shares of time, about
_BLOCK = 400  # pieces grouped at once, then the groups of all blocks are: for hours, all pairs are too many
_LIKELY = 3  # people nearest to a group who may speak in it; the others of a large gallery take no part


@dataclass(frozen=True, eq=False)
class Voices:
    """Who may speak in a recording.

    Attributes:
        people: profiles of the enrolled people who may.
        share: [n, people + strangers + 1] 0..1, how far each piece is each voice's; the last is "somebody
            else", a voice too seldom heard to be told from others.
    """

    people: Profiles
    share: np.ndarray


def find(
    pieces: Pieces,
    scorer: Scorer,
    profiles: Profiles,
    unknown: float,
    needed: float,
    progress: Callable[[float], None] = lambda share: None,
) -> Voices:
    """Group the pieces by voice, and name the groups that are an enrolled person's.

    Args:
        unknown: share of speech that strangers are expected to have; 0 where only enrolled people speak.
        needed: probability from which a group is a person's.
        progress: called now and then with the share of the work that is done, 0..1.
    """
    group = _grouped(pieces, scorer, progress)
    means = _means(pieces, np.eye(group.max() + 1, dtype=np.float32)[group])
    llr = scorer.score(means, HOP * np.bincount(group) + _REACH, profiles).llr
    named = _owners(llr, unknown, needed)
    near = np.argsort(-llr, axis=1)[:, :_LIKELY].ravel().tolist()
    likely = sorted({*named[named >= 0].tolist(), *near})
    place = {person: k for k, person in enumerate(likely)}
    strange = np.flatnonzero(named < 0).tolist()
    place |= {-1 - k: len(likely) + number for number, k in enumerate(strange)}
    state = [place[person if person >= 0 else -1 - k] for k, person in enumerate(named.tolist())]
    return Voices(profiles.only(likely), np.eye(len(likely) + len(strange) + 1)[np.array(state)[group]])


def merged(pieces: Pieces, voices: Voices, scorer: Scorer) -> Voices:
    """The same with fewer strangers.

    Who surely is an enrolled person, or likely another stranger, is joined to them; who was hardly heard is
    "somebody else".
    """
    share, people = voices.share.copy(), len(voices.people.names)
    means, heard = _means(pieces, share), HOP * share.sum(axis=0)
    seconds = heard + _REACH
    llr = scorer.score(means, seconds, voices.people).llr
    left: list[int] = []
    for voice in range(people, share.shape[1] - 1):
        alike = scorer.same_voices(means @ means[voice], seconds, np.full_like(seconds, seconds[voice]))
        known = heard[:people] >= LEAST_SECONDS
        person = llr[voice].copy()
        person[known] = (person[known] + alike[:people][known]) / 2
        if heard[voice] < LEAST_SECONDS:
            to = share.shape[1] - 1
        elif people and person.max() >= SURELY:
            to = int(person.argmax())
        elif left and alike[left].max() >= SAME_STRANGER:
            to = left[int(alike[left].argmax())]
        else:
            left.append(voice)
            continue
        share[:, to] += share[:, voice]
    return Voices(voices.people, share[:, [*range(people), *left, share.shape[1] - 1]])


def _means(pieces: Pieces, share: np.ndarray) -> np.ndarray:
    """float32 [k, d]: the mean voice of each column of `share` [n, k], of unit length."""
    sums = (share * pieces.seconds[:, None]).T @ pieces.embeddings
    return (sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)).astype(np.float32)


def _owners(llr: np.ndarray, unknown: float, needed: float) -> np.ndarray:
    """[k] int: whose each group is, by its log-likelihood ratios [k, p]; −1 where it is nobody's for sure."""
    people = llr.shape[1]
    if not people:
        return np.full(len(llr), -1)
    prior = np.log(np.append(np.full(people, (1 - unknown) / people), max(unknown, 1e-12)))
    log = np.pad(llr, ((0, 0), (0, 1))) + prior
    likely = np.exp(log - log.max(axis=1, keepdims=True))
    likely /= likely.sum(axis=1, keepdims=True)
    best = likely[:, :-1].argmax(axis=1)
    return np.where((likely[np.arange(len(best)), best] >= needed) | (unknown == 0), best, -1)


def _grouped(pieces: Pieces, scorer: Scorer, progress: Callable[[float], None]) -> np.ndarray:
    """[n] int from 0: each piece's group, by average linkage of the evidence for one voice."""
    count = len(pieces.at)
    group, means = np.empty(count, int), list[Voice]()
    for first in range(0, count, _BLOCK):
        block = slice(first, first + _BLOCK)
        part = Pieces([], pieces.at[block], pieces.seconds[block], pieces.embeddings[block])
        found = np.array(_clustered(part, scorer))
        group[block] = found + len(means)
        rows = _means(part, np.eye(found.max() + 1, dtype=np.float32)[found])
        means += [Voice(0.0, HOP * n + _REACH, row) for n, row in zip(np.bincount(found), rows, strict=True)]
        progress(min(first + _BLOCK, count) / count)
    if count <= _BLOCK:
        return group
    return np.array(cluster(likeness(means, scorer), SAME_STRANGER))[group]


def _clustered(part: Pieces, scorer: Scorer) -> Sequence[int]:
    voices = [Voice(0.0, float(s), row) for s, row in zip(part.seconds, part.embeddings, strict=True)]
    return cluster(likeness(voices, scorer), SAME_STRANGER)
