"""A microphone of the computer that runs this, through sounddevice (PortAudio), which loads on first use."""

import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from speakerid.audio.devices import INSTEAD, Device, Streams, choose, devices, reason, sounddevice, ways
from speakerid.audio.format import RATE, Block
from speakerid.audio.live import LiveConverter
from speakerid.audio.ring import Ring
from speakerid.errors import AudioError

if TYPE_CHECKING:
    from sounddevice import InputStream

__all__ = ["Device", "Microphone", "devices"]

_GONE_AFTER = 3.0  # seconds without any sound, silence included, after which a microphone counts as gone
_CLOSE_WITHIN = 2.0  # seconds: PortAudio may wait for ever for a device that is gone


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
        self._stream: InputStream | None = None
        self._converter = LiveConverter()
        self._failure = ""
        self._heard_at = 0.0

    def __enter__(self) -> "Microphone":
        """Open it.

        Raises:
            AudioError: PortAudio is missing, there is no (such) microphone, or it cannot be opened.
        """
        device = choose(self._wanted)
        self._name = f"The microphone “{device.name}”"
        with Streams.lock:
            self._stream = self._open(device)
            Streams.open += 1
        self._heard_at = time.monotonic()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop recording; what was recorded stays in the ring."""
        self.closed = True
        stream, self._stream = self._stream, None
        if stream is None:
            return
        closing = threading.Thread(target=lambda: stream.close(ignore_errors=True), daemon=True)
        closing.start()
        closing.join(_CLOSE_WITHIN)
        if not closing.is_alive():  # else the device is gone, and PortAudio still waits for it
            with Streams.lock:
                Streams.open -= 1

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

    def _open(self, device: Device) -> "InputStream":
        """With all its inputs, since the microphone may be on any; at 16 kHz where it can."""
        sd = sounddevice()
        rate, channels = device.rate, 1
        for rate, channels in ways(device):
            try:
                sd.check_input_settings(device.index, channels=channels, dtype="int16", samplerate=rate)
                break
            except (sd.PortAudioError, ValueError):
                continue
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
                f"{self._name} cannot be opened ({reason(error)}): close other programs that record, "
                f"connect it again, {INSTEAD}."
            ) from error
        return stream

    def _take(self, sound: np.ndarray, rate: int) -> None:
        """PortAudio's thread brings int16 [n, channels]; an exception here would end the recording."""
        self._heard_at = time.monotonic()
        try:
            block = self._converter.push_samples(sound.T.astype(np.float32) / 32768, rate)
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
