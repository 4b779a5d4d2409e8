"""Which microphones this computer has, through sounddevice (PortAudio), which loads on first use."""

import threading
from collections import Counter
from dataclasses import dataclass
from types import ModuleType

from speakerid.audio.format import RATE
from speakerid.audio.kinds import MAX_CHANNELS
from speakerid.errors import AudioError

INSTEAD = "or use the browser's microphone or a recording"
"""What else there is, for messages."""

_SERVERS = {"default", "sysdefault", "pulse", "pipewire", "jack"}  # of sound on Linux: dozens of channels


class Streams:
    """How many are open: PortAudio looks for devices only when it starts, and must not restart under one."""

    lock = threading.Lock()
    open = 0


@dataclass(frozen=True)
class Device:
    """A microphone: PortAudio's number and name of it, its own rate, and whether it is the default one.

    host: the system's interface that it is reached through (Windows lists each microphone under several).
    twin: how manieth it is of those of this name there, from 0.
    """

    index: int
    name: str
    rate: int
    channels: int
    default: bool
    host: str = ""
    twin: int = 0


def devices() -> list[Device]:
    """The microphones that are connected now, the default one first; may be empty.

    Raises:
        AudioError: sounddevice or the PortAudio library is missing.
    """
    sd = sounddevice()
    with Streams.lock:
        if not Streams.open:
            sd._terminate()
            sd._initialize()
        found = _listed(list(sd.query_devices()), list(sd.query_hostapis()), sd.default.device[0])
    return sorted(found, key=lambda device: not device.default)


def _listed(infos: list[dict], hosts: list[dict], default: int) -> list[Device]:
    """What PortAudio tells as devices, in its order."""
    seen: Counter[tuple[str, str]] = Counter()
    found: list[Device] = []
    for info in infos:
        if info["max_input_channels"] <= 0:
            continue
        name, host = info["name"], hosts[info["hostapi"]]["name"]
        found.append(
            Device(
                index=info["index"],
                name=name,
                rate=int(info["default_samplerate"]),
                channels=info["max_input_channels"],
                default=info["index"] == default,
                host=host,
                twin=seen[name, host],
            )
        )
        seen[name, host] += 1
    return found


def choose(wanted: Device | int | str | None) -> Device:
    """The device that is meant, as it is numbered now; raises AudioError if there is none."""
    found = devices()
    if not found:
        raise AudioError(
            f"This computer has no microphone that can be used: connect one and try again, {INSTEAD}."
        )
    if wanted is None:
        return found[0]
    if isinstance(wanted, Device):  # numbers change when something is plugged in; the rest stays
        key = (wanted.name, wanted.host, wanted.twin)
        matches = [device for device in found if (device.name, device.host, device.twin) == key]
        label = wanted.name + (f" ({wanted.twin + 1})" if wanted.twin else "")
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
    # Of one name under several of the system's interfaces, the one that the default microphone uses.
    return next((device for device in matches if device.host == found[0].host), matches[0])


def ways(device: Device) -> list[tuple[int, int]]:
    """(rate, channels) to try, the best first; some devices open only with their own number of channels."""
    most = min(device.channels, MAX_CHANNELS)
    if device.name.casefold() in _SERVERS:  # these mix any number from what there is
        most = min(most, 2)
    counts = dict.fromkeys([most, device.channels, min(device.channels, 2), 1])
    return [(rate, count) for count in counts for rate in dict.fromkeys([RATE, device.rate])]


def reason(error: Exception) -> str:
    """The part of PortAudio's message that means something to a person: `… : Device unavailable [PaErr…]`."""
    return str(error).split(" [PaErrorCode")[0].split(": ")[-1].strip() or "no reason given"


def sounddevice() -> ModuleType:
    """The package; raises AudioError where it or PortAudio is missing."""
    try:
        import sounddevice as package
    except ImportError as error:
        raise AudioError(
            f"The microphone of this computer needs the package sounddevice: run pip install sounddevice, "
            f"{INSTEAD}."
        ) from error
    except OSError as error:
        raise AudioError(
            "The microphone of this computer needs the PortAudio library: install it (Debian and Ubuntu: "
            f"apt install libportaudio2), {INSTEAD}."
        ) from error
    return package
