"""Unknown voices told apart: which turns of strangers are one stranger's."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from speakerid.gallery import UNKNOWN
from speakerid.identify import Turn
from speakerid.identify.scoring import Scorer

SAME_STRANGER = 1.4
"""Average log-likelihood ratio from which turns of unknown voices count as one stranger's.

On 300 draws of 1 to 4 people with up to 6 turns of 3 s each (speechocean762, test speakers), the number of
strangers came out right in 79 %; 2 % of the pairs of one voice were split and 6 % of those of two mixed.
"""

SURELY = 4.6
"""Log-likelihood ratio from which two voices are surely one: 99 to 1, as the calibration counts.

Of the six synthetic people in tests/voices, 8 turns of 2 to 3 s each, most pairs of one voice reach it and
none of two comes above 0.1.
"""

LEAST_SECONDS = 1.5
"""Of speech in a turn whose voice is compared; a shorter one is too uncertain."""

_LATE_S = 0.5  # a decision about a turn may come so long after its end


@dataclass(frozen=True, eq=False)
class Voice:
    """What an unknown voice sounded like at one decision (`at`, s); its stretch of speech began `since`."""

    at: float
    seconds: float
    embedding: np.ndarray = field(repr=False)
    since: float = 0.0


def surely_one_voice(turns: Sequence[Turn], of: int, voices: Sequence[Voice], scorer: Scorer) -> list[bool]:
    """For each turn, whether it surely is of the unknown voice of turn `of`, and of no other beside it.

    A turn counts only if every stretch in it that is long enough to compare is SURELY that voice's; where a
    stretch of the turn `of` itself is another voice's, no other turn does.

    Args:
        voices: in the order of their times.
    """
    times = np.array([voice.at for voice in voices])
    heard = [_long_enough(turn, voices, times) if turn.speaker == UNKNOWN else [] for turn in turns]
    own = heard[of]
    return [
        index == of
        or bool(own and there and likeness([*own, *there], scorer)[: len(own), len(own) :].min() >= SURELY)
        for index, there in enumerate(heard)
    ]


def likeness(voices: Sequence[Voice], scorer: Scorer) -> np.ndarray:
    """float32 [n, n]: what `Scorer.same_voice` says of each pair; the diagonal does not matter."""
    if not voices:
        return np.zeros((0, 0), np.float32)
    rows = np.stack([voice.embedding for voice in voices]).astype(np.float32)
    seconds = np.array([voice.seconds for voice in voices], np.float32)
    alike = rows @ rows.T
    for index, cosine in enumerate(alike):  # row by row: the features of all pairs would take gigabytes
        alike[index] = scorer.same_voices(cosine, seconds, np.full_like(seconds, seconds[index]))
    return alike


def cluster(
    alike: np.ndarray, least: float, progress: Callable[[float], None] = lambda share: None
) -> list[int]:
    """Group numbers 0, 1, … in order of appearance, by average linkage.

    Each row's best partner is remembered, so that n voices take about n² steps and not n³.

    Args:
        alike: [n, n], symmetric; the diagonal does not matter.
        least: average likeness down to which two groups are joined.
        progress: called now and then with the share of the work that is done, 0..1.
    """
    count = len(alike)
    label, size = np.arange(count), np.ones(count, np.float32)
    average = alike.astype(np.float32)
    np.fill_diagonal(average, -np.inf)
    partner = average.argmax(axis=1) if count else np.zeros(0, np.intp)
    best = average[np.arange(count), partner]
    for step in range(count - 1):
        if step % 50 == 0:
            progress(step / count)
        at = int(best.argmax())
        first, second = sorted((at, int(partner[at])))
        if best[at] < least:
            break
        joined = size[first] * average[first] + size[second] * average[second]
        size[first] += size[second]
        joined /= size[first]
        joined[[first, second]] = -np.inf
        average[first] = average[:, first] = joined
        average[second] = average[:, second] = -np.inf
        label[label == second] = first
        best[second] = -np.inf
        # An average lies between the two that it is made of: only who had one of them as the best looks anew.
        affected = np.isin(partner, (first, second)) & (best > -np.inf)
        for row in {*np.flatnonzero(affected).tolist(), first}:
            partner[row] = average[row].argmax()
            best[row] = average[row, partner[row]]
    progress(1.0)
    order = {group: number for number, group in enumerate(dict.fromkeys(label.tolist()))}
    return [order[group] for group in label.tolist()]


def _long_enough(turn: Turn, voices: Sequence[Voice], times: np.ndarray) -> list[Voice]:
    """What was heard in a turn by enough of speech to compare, less what began before it."""
    first, last = np.searchsorted(times, (turn.start, turn.end + _LATE_S), side="right")
    return [
        voice for voice in voices[first:last] if voice.seconds >= LEAST_SECONDS and voice.since < turn.end
    ]
