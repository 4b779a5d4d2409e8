"""What happens to a voice on its way to the computer: rooms, noise, telephones, codecs, bad levels.

All functions take and give float32 samples [n], 16 kHz, of the same length.
"""

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import torch
from torchaudio.functional import resample

from speakerid.audio.decode import decode
from speakerid.audio.format import RATE
from speakerid.errors import ModelError
from speakerid.evaluate.degrade import g711

ROOMS = 240
OPUS_DELAY = 104  # samples of look-ahead at 16 kHz, measured by correlation


@dataclass(frozen=True)
class Surroundings:
    """rooms: impulse responses whose direct sound comes first; noises: recordings of everyday noise."""

    rooms: list[np.ndarray]
    noises: list[np.ndarray]


def simulate_rooms(count: int, seed: int) -> list[np.ndarray]:
    """Impulse responses of shoe-box rooms (image sources): 3-9 m long, reverberating 0.15-0.8 s."""
    try:
        import pyroomacoustics as pra
    except ImportError as error:
        raise ModelError("Simulated rooms need pyroomacoustics; run: pip install pyroomacoustics") from error
    rng = np.random.default_rng(seed)
    rooms: list[np.ndarray] = []
    while len(rooms) < count:
        size = rng.uniform([3, 3, 2.3], [9, 7, 3.5])
        try:
            absorption, order = pra.inverse_sabine(float(rng.uniform(0.15, 0.8)), size)
        except ValueError:  # no wall is absorbing enough for that size
            continue
        room = pra.ShoeBox(size, fs=RATE, materials=pra.Material(absorption), max_order=min(order, 14))
        ear = rng.uniform(0.4, size - 0.4)
        away = rng.normal(size=3) * [1, 1, 0.3]
        mouth = np.clip(ear + away / np.linalg.norm(away) * rng.uniform(0.3, 3.5), 0.2, size - 0.2)
        room.add_source(mouth)
        room.add_microphone(ear)
        room.compute_rir()
        response = np.asarray(room.rir[0][0], np.float32)  # type: ignore[index]
        response = response[int(np.abs(response).argmax()) :][: RATE // 2]
        rooms.append(response / np.sqrt(np.square(response).sum()))
    return rooms


def load_noises(folder: Path) -> list[np.ndarray]:
    """All recordings below a folder."""
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in {".opus", ".ogg", ".wav", ".flac"})
    return [decode(path).samples for path in paths]


def reverberate(samples: np.ndarray, room: np.ndarray) -> np.ndarray:
    size = 1 << (len(samples) + len(room) - 1).bit_length()
    return np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(room, size), size)[: len(samples)].astype(
        "f4"
    )


def add_noise(samples: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """Noise [m], repeated or cut to length, so many dB below the speech."""
    noise = np.resize(noise, len(samples))
    power = np.mean(np.square(samples)) / max(float(np.mean(np.square(noise))), 1e-12)
    return (samples + noise * np.sqrt(power * 10 ** (-snr_db / 10))).astype(np.float32)


def colored_noise(length: int, slope: float, rng: np.random.Generator) -> np.ndarray:
    """Noise whose power falls with frequency to the power of slope: 0 white, 1 pink, 2 brown."""
    spectrum = np.fft.rfft(rng.standard_normal(length))
    spectrum /= np.maximum(np.arange(len(spectrum)), 8) ** (slope / 2)
    return np.fft.irfft(spectrum, length).astype(np.float32)


def tilt(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A microphone's response: gains of a few dB over six octaves, sometimes with the top cut off."""
    spectrum = np.fft.rfft(samples)
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    knots = np.array([0, 150, 400, 1000, 2500, 4500, 8000])
    gains = rng.normal(0, 3.0, len(knots)) + np.linspace(0, rng.uniform(-8, 3), len(knots))
    decibels = np.interp(hertz, knots, gains)
    if rng.random() < 0.3:
        decibels = decibels - np.maximum(0, hertz - rng.uniform(3000, 7000)) / 20
    return np.fft.irfft(spectrum * 10 ** (decibels / 20), len(samples)).astype(np.float32)


def telephone(samples: np.ndarray) -> np.ndarray:
    """8 kHz and G.711, as loud as its steps allow."""
    narrow = resample(torch.from_numpy(samples), 2, 1).numpy()
    peak = max(float(np.abs(narrow).max()), 1e-6)
    narrow = g711(narrow / peak) * peak
    return resample(torch.from_numpy(narrow.astype(np.float32)), 1, 2).numpy()[: len(samples)]


def opus(samples: np.ndarray, bits_per_second: int) -> np.ndarray:
    """Through the Opus codec at 16 kHz, as WebRTC sends it, delay taken off."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = RATE, "mono", "s16"  # type: ignore[attr-defined]
    encoder.bit_rate = bits_per_second
    encoder.open()
    frame_size = RATE // 50
    padded = np.pad(samples, (0, 2 * frame_size + (-len(samples)) % frame_size))
    decoder = av.CodecContext.create("libopus", "r")
    decoder.sample_rate, decoder.layout = RATE, "mono"  # type: ignore[attr-defined]
    pieces = []
    for start in [*range(0, len(padded), frame_size), None]:
        frame = None
        if start is not None:
            block = np.round(np.clip(padded[start : start + frame_size], -1, 1) * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(block[None], format="s16", layout="mono")
            frame.sample_rate, frame.pts = RATE, start
        for packet in encoder.encode(frame):  # type: ignore[attr-defined]
            pieces += [f.to_ndarray().reshape(-1) for f in decoder.decode(packet)]  # type: ignore[attr-defined]
    heard = np.concatenate(pieces).astype(np.float32) / 32768  # 48 kHz: libopus always decodes to it
    heard = resample(torch.from_numpy(heard), 3, 1).numpy()[OPUS_DELAY:]
    return heard[: len(samples)]


def degrade(
    samples: np.ndarray, around: Surroundings, babble: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """One random way from mouth to computer.

    Args:
        babble: other people's speech [m], used as a noise now and then.
    """
    length = len(samples)
    if around.rooms and rng.random() < 0.45:
        samples = reverberate(samples, around.rooms[rng.integers(len(around.rooms))])
    kind = rng.random()
    if kind < 0.3 and around.noises:
        noise = around.noises[rng.integers(len(around.noises))]
        samples = add_noise(samples, np.roll(noise, rng.integers(len(noise))), rng.uniform(3, 25))
    elif kind < 0.45:
        samples = add_noise(samples, babble, rng.uniform(8, 25))
    elif kind < 0.65:
        samples = add_noise(samples, colored_noise(length, rng.uniform(0, 2), rng), rng.uniform(5, 30))
    if rng.random() < 0.35:
        samples = tilt(samples, rng)
    level = 10 ** (rng.uniform(-32, -8) / 20) / max(float(np.sqrt(np.mean(np.square(samples)))), 1e-5)
    samples = samples * np.float32(level * (rng.uniform(2, 6) if rng.random() < 0.08 else 1))
    samples = np.clip(samples, -1, 1)
    channel = rng.random()
    if channel < 0.12:
        samples = telephone(samples)
    elif channel < 0.30:
        samples = opus(samples, int(rng.integers(12, 33)) * 1000)
    return np.pad(samples, (0, length - len(samples))).astype(np.float32)
