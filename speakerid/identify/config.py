"""What an operator may turn of a Listener, and the pieces of speech that it asks to have embedded.

All tuned numbers of the Listener are fields of ListenerConfig or of the three below it; `python -m
speakerid.training listener DIR NAME=VALUE` shows what other values of them do on labelled conversations.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from speakerid.audio.format import RATE
from speakerid.identify.local_voices import NONE, VoicesConfig
from speakerid.identify.speech import Look, SpeechConfig
from speakerid.identify.tracker import TrackerConfig


@dataclass(frozen=True)
class ListenerConfig:
    """What an operator may turn; the defaults follow from the calibration.

    Attributes:
        threshold: probability that a name needs before it is shown.
        margin: by which it has to be ahead of the second person.
        hysteresis: a name that is shown stays until its probability falls this far below the threshold.
        patience: seconds of speech after which an undecided voice is called "unknown".
        surely_unknown: probability of "unknown" that is told before that.
        nobody_after: seconds of silence until nobody is shown.
        change: log-likelihood ratio below which two pieces of a stretch are taken for two voices.
        recent: seconds at the end of a stretch that are held against what came before.
        at_ease: confidence from which on, twice in a row, a stretch is looked at seldom.
        max_window: seconds, the longest window.
        people: names that take part; None for all.
        closed_set: only enrolled people speak: the likeliest of them is named, never "unknown".
        tuned: in a closed set, compare with prototypes fine-tuned on all who take part
            (`model.prototypes`) rather than with the voiceprints themselves.
    """

    threshold: float = 0.52
    margin: float = 0.1
    hysteresis: float = 0.05
    patience: float = 1.0
    surely_unknown: float = 0.75
    nobody_after: float = 0.4
    change: float = 1.0
    recent: float = 0.6
    at_ease: float = 0.9
    max_window: float = 3.0
    people: tuple[str, ...] | None = None
    closed_set: bool = False
    tuned: bool = False
    speech: SpeechConfig = field(default_factory=SpeechConfig)
    tracker: TrackerConfig = field(default_factory=TrackerConfig)
    voices: VoicesConfig = field(default_factory=VoicesConfig)


@dataclass(frozen=True, eq=False)
class Window:
    """A piece of speech to embed, or, without samples, a sign that is accepted with None.

    kind: "stretch", the speech since its onset; "recent", the end of a stretch, to notice a change of voice
    (the stretch itself follows); "pause", the stretch has ended; "nobody", the silence has lasted.
    since: sample of the stream at which its audio begins.
    main, others: slots of the voice that it is mostly of, and of those who speak beside it now.
    """

    kind: Literal["stretch", "recent", "pause", "nobody"]
    look: Look
    samples: np.ndarray | None = None
    since: int = 0
    main: int = NONE
    others: tuple[int, ...] = ()

    @property
    def seconds(self) -> float:
        """Of audio."""
        return 0.0 if self.samples is None else len(self.samples) / RATE
