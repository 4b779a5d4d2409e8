"""The open-set decision over time: a hidden Markov model over the enrolled people and "unknown".

Within a stretch of speech the voice stays the same, and the evidence is that of its best window: windows
that overlap say the same thing twice, so their log-likelihood ratios are averaged, never added up. Between
stretches the person may change: the longer the pause, the likelier.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class TrackerConfig:
    """Probabilities of the model; chosen on conversations of people held out of training.

    In those conversations nobody speaks twice in a row, so what they say of `stay` is on the low side.

    unknown: share of speech that strangers are expected to have.
    stay: that the same person goes on after the shortest pause.
    pause_memory: seconds of pause after which that is down to 1/e.
    stay_at_change: the same after a change of voice was noticed without a pause.
    blend: weight of a new full-length window against what the stretch said so far.
    unnoticed: that somebody else speaks by now and no window has told yet: what is shown stays on the screen
        until one does, for about half a second of every turn.
    notice: that half second. Of a turn that has lasted `age` seconds so far it is notice / (age + what makes
        it `unnoticed` at first), so that who speaks on is named ever more surely.
    """

    unknown: float = 0.43
    stay: float = 0.1
    pause_memory: float = 0.8
    stay_at_change: float = 0.05
    blend: float = 0.35
    unnoticed: float = 0.08
    notice: float = 0.5


class Tracker:
    """Posterior over p people and "unknown" (the last entry)."""

    def __init__(self, people: int, config: TrackerConfig):
        self.config = config
        self._base = np.full(people + 1, (1 - config.unknown) / max(people, 1))
        self._base[-1] = config.unknown if people else 1.0
        self._prior = self._base.copy()
        self._evidence: np.ndarray | None = None
        self.posterior = self._base.copy()

    def begin(self, pause: float | None) -> None:
        """A new stretch of speech, so many seconds after the last; None: without a pause."""
        if self._evidence is not None or pause is None:
            config = self.config
            stay = (
                config.stay_at_change if pause is None else config.stay * np.exp(-pause / config.pause_memory)
            )
            self._prior = stay * self.posterior + (1 - stay) * self._base
        self._evidence = None
        self.posterior = self._prior.copy()

    def hear(self, llr: np.ndarray, full: bool, age: float = 0.0) -> np.ndarray:
        """Log-likelihood ratios [p] of the stretch's window; full: it is as long as windows get.

        Args:
            age: seconds that the turn has lasted so far.

        Returns the probabilities [p + 1] of who speaks while this is on the screen: the posterior, with a
        small share for an unnoticed change.
        """
        if self._evidence is None or not full:
            self._evidence = llr
        else:
            self._evidence = self._evidence + self.config.blend * (llr - self._evidence)
        log = np.log(np.maximum(self._prior, 1e-12)) + np.append(self._evidence, 0.0)
        likelihood = np.exp(log - log.max())
        self.posterior = likelihood / likelihood.sum()
        unnoticed = self.config.unnoticed / (1 + self.config.unnoticed * age / self.config.notice)
        return (1 - unnoticed) * self.posterior + unnoticed * self._base
