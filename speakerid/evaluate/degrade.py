"""The same recordings under worse conditions: a low-rate codec, a room, noise, a telephone.

Every condition is deterministic: the room and the noise of a recording follow from its label.
"""

import io
import zlib
from collections.abc import Callable

import numpy as np

from speakerid.audio.format import RATE
from speakerid.audio.resample import resampled
from speakerid.evaluate import EvaluationError

OPUS_BITS = 24_000  # bit/s
NOISE_SNR_DB = 10.0
TELEPHONE_RATE, MU = 8_000, 255


def opus24(samples: np.ndarray, label: str) -> np.ndarray:
    """Through Opus at 24 kbit/s and back (PyAV), aligned in time and of the same length [n]."""
    import av

    sound = io.BytesIO()
    with av.open(sound, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=RATE, options={"application": "voip"})
        stream.bit_rate = OPUS_BITS
        stream.layout = "mono"  # type: ignore[reportAttributeAccessIssue]
        pcm = (np.clip(samples, -1, 1) * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATE, 0
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    sound.seek(0)
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    pieces = []
    with av.open(sound, "r") as loaded:
        for frame in [*loaded.decode(audio=0), None]:
            pieces += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
    heard = np.concatenate(pieces)[: len(samples)]
    return np.pad(heard, (0, len(samples) - len(heard))).astype(np.float32)


def room(samples: np.ndarray, label: str) -> np.ndarray:
    """In a simulated living room, reverberation time 0.3–0.6 s, microphone 0.5–1.5 m from the mouth.

    The length, the level and the time at which the direct sound arrives stay as they were.

    Raises:
        EvaluationError: pyroomacoustics is not installed.
    """
    try:
        import pyroomacoustics
    except ImportError as error:
        raise EvaluationError(
            "Simulated rooms need the package pyroomacoustics; install it with: pip install pyroomacoustics, "
            "or leave out the condition room."
        ) from error
    rng = _random(label)
    size = rng.uniform([3.5, 3.0, 2.4], [6.0, 5.0, 3.0])
    absorption, order = pyroomacoustics.inverse_sabine(rng.uniform(0.3, 0.6), size)
    box = pyroomacoustics.ShoeBox(
        size, fs=RATE, materials=pyroomacoustics.Material(absorption), max_order=min(order, 20)
    )
    mouth = size * rng.uniform(0.35, 0.65, 3)
    way = rng.uniform(-1, 1, 3) * [1, 1, 0.2]
    ear = np.clip(mouth + way / np.linalg.norm(way) * rng.uniform(0.5, 1.5), 0.2, size - 0.2)
    box.add_source(mouth)
    box.add_microphone(ear)
    box.compute_rir()
    response = np.asarray(box.rir)[0][0] if isinstance(box.rir, list) else np.asarray(box.rir)[0, 0]
    travel = np.linalg.norm(ear - mouth) / box.c * RATE
    direct = round(travel) + pyroomacoustics.constants.get("frac_delay_length") // 2
    size_fft = 1 << (len(samples) + len(response)).bit_length()
    wet = np.fft.irfft(np.fft.rfft(samples, size_fft) * np.fft.rfft(response, size_fft), size_fft)
    wet = wet[direct : direct + len(samples)]
    return (wet * (np.std(samples) / max(float(np.std(wet)), 1e-9))).astype(np.float32)


def noise10(samples: np.ndarray, label: str) -> np.ndarray:
    """With pink noise, 10 dB below the recording's power over its whole length."""
    return with_noise(samples, label, NOISE_SNR_DB)


def telephone(samples: np.ndarray, label: str) -> np.ndarray:
    """At 8 kHz through G.711 µ-law and back, of the same length [n] and level."""
    narrow = resampled(np.asarray(samples, np.float32), RATE, TELEPHONE_RATE)
    heard = g711(np.clip(narrow, -1, 1)).astype(np.float32)
    wide = resampled(heard, TELEPHONE_RATE, RATE)[: len(samples)]
    return np.pad(wide, (0, len(samples) - len(wide)))


def g711(samples: np.ndarray) -> np.ndarray:
    """Samples -1..1 through the µ-law of ITU-T G.711, as the continuous curve in 8 bits, and back."""
    curve = np.sign(samples) * np.log1p(MU * np.abs(samples)) / np.log1p(MU)
    steps = np.round(curve * 127) / 127
    return np.sign(steps) * np.expm1(np.abs(steps) * np.log1p(MU)) / MU


def with_noise(samples: np.ndarray, label: str, snr_db: float) -> np.ndarray:
    """With pink noise, so many dB below the recording's power over its whole length."""
    rng = _random(label)
    spectrum = np.fft.rfft(rng.standard_normal(len(samples)))
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), n=len(samples))
    power = np.mean(np.square(samples, dtype=np.float64)) * 10 ** (-snr_db / 10)
    return (samples + noise * np.sqrt(power / np.mean(noise**2))).astype(np.float32)


def clip(samples: np.ndarray, share: float) -> np.ndarray:
    """So loud that this share (0..1) of the samples is cut off at full scale."""
    full_scale = max(float(np.quantile(np.abs(samples), 1 - share)), 1e-6)
    return np.clip(samples / full_scale, -1, 1).astype(np.float32)


def clean(samples: np.ndarray, label: str) -> np.ndarray:
    """As it is."""
    return samples


CONDITIONS: dict[str, Callable[[np.ndarray, str], np.ndarray]] = {
    "clean": clean,
    "opus24": opus24,
    "room": room,
    "noise10": noise10,
    "telephone": telephone,
}


def _random(label: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(label.encode()))
