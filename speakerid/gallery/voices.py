"""Whether the recordings of one enrollment hold one voice: in turn, by their windows; at once, by a head."""

from collections.abc import Sequence

import numpy as np

from speakerid.audio.format import RATE
from speakerid.gallery.exemplars import MAX_WINDOWS, Embedder, Spoken
from speakerid.gallery.voiceprint import unit
from speakerid.model.overlap import WINDOW_SECONDS, OverlapHead

# Set on enrollments of people whom the model never heard, each limit at about one good one in a hundred;
# all of them with a look at the recordings that the README's figures are from.
TWO_VOICES = 0.57  # two groups of windows whose means agree less than this are two voices
CHANGE = 5.0  # a change of voice: how far the means on its two sides lie apart against the scatter
CHANGED = 0.50  # and how little these means agree at most; other rooms and days alone leave them more alike
AT_ONCE = -0.1  # mean log-odds of the windows from which on two voices are heard at once
FEWEST_AT_ONCE = 6  # windows; the mean of fewer scatters too much to refuse anybody for it
MORE_THAN_ONE = (
    "More than one voice is heard: enroll each person from recordings in which nobody else speaks."
)


def voice_windows(spoken: Sequence[Spoken], encoder: Embedder) -> np.ndarray:
    """Unit embeddings [m, d] of short windows, which seldom hold two voices in turn."""
    pieces: list[np.ndarray] = []
    for part in spoken:
        size = min(round(WINDOW_SECONDS * RATE), len(part.samples))
        starts = range(0, len(part.samples) - size + 1, max(size // 2, 1))
        pieces += [part.samples[start : start + size] for start in starts]
    if len(pieces) > MAX_WINDOWS:  # evenly over everything that was said
        pieces = [pieces[i] for i in np.linspace(0, len(pieces) - 1, MAX_WINDOWS).round().astype(int)]
    return unit(encoder.embed(pieces))


def more_than_one(windows: np.ndarray, model_id: str) -> bool:
    """Whether windows [m, d] of one enrollment are of more than one voice."""
    apart, alike = change_of_voice(windows)
    changed = apart > CHANGE and alike < CHANGED
    return changed or agreement_of_voices(windows) < TWO_VOICES or odds_at_once(windows, model_id) > AT_ONCE


def odds_at_once(windows: np.ndarray, model_id: str) -> float:
    """Mean log-odds that windows [m, d] hold two voices at once; minus infinity where nobody can tell, as the
    windows are too few or the model has no head for it."""
    head = OverlapHead.load(model_id)
    if head is None or len(windows) < FEWEST_AT_ONCE:
        return -np.inf
    return float(head.log_odds(windows).mean())


def change_of_voice(windows: np.ndarray) -> tuple[float, float]:
    """Where windows [m, d], in order, are likeliest to change to another voice: how far apart both sides are,
    and the cosine of their means; 0 and 1 below five windows.

    The distance is Hotelling's T² (1931) with one variance for all directions: of the two means, squared, in
    units of the scatter around them that chance would leave.
    """
    best = 0.0, 1.0
    for at in range(2, len(windows) - 2):  # the window in the middle hears both
        first, second = windows[:at], windows[at + 1 :]
        between = float(np.square(first.mean(axis=0) - second.mean(axis=0)).sum())
        within = np.concatenate([first - first.mean(axis=0), second - second.mean(axis=0)])
        weight = len(first) * len(second) / (len(first) + len(second))
        apart = weight * between / max(float(np.square(within).sum()) / len(within), 1e-9)
        if apart > best[0]:
            best = apart, float(unit(first.mean(axis=0)) @ unit(second.mean(axis=0)))
    return best


def agreement_of_voices(windows: np.ndarray) -> float:
    """Cosine between the means of the two groups that the windows [m, d] fall into; 1.0 below two windows.

    Two-means from the pair least alike: within one voice the two means agree, between two voices they do not.
    Each window is taken together with its neighbours, which are mostly of the same voice.
    """
    if len(windows) < 2:
        return 1.0
    windows = unit(np.stack([windows[max(0, i - 1) : i + 2].mean(axis=0) for i in range(len(windows))]))
    alike = windows @ windows.T
    centers = windows[list(np.unravel_index(int(alike.argmin()), alike.shape))]
    for _ in range(10):
        second = (windows @ centers[1]) > (windows @ centers[0])
        if second.all() or not second.any():
            return 1.0
        centers = unit(np.stack([windows[~second].mean(axis=0), windows[second].mean(axis=0)]))
    return float(centers[0] @ centers[1])
