"""The second look: who spoke when in a recording, once all of it was heard.

The first look (the Listener) decides as it hears. Here each moment is decided with both of its sides: pieces
of all voices, enrolled and strange, are put into groups (voices.py); each group then is a model of its voice
*in this recording*, which says more of its other pieces than a voiceprint from another room does; a hidden
Markov model smooths who speaks, forwards and backwards. That is done some times over, as in Landini et al.,
"Bayesian HMM clustering of x-vector sequences (VBx)", Computer Speech & Language 71 (2022), with calibrated
log-likelihood ratios in place of a PLDA, and with the enrolled people as known voices.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from speakerid.conversation import smoothing, voices
from speakerid.conversation.entry import Entry
from speakerid.conversation.pieces import HOP, Pieces
from speakerid.conversation.turns import turns_of
from speakerid.conversation.voices import Voices
from speakerid.identify import ListenerConfig
from speakerid.identify.scoring import Profiles, Scorer

# Chosen on made-up meetings of people held out of training; none of them matters to a digit.
_NEVER = -1e3  # log-likelihood ratio of what cannot be
UNKNOWN_IN_RECORDINGS = 0.3  # share of speech expected of strangers; live it is TrackerConfig.unknown
ELSE_SHARE = 0.05  # of speech expected of voices that are heard too seldom for a model of their own
STAY = 0.8  # that the same person speaks from one piece to the next of a span
STAY_AFTER_PAUSE = 0.3  # the same over the shortest pause, and down to 1/e of it over …
PAUSE_MEMORY = 0.8  # … so many seconds of it
ROUNDS = 4
_OWN = 1.0  # s: pieces nearer than that share sound with a piece, and say nothing new of its voice
_LEAST_MODEL = 1.0  # s of other pieces that a model of a voice is made from


def second_look(
    pieces: Pieces,
    scorer: Scorer,
    profiles: Profiles,
    config: ListenerConfig,
    progress: Callable[[float], None] = lambda share: None,
) -> tuple[Entry, ...]:
    """Who spoke when; strangers are "unknown 1", "unknown 2" … as they are first heard.

    Args:
        profiles: the people who may be named.
        config: what an operator turned of the Listener.
        progress: called now and then with the share of the work that is done, 0..1.
    """
    if not len(pieces.at):
        return ()
    everybody = len(profiles.names)
    unknown = 1.0 if not everybody else 0.0 if config.closed_set else UNKNOWN_IN_RECORDINGS
    found = voices.find(
        pieces, scorer, profiles, unknown, config.threshold, lambda share: progress(0.8 * share)
    )
    by_voiceprint = scorer.score(pieces.embeddings, pieces.seconds, found.people).llr
    stay = _stay(pieces)
    evidence, base = np.zeros_like(found.share), np.ones(0)
    for number in range(ROUNDS):
        if number:
            found = voices.merged(pieces, found, scorer)
        base = _base(found, unknown, everybody)
        evidence = _evidence(pieces, by_voiceprint, found.share, scorer)
        if not unknown:  # however unlike everybody enrolled a piece sounds
            evidence[:, everybody:] = _NEVER
        found = replace(found, share=smoothing.posteriors(evidence, base, stay))
        progress(0.8 + 0.2 * (number + 1) / ROUNDS)
    path = smoothing.likeliest(evidence, base, stay)
    needed = config.threshold if unknown else 0.0
    return turns_of(pieces, path, found.share, found.people.names, needed)


def _base(found: Voices, unknown: float, everybody: int) -> np.ndarray:
    """[k] how likely each voice is when somebody begins to speak."""
    people = len(found.people.names)
    strangers = found.share.shape[1] - people - 1
    seldom = min(ELSE_SHARE, unknown) if strangers else unknown
    base = np.full(people + strangers + 1, (1 - unknown) / max(everybody, 1))
    base[people:-1] = (unknown - seldom) / max(strangers, 1)
    base[-1] = seldom
    return base / base.sum()


def _stay(pieces: Pieces) -> np.ndarray:
    pause = np.diff(pieces.at, prepend=-np.inf) - HOP
    return np.where(pause < 0.01, STAY, STAY_AFTER_PAUSE * np.exp(-np.maximum(pause, 0) / PAUSE_MEMORY))


def _evidence(pieces: Pieces, by_voiceprint: np.ndarray, share: np.ndarray, scorer: Scorer) -> np.ndarray:
    """[n, k] log-likelihood ratio of each piece being each voice's, against anybody's.

    A person's is the mean of what the voiceprint says and of what the person's other pieces say, a stranger's
    what the other pieces say; "somebody else" is nobody in particular: 0.
    """
    evidence = np.zeros_like(share)
    people = by_voiceprint.shape[1]
    evidence[:, :people] = by_voiceprint
    first = np.searchsorted(pieces.at, pieces.at - _OWN, side="right")
    last = np.searchsorted(pieces.at, pieces.at + _OWN, side="left")
    for voice in range(share.shape[1] - 1):
        seconds = HOP * _others(share[:, voice, None], first, last)[:, 0]
        sums = _others((share[:, voice] * pieces.seconds)[:, None] * pieces.embeddings, first, last)
        lengths = np.maximum(np.linalg.norm(sums, axis=1), 1e-9)
        cosine = (sums * pieces.embeddings).sum(axis=1) / lengths
        heard = scorer.same_voices(cosine, pieces.seconds, np.maximum(seconds, HOP))
        enough = seconds >= _LEAST_MODEL
        if voice < people:
            evidence[enough, voice] = (by_voiceprint[enough, voice] + heard[enough]) / 2
        else:
            evidence[:, voice] = np.where(enough, heard, 0.0)
    return evidence


def _others(rows: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """[n, d]: for each piece, the sum of all rows but first..last of it."""
    total = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0, dtype=np.float64)])
    return total[-1] - (total[last] - total[first])
