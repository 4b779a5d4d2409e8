"""A microphone of the computer that runs this, through sounddevice (PortAudio), which loads on first use."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from speakerid.audio.format import RATE, Block
from speakerid.audio.live import LiveConverter
from speakerid.audio.ring import Ring
from speakerid.errors import AudioError

if TYPE_CHECKING:
    import sounddevice

_INSTEAD = "or use the browser's microphone or a recording"
_GONE_AFTER = 3.0  # seconds without any sound, silence included, after which a microphone counts as gone
_CLOSE_WITHIN = 2.0  # seconds: PortAudio may wait for ever for a device that is gone

_open_streams = 0  # PortAudio looks for devices only when it starts, and must not restart under a stream
_lock = threading.Lock()


@dataclass(frozen=True)
class Device:
    """A microphone: PortAudio's number and name of it, its own rate, and whether it is the default one."""

    index: int
    name: str
    rate: int
    channels: int
    default: bool


def devices() -> list[Device]:
    """The microphones that are connected now, the default one first; may be empty.

    Raises:
        AudioError: sounddevice or the PortAudio library is missing.
    """
    sd = _sounddevice()
    with _lock:
        if not _open_streams:
            sd._terminate()
            sd._initialize()
        default = sd.default.device[0]
        found = [
            Device(
                index=info["index"],
                name=info["name"],
                rate=int(info["default_samplerate"]),
                channels=info["max_input_channels"],
                default=info["index"] == default,
            )
            for info in sd.query_devices()
            if info["max_input_channels"] > 0
        ]
    return sorted(found, key=lambda device: not device.default)


class Microphone:
    """Records while it is open: `with Microphone() as microphone: for block in microphone.blocks(): …`.

    Attributes:
        ring: where the blocks go, normalized, about 20 ms each.
        closed: it was closed.
    """

    def __init__(self, device: Device | int | str | None = None, ring: Ring | None = None):
        """The default microphone, or a device of `devices()`, or its number, or (part of) its name."""
        self.ring = Ring() if ring is None else ring
        self.closed = False
        self._wanted = device
        self._name = "The microphone"
        self._stream: sounddevice.InputStream | None = None
        self._converter = LiveConverter()
        self._failure = ""
        self._heard_at = 0.0

    def __enter__(self) -> "Microphone":
        """Open it.

        Raises:
            AudioError: PortAudio is missing, there is no (such) microphone, or it cannot be opened.
        """
        global _open_streams
        device = _choose(self._wanted)
        self._name = f"The microphone “{device.name}”"
        with _lock:
            self._stream = self._open(device)
            _open_streams += 1
        self._heard_at = time.monotonic()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop recording; what was recorded stays in the ring."""
        global _open_streams
        self.closed = True
        stream, self._stream = self._stream, None
        if stream is None:
            return
        closing = threading.Thread(target=lambda: stream.close(ignore_errors=True), daemon=True)
        closing.start()
        closing.join(_CLOSE_WITHIN)
        if not closing.is_alive():  # else the device is gone, and PortAudio still waits for it
            with _lock:
                _open_streams -= 1

    @property
    def gain_db(self) -> float:
        """By how much the sound is raised at the moment, because it comes in too quiet."""
        return self._converter.gain_db

    @property
    def error(self) -> str:
        """The sentence to show if it stopped by itself (unplugged, say), else ""."""
        silent_for = time.monotonic() - self._heard_at
        if not self._failure and self._stream is not None and silent_for > _GONE_AFTER:
            self._failure = self._gone()
        return self._failure

    def blocks(self, seconds: float | None = None) -> Iterator[Block]:
        """What is recorded as it comes, until `seconds` of it came, or until the microphone is closed.

        Raises:
            AudioError: the microphone stopped by itself; everything that it recorded came before.
        """
        left = None if seconds is None else round(seconds * RATE)
        while left is None or left > 0:
            if self.ring.wait(0.1):
                block = self.ring.pop()[:left]
                left = None if left is None else left - len(block)
                yield block
            elif self.error:
                raise AudioError(self.error)
            elif self._stream is None:
                return

    def _open(self, device: Device) -> "sounddevice.InputStream":
        """At 16 kHz mono where the device can, which saves work, else as the device likes it."""
        sd = _sounddevice()
        try:
            sd.check_input_settings(device.index, channels=1, dtype="int16", samplerate=RATE)
            rate, channels = RATE, 1
        except (sd.PortAudioError, ValueError):
            rate, channels = device.rate, min(device.channels, 2)
        stream = None
        try:
            stream = sd.InputStream(
                samplerate=rate,
                blocksize=rate // 50,
                device=device.index,
                channels=channels,
                dtype="int16",
                callback=lambda sound, *_: self._take(sound, rate),
                finished_callback=self._finished,
            )
            stream.start()
        except (sd.PortAudioError, ValueError) as error:
            if stream is not None:
                stream.close(ignore_errors=True)
            raise AudioError(
                f"{self._name} cannot be opened ({_reason(error)}): close other programs that record, "
                f"connect it again, {_INSTEAD}."
            ) from error
        return stream

    def _take(self, sound: np.ndarray, rate: int) -> None:
        """PortAudio's thread brings int16 [n, channels]; an exception here would end the recording."""
        import av

        self._heard_at = time.monotonic()
        try:
            layout = "mono" if sound.shape[1] == 1 else "stereo"
            frame = av.AudioFrame.from_ndarray(sound.reshape(1, -1).copy(), format="s16", layout=layout)
            frame.sample_rate = rate
            block = self._converter.push(frame)
            self.ring.push(block, self._converter.gain_db)
        except Exception as error:
            self._failure = f"{self._name} gives sound that cannot be read ({error}): choose another one."

    def _finished(self) -> None:
        """PortAudio's thread ends: because of `close`, or because the device is gone."""
        if not self.closed and not self._failure:
            self._failure = self._gone()

    def _gone(self) -> str:
        return (
            f"{self._name} stopped: it was unplugged or another program took it; connect it and start again."
        )


def _choose(wanted: Device | int | str | None) -> Device:
    """The device that is meant, as it is numbered now."""
    found = devices()
    if not found:
        raise AudioError(
            f"This computer has no microphone that can be used: connect one and try again, {_INSTEAD}."
        )
    if wanted is None:
        return found[0]
    if isinstance(wanted, Device):  # numbers change when something is plugged in; the name stays
        matches = [device for device in found if device.name == wanted.name]
        label = wanted.name
    elif isinstance(wanted, int):
        matches = [device for device in found if device.index == wanted]
        label = str(wanted)
    else:
        exact = [device for device in found if device.name == wanted]
        matches = exact or [device for device in found if wanted.casefold() in device.name.casefold()]
        label = wanted
    if not matches:
        names = ", ".join(f"{device.name} ({device.index})" for device in found)
        raise AudioError(f"There is no microphone “{label}” now: connect it, or choose one of {names}.")
    return matches[0]


def _reason(error: Exception) -> str:
    """The part of PortAudio's message that means something to a person: `… : Device unavailable [PaErr…]`."""
    return str(error).split(" [PaErrorCode")[0].split(": ")[-1].strip() or "no reason given"


def _sounddevice() -> ModuleType:
    try:
        import sounddevice
    except ImportError as error:
        raise AudioError(
            f"The microphone of this computer needs the package sounddevice: run pip install sounddevice, "
            f"{_INSTEAD}."
        ) from error
    except OSError as error:
        raise AudioError(
            "The microphone of this computer needs the PortAudio library: install it (Debian and Ubuntu: "
            f"apt install libportaudio2), {_INSTEAD}."
        ) from error
    return sounddevice
