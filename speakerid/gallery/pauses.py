"""What is heard in the pauses of a recording: a drum is silent between its beats, so the noise level of
`speakerid.audio.quality`, a median, passes over it."""

import numpy as np

from speakerid.audio.format import dbfs
from speakerid.audio.vad import FRAME, SPEECH

# Of 170 recordings of readers none is below 6 dB, as they are, in simulated rooms, with noise at 10 dB, or
# through Opus.
LOUD_PAUSES_DB = 5.0  # speech above the mean of what is heard in the pauses; below it a recording is not used
_PAUSE = 0.2  # probability: surely no speech (quiet speech is often half missed)
_NEAR = 4  # frames beside what may be speech, where its beginnings and ends are heard
_FEWEST = 10  # frames of pause; the mean of fewer says little


def speech_above_pauses(samples: np.ndarray, probabilities: np.ndarray) -> float:
    """By how many dB speech is louder than what is heard in the pauses, on average; infinity where there is
    no speech, or too little pause to tell.

    Args:
        samples: [n], 16 kHz.
        probabilities: of speech, one a whole frame of `samples`.
    """
    frames = samples[: len(probabilities) * FRAME].reshape(-1, FRAME)
    powers = np.mean(np.square(frames, dtype=np.float64), axis=1)
    speech = probabilities >= SPEECH
    pause = np.convolve(probabilities > _PAUSE, np.ones(2 * _NEAR + 1), "same") < 0.5
    if not speech.any() or pause.sum() < _FEWEST:
        return float("inf")
    return dbfs(float(powers[speech].mean())) - dbfs(float(powers[pause].mean()))
