"""How good a model and its listener are, measured: trials, error rates, live conversations, speed.

Knows nothing of Streamlit. The command line is `command.py` (`python -m speakerid evaluate`) and
`benchmark_command.py` (`python -m speakerid benchmark`); the Evaluate page uses `own.py`.
"""

from speakerid.errors import SpeakerIdError


class EvaluationError(SpeakerIdError):
    """What was given to measure cannot be measured."""


__all__ = ["EvaluationError"]
