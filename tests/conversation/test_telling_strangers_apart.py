"""Which turns of unknown voices are surely one voice's: those that a person finds ticked."""

import numpy as np
from support import voices

from speakerid.conversation.strangers import Voice, surely_one_voice
from speakerid.identify import Turn
from speakerid.identify.scoring import Scorer
from speakerid.model import Encoder


def said(encoder: Encoder, at: float, name: str, number: int, seconds: float = 2.0) -> Voice:
    """A voice judged at this second by the beginning of one of its sentences."""
    samples = voices.turn(name, number)[: round(seconds * voices.RATE)]
    return Voice(at, seconds, encoder.embed([samples])[0], at - seconds)


def test_a_turn_that_another_voice_speaks_in_too_is_not_ticked(encoder):
    scorer = Scorer.for_model(encoder.id)
    turns = [
        Turn(0, 3, "unknown", 0.8),
        Turn(4, 7, "unknown", 0.8),
        Turn(8, 14, "unknown", 0.8),
        Turn(15, 18, "unknown", 0.8),
        Turn(19, 22, "Alice", 0.9),
        Turn(23, 24, "unknown", 0.8),
    ]
    heard = [
        said(encoder, 2.5, "Edgar", 0),
        said(encoder, 6.5, "Felix", 0),
        said(encoder, 10.5, "Edgar", 2),
        said(encoder, 13.5, "Felix", 1),
        said(encoder, 17.5, "Edgar", 1),
        said(encoder, 23.9, "Edgar", 3, seconds=0.8),
    ]
    assert surely_one_voice(turns, 0, heard, scorer) == [True, False, False, True, False, False]
    assert surely_one_voice(turns, 1, heard, scorer) == [False, True, False, False, False, False]
    mixed = surely_one_voice(turns, 2, heard, scorer)
    assert mixed == [False, False, True, False, False, False], "whose voice was meant, nobody knows"
    short = surely_one_voice(turns, 5, heard, scorer)
    assert np.flatnonzero(short).tolist() == [5], "too short to compare"
