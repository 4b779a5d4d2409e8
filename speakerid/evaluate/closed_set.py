"""Which of the enrolled people is it? The classification head against the plain voiceprints.

Half of each speaker's recordings enroll, short pieces of the others are tested, in groups of people drawn
at random: a room in which nobody else speaks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from speakerid.evaluate.embedding import LENGTHS, Embedded
from speakerid.evaluate.own import MIN_RECORDINGS, Exemplars
from speakerid.gallery.voiceprint import MAX_EXEMPLARS
from speakerid.identify.closed_set import tuned
from speakerid.identify.scoring import Enrolled, Scorer
from speakerid.model.prototypes import FEWEST_EXEMPLARS, prototypes

if TYPE_CHECKING:
    from speakerid.gallery import Voiceprint

GROUP = 8  # people in a room
GROUPS = 40


@dataclass(frozen=True)
class Share:
    """Pieces of recordings that were given to the right person, of those tried."""

    right: int
    tried: int


def leave_one_out(people: Sequence[Voiceprint], scorer: Scorer, *, by_head: bool) -> Share:
    """Of people enrolled with one model: each recording is left out, one of everybody's at a time, and each
    of its pieces is given to the likeliest of them. Exemplars with the same source count as one recording;
    nobody's only recording is left out.

    Args:
        by_head: compare with prototypes fine-tuned on what is left, instead of the voiceprints.

    Raises:
        ModelError: PyTorch, which tunes the head, is not installed.
    """
    right = tried = 0
    recordings = [list(dict.fromkeys(person.sources)) for person in people]
    for number in range(max(map(len, recordings), default=0)):
        left: list[Enrolled] = []
        tests: list[tuple[int, np.ndarray, np.ndarray]] = []
        for k, (person, own) in enumerate(zip(people, recordings, strict=True)):
            out = np.zeros(len(person.sources), bool)
            if len(own) >= MIN_RECORDINGS and number < len(own):
                out = np.array([source == own[number] for source in person.sources])
                tests.append((k, person.embeddings[out], person.seconds[out]))
            left.append(Exemplars(person.name, person.embeddings[~out], person.seconds[~out]))
        if tests:
            profiles = scorer.profiles(tuned(left) if by_head else left)
            for k, embeddings, seconds in tests:
                likeliest = scorer.score(embeddings, seconds, profiles).llr.argmax(axis=1)
                right, tried = right + int((likeliest == k).sum()), tried + len(embeddings)
    return Share(right, tried)


def measure(embedded: Embedded, rounds: int = 300, seed: int = 0) -> list[dict]:
    """One row for each model, condition, corpus and length: share of pieces given to the right person.

    `right_interval` and `gain_interval` hold 95 % over draws of groups. Corpora with fewer than GROUP
    speakers of twice FEWEST_EXEMPLARS recordings are left out.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for corpus in sorted({one.corpus for one in embedded.utterances}):
        speakers: dict[str, list[int]] = {}
        for index, one in enumerate(embedded.utterances):
            if one.corpus == corpus:
                speakers.setdefault(one.speaker, []).append(index)
        many = {name: own for name, own in speakers.items() if len(own) >= 2 * FEWEST_EXEMPLARS}
        if len(many) < GROUP:
            continue
        halves = {name: _halves(own, rng) for name, own in many.items()}
        names = sorted(many)
        rooms = [rng.choice(len(names), GROUP, replace=False) for _ in range(GROUPS)]
        rooms = [[halves[names[k]] for k in room] for room in rooms]
        for model, condition in sorted({key[:2] for key in embedded.rows}):
            heads = [_heads(room, embedded.rows[model, condition, "whole"]) for room in rooms]
            for length, seconds in LENGTHS.items():
                if seconds is None:
                    continue
                pieces = embedded.rows[model, condition, length]
                shares = np.array(
                    [_right(room, head, pieces) for room, head in zip(rooms, heads, strict=True)]
                )
                key = {"model": model, "condition": condition, "corpus": corpus, "length": length}
                rows.append({**key, "people": GROUP, "rooms": GROUPS, **_figures(shares, rounds, rng)})
    return rows


def _halves(own: list[int], rng: np.random.Generator) -> tuple[list[int], list[int]]:
    order = [own[k] for k in rng.permutation(len(own))]
    half = len(order) // 2
    return order[:half][:MAX_EXEMPLARS], order[half:]


def _heads(room: list, whole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What a room's enrollments give: the voiceprints, the fine-tuned prototypes."""
    people = [whole[enroll] for enroll, _ in room]
    return prototypes(people, tune=False), prototypes(people)


def _right(room: list, heads: tuple[np.ndarray, np.ndarray], pieces: np.ndarray) -> tuple[float, float]:
    """Share of a room's pieces that each of the two heads gives to the right person."""
    tests = np.concatenate([pieces[test] for _, test in room])
    truth = np.repeat(np.arange(len(room)), [len(test) for _, test in room])
    plain, by_head = (float(((tests @ head.T).argmax(axis=1) == truth).mean()) for head in heads)
    return plain, by_head


def _figures(shares: np.ndarray, rounds: int, rng: np.random.Generator) -> dict:
    gain = shares[:, 1] - shares[:, 0]
    figures: dict = {"right": float(shares[:, 0].mean()), "right_tuned": float(shares[:, 1].mean())}
    figures["gain"] = float(gain.mean())
    if rounds:
        draws = gain[rng.integers(len(gain), size=(rounds, len(gain)))].mean(axis=1)
        figures["gain_interval"] = [float(v) for v in np.quantile(draws, [0.025, 0.975])]
    return figures
