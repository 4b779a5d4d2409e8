"""The synthetic people of tests/voices and of the demo, as arrays, files and conversations."""

import tempfile
import wave
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

from speakerid.dashboard import demo

if TYPE_CHECKING:
    from speakerid.gallery import Voiceprint

RATE = 16_000
_HERE = Path(__file__).resolve().parents[1] / "voices"

PEOPLE = ("Alice", "Bruno", "Callum", "Daisy", "Edgar", "Felix")
TURNS_A_PERSON = 8


@dataclass(frozen=True)
class Turn:
    """A turn laid out by `conversation`, in seconds from the start of its samples."""

    start: float
    end: float
    speaker: str


def enrollment_files(name: str) -> list[Path]:
    """Two Ogg/Opus recordings of about 12 s to enroll this person from."""
    return demo.people().get(name) or sorted((_HERE / "people").glob(f"{name}-*.ogg"))


def enrollment(name: str) -> list[np.ndarray]:
    """The same as blocks, float32 [n] at 16 kHz each."""
    return [read(path) for path in enrollment_files(name)]


def turn(name: str, number: int) -> np.ndarray:
    """One sentence of this person that is in no enrollment, cut tightly: float32 [n], 2 to 5 s.

    number counts on beyond the recorded ones and starts over.
    """
    return read(_HERE / "turns" / f"{name}-{number % TURNS_A_PERSON + 1}.ogg")


@cache
def read(path: Path) -> np.ndarray:
    """Decode a recording with PyAV alone, so that the truth of a test does not hang on the code it tests."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        parts = [
            out.to_ndarray()[0] for frame in container.decode(audio=0) for out in resampler.resample(frame)
        ]
        parts += [out.to_ndarray()[0] for out in resampler.resample(None)]
    samples = np.concatenate(parts).astype(np.float32)
    samples.flags.writeable = False  # shared between tests by the cache
    return samples


def conversation(order: list[str], *, gap: float = 0.5, lead: float = 1.0) -> tuple[np.ndarray, list[Turn]]:
    """Lay out one turn for each name of `order`; a person's turns are different sentences.

    Args:
        order: who speaks, one after the other.
        gap: seconds of near silence between turns.
        lead: seconds of it before the first turn.

    Returns:
        samples float32 [n] at 16 kHz with noise at -66 dBFS throughout, and the turns.
    """
    parts, turns, at = [np.zeros(round(lead * RATE), np.float32)], [], lead
    used = dict.fromkeys(order, 0)
    for name in order:
        samples = turn(name, used[name])
        used[name] += 1
        turns.append(Turn(at, at + len(samples) / RATE, name))
        parts += [samples, np.zeros(round(gap * RATE), np.float32)]
        at += len(samples) / RATE + round(gap * RATE) / RATE
    joined = np.concatenate(parts)
    noise = np.random.default_rng(0).standard_normal(len(joined)).astype(np.float32)
    return np.clip(joined + noise * np.float32(10 ** (-66 / 20)), -1, 1), turns


def write_wav(path: Path, samples: np.ndarray, rate: int = RATE) -> Path:
    """Write samples [n] at 16 kHz as 16-bit mono WAV, resampled to `rate` (48000 for a fake microphone)."""
    if rate != RATE:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None]), format="flt", layout="mono")
        frame.sample_rate = RATE
        resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
        parts = [out.to_ndarray()[0] for out in [*resampler.resample(frame), *resampler.resample(None)]]
        samples = np.concatenate(parts)
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, rate, 0, "NONE", ""))
        out.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def enroll_four(folder: Path) -> None:
    """Enroll the first four of PEOPLE in the gallery at `folder`, with the bundled model."""
    enroll(folder, *PEOPLE[:4])


def enroll(folder: Path, *names: str) -> None:
    """Enroll people of PEOPLE in the gallery at `folder`, with the bundled model."""
    from speakerid.gallery.opening import open_store

    store = open_store(folder)
    for name in names:
        store.put(_voiceprint(name))
    store.close()


@cache
def _voiceprint(name: str) -> "Voiceprint":
    """What this person's enrollment makes, listened to once in a process."""
    from speakerid.gallery import Consent, Gallery
    from speakerid.model import Encoder

    with tempfile.TemporaryDirectory() as folder:
        gallery = Gallery.open(folder)
        consent = Consent.now("A synthetic voice.", "tests")
        gallery.enroll(name, enrollment(name), Encoder.load(), consent=consent)
        return gallery.get(name)
