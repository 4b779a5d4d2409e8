"""Is a recording good enough: how much speech, how loud, clipped, how noisy."""

from dataclasses import dataclass

import numpy as np

from speakerid.audio.format import RATE, Block, dbfs
from speakerid.audio.normalize import DC_POLE
from speakerid.audio.vad import FRAME, segments, speech_probabilities

_NEAR_PEAK, _HIGH_UP, _EQUAL = 0.95, 0.4, 0.004  # shares of the largest sample
_LOUD_ENOUGH = 0.25  # a recording whose largest sample is below this cannot have been clipped
_SPEECH, _PAUSE = 0.5, 0.2  # probabilities: surely speech, surely none
_LEAST_PAUSE = 3  # frames of pause, without which the quietest frames stand in for the noise
_MOST_SNR = 60.0  # dB: a pause of digital silence would make it infinite


@dataclass(frozen=True)
class Quality:
    """What can be measured of a recording.

    Attributes:
        seconds: length.
        speech_seconds: length of the parts in which somebody speaks.
        level_dbfs: level (RMS) of these parts, or of all where nobody speaks; -120 for digital silence.
        clipped: share of samples (0..1) with their peaks cut off; below 0.001 for speech that is not clipped.
        snr_db: speech over background, in dB, 0..60; 0 where nobody speaks.
    """

    seconds: float
    speech_seconds: float
    level_dbfs: float
    clipped: float
    snr_db: float


def measure(samples: Block, probabilities: np.ndarray | None = None) -> Quality:
    """Measure a recording.

    Args:
        samples: a block [n].
        probabilities: of speech, one a whole frame of `samples` [n // FRAME], if they are known already.
    """
    if probabilities is None:
        probabilities = speech_probabilities(samples)
    frames = samples[: len(probabilities) * FRAME].reshape(-1, FRAME)
    powers = np.mean(np.square(frames, dtype=np.float64), axis=1)
    spans = segments(probabilities, len(samples) / RATE)
    in_speech = probabilities >= _SPEECH
    heard = powers[in_speech] if in_speech.any() else powers
    return Quality(
        seconds=len(samples) / RATE,
        speech_seconds=sum(end - start for start, end in spans),
        level_dbfs=dbfs(float(heard.mean())) if len(heard) else dbfs(0.0),
        clipped=clipped(samples),
        snr_db=_snr(powers, probabilities),
    )


def clipped(samples: Block) -> float:
    """The share of samples (0..1) whose peaks were cut off; below 0.001 for natural speech.

    Two signs, of which the clearer one counts: samples within 5 % of the largest one, where a clipped wave
    stays and speech hardly ever is; and runs of equal samples high up, which remain in a recording that was
    made quieter after it was clipped. The DC filter of `Normalizer` bends such a run; it is undone here.
    """
    sizes = np.abs(samples)
    peak = float(sizes.max(initial=0.0))
    if peak < _LOUD_ENOUGH:
        return 0.0
    equal = np.abs(samples[1:] - DC_POLE * samples[:-1]) < _EQUAL * peak
    equal &= sizes[1:] > _HIGH_UP * peak
    runs = equal[2:] & equal[1:-1] & equal[:-2]  # four equal samples
    flat = np.zeros(len(samples), bool)
    for place in range(3):
        flat[1 + place : 1 + place + len(runs)] |= runs
    return max(float(np.mean(sizes >= _NEAR_PEAK * peak)), float(np.mean(flat)))


def _snr(powers: np.ndarray, probabilities: np.ndarray) -> float:
    """From the power of frames of speech, which hold the noise too, and that of the frames in pauses."""
    in_speech, in_pause = probabilities >= _SPEECH, probabilities <= _PAUSE
    if not in_speech.any():
        return 0.0
    # Voices that the detector half misses, children's above all, make loud "pauses": never above this.
    noise = float(np.percentile(powers, 10))
    if in_pause.sum() >= _LEAST_PAUSE:
        noise = min(noise, float(np.median(powers[in_pause])))
    speech = float(powers[in_speech].mean()) - noise
    if speech <= noise * 10 ** (-_MOST_SNR / 10):
        return 0.0
    return _MOST_SNR if noise <= 0 else float(np.clip(10 * np.log10(speech / noise), 0.0, _MOST_SNR))
