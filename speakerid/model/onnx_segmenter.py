"""A segmentation network in a file: read once a process, and believed if it hears the probe as it did when it
was made.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import ClassVar, Generic, Protocol, Self, TypeVar

import numpy as np

from speakerid import settings
from speakerid.errors import ModelError
from speakerid.model import mel
from speakerid.onnx_session import OnnxSession

VOICES = 3
"""Slots of local voices."""
PROBE_TOLERANCE = 0.02  # of a probability, between this computer and the one that wrote the file


class Stream(Protocol):
    """What hears one stream of sound; each answer is float32 [t, 3], frames in order without gaps."""

    def push(self, block: np.ndarray) -> np.ndarray: ...
    def flush(self) -> np.ndarray: ...


S = TypeVar("S", bound=Stream)


class OnnxSegmenter(Generic[S]):
    """A network; may be shared between threads, each stream with a `stream()` of its own."""

    file: ClassVar[Path]
    """The one that comes with the app."""

    def __init__(self, session: OnnxSession):
        self._session = session

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """The network in a file, that of the app if none is named; read once a process.

        Raises:
            ModelError: the file is missing or damaged, or this computer gets other numbers from it.
        """
        return _load(cls, path or cls.file)

    @classmethod
    def of(cls, model: bytes, path: Path) -> Self:
        """The network in these bytes, which come from `path` or will go there.

        Raises:
            ModelError: ONNX Runtime cannot read them.
        """
        threads = settings.threads()  # outside: what is wrong with the setting is not the file's fault
        try:
            return cls(OnnxSession(model, threads))
        except ValueError as problem:
            raise _unusable(path, "is damaged") from problem

    def probed(self) -> str:
        """What it says of the probe, for the file's metadata."""
        return self.whole(probe()).astype("<f4").tobytes().hex()

    @property
    def about(self) -> dict[str, str]:
        """The file's metadata."""
        return self._session.about

    def stream(self) -> S:
        raise NotImplementedError

    def whole(self, samples: np.ndarray) -> np.ndarray:
        """A whole recording [n], float32, 16 kHz -> float32 [ceil(n / 256), 3]: the probability that each of
        up to three local voices speaks, the same as from a stream but for rounding."""
        stream = self.stream()
        return np.concatenate([stream.push(samples), stream.flush()])


N = TypeVar("N", bound=OnnxSegmenter[Stream])


@lru_cache(maxsize=4)
def _load(kind: type[N], path: Path) -> N:
    try:
        model = path.read_bytes()
    except OSError as problem:
        raise _unusable(path, "is missing or cannot be read") from problem
    network = kind.of(model, path)
    try:
        expected = np.frombuffer(bytes.fromhex(network.about["probe"]), "<f4").reshape(-1, VOICES)
        found = network.whole(probe())
        alike = found.shape == expected.shape and float(np.abs(found - expected).max()) <= PROBE_TOLERANCE
    except Exception as problem:  # ONNX Runtime's own errors have no class in common
        raise _unusable(path, "is no segmentation network") from problem
    if not alike:  # so that NaN is refused too
        raise _unusable(path, "gives other probabilities than when it was made")
    return network


def probe() -> np.ndarray:
    """A second of two voices that set in one after the other [16000]; the same on every computer."""
    time = np.arange(mel.RATE) / mel.RATE

    def voice(pitch: float, start: float) -> np.ndarray:
        phase = 2 * np.pi * (pitch * time + 2 * np.sin(2 * np.pi * 1.5 * time))
        return sum(np.sin(k * phase) / k for k in range(1, 16)) * (time > start)

    noise = np.random.default_rng(0).standard_normal(mel.RATE)
    return (0.08 * voice(110, 0.1) + 0.06 * voice(215, 0.5) + 1e-3 * noise).astype(np.float32)


def _unusable(path: Path, why: str) -> ModelError:
    return ModelError(
        f"The segmentation network {path} {why}; install the app again (or get the file from its repository)."
    )
