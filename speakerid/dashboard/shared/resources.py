"""What all visitors share: one gallery and one encoder for the whole process.

The encoder brings PyTorch along, which takes seconds, so a thread loads it after the first page is drawn
(`warm`); `encoder()` waits for it. Nothing here imports Streamlit or, before the encoder is asked for,
PyTorch.
"""

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from speakerid import settings
from speakerid.errors import SpeakerIdError

if TYPE_CHECKING:
    from speakerid.audio.microphone import Device
    from speakerid.gallery import Gallery
    from speakerid.model import Encoder

EncoderState = Literal["waiting", "loading", "ready", "failed"]

# Importing PyTorch holds the interpreter for seconds; the page that started it is drawn first.
_AFTER_THE_PAGE = 0.7  # s

_DEVICES_SECONDS = 5.0

_lock = threading.Lock()
_microphones: "tuple[float, list[Device]]" = (float("-inf"), [])
_galleries: dict[str | Path, "Gallery"] = {}
_encoders: dict[str, "_Loading"] = {}


def voiceprints_place() -> str | Path:
    """Where voiceprints are kept: SPEAKERID_VOICEPRINTS, or ./voiceprints."""
    place = settings.voiceprints()
    return place.absolute() if isinstance(place, Path) else place


def model_name() -> str:
    """The model to load: SPEAKERID_MODEL, what was chosen on the Models page, or the bundled one."""
    from speakerid.model import catalog

    return catalog.chosen()


def gallery() -> "Gallery":
    """The gallery of this process, opened once for each folder.

    Raises:
        GalleryError: the folder cannot be used.
    """
    from speakerid.gallery import Gallery

    folder = voiceprints_place()
    with _lock:
        if folder not in _galleries:
            _galleries[folder] = Gallery.open(folder)
        return _galleries[folder]


def microphones() -> "list[Device]":
    """The microphones of this computer; the system is asked at most every few seconds, for it takes a while.

    Raises:
        AudioError: sounddevice or PortAudio is missing.
    """
    global _microphones
    from speakerid.audio.microphone import devices

    with _lock:
        if time.monotonic() - _microphones[0] > _DEVICES_SECONDS:
            _microphones = (time.monotonic(), devices())
        return _microphones[1]


def warm() -> None:
    """Start loading the encoder in the background, unless that has begun; returns at once."""
    _loading(_AFTER_THE_PAGE, again=False)


def encoder() -> "Encoder":
    """The encoder of this process; waits until it is loaded.

    Raises:
        ModelError: it could not be loaded. The next call tries again.
    """
    return _loading(0.0).result()


def loaded() -> "Encoder | None":
    """The encoder of this process if it is loaded already; never waits."""
    with _lock:
        loading = _encoders.get(model_name())
    return loading.result() if loading is not None and loading.state()[0] == "ready" else None


def encoder_state() -> tuple[EncoderState, str]:
    """How far the encoder is, and a sentence about it (its id once it is ready)."""
    with _lock:
        loading = _encoders.get(model_name())
    return loading.state() if loading else ("waiting", "The model loads when a page needs it.")


def adopt(name: str, encoder: "Encoder") -> None:
    """Use an encoder that is loaded already for the model of this name; let go of the others."""
    with _lock:
        _encoders.clear()
        _encoders[name] = _Loading(name, 0.0, encoder)


def _loading(delay: float, *, again: bool = True) -> "_Loading":
    name = model_name()
    with _lock:
        loading = _encoders.get(name)
        if loading is None or (again and loading.failed):
            loading = _encoders[name] = _Loading(name, delay)
    return loading


class _Loading:
    """One encoder on its way, in a thread of its own."""

    def __init__(self, name: str, delay: float, encoder: "Encoder | None" = None):
        self._name = name
        self._delay = delay
        self._encoder = encoder
        self._error: Exception | None = None
        self._doing = ""
        self.wanted = threading.Event()
        self._done = threading.Event()
        if encoder is not None:
            self._done.set()
            return
        threading.Thread(target=self._load, name="load-encoder", daemon=True).start()

    @property
    def failed(self) -> bool:
        return self._error is not None

    def result(self) -> "Encoder":
        self.wanted.set()
        self._done.wait()
        if self._encoder is None:
            assert self._error is not None
            raise self._error
        return self._encoder

    def state(self) -> tuple[EncoderState, str]:
        if self._encoder is not None:
            return "ready", self._encoder.id
        if isinstance(self._error, SpeakerIdError):
            return "failed", str(self._error)
        if self._error is not None:
            return "failed", f"The model could not be loaded ({self._error}); the server's log says more."
        if self._doing:
            return "loading", f"{self._doing} (the model {self._name})."
        return "loading", "The model is loading; this takes some seconds after a start."

    def _load(self) -> None:
        self.wanted.wait(self._delay)
        try:
            from speakerid.audio.vad import VoiceActivity
            from speakerid.evaluate import installing

            self._encoder, _ = installing.ready(self._name, self._report)
            VoiceActivity()  # loads the voice detector too, so that the first recording finds it ready
        except Exception as error:
            self._error = error
        finally:
            self._done.set()

    def _report(self, what: str, share: float) -> None:
        self._doing = f"{what}, {share:.0%}"
