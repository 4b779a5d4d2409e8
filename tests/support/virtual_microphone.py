"""A microphone that plays what a test gives it: a PulseAudio of one's own with a null sink.

PortAudio reads the environment of its process once, so a test records in a process of its own:

    with VirtualMicrophone() as microphone:
        microphone.play(samples)                       # in real time, in the background
        subprocess.run([...], env=microphone.env)
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
import wave
from pathlib import Path

import numpy as np

_RATE = 48_000
_SERVER = [
    *("pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--disallow-exit"),
    "-F",
]


class VirtualMicrophone:
    """A default microphone for every process that is started with `env`."""

    def __init__(self):
        self._needs()
        self._folder = Path(tempfile.mkdtemp(prefix="virtual-microphone-"))
        socket = self._folder / "socket"
        self.env = os.environ | {
            "HOME": str(self._folder),
            "XDG_RUNTIME_DIR": str(self._folder),
            "XDG_CONFIG_HOME": str(self._folder),
            "PULSE_SERVER": f"unix:{socket}",
            "PULSE_LATENCY_MSEC": "20",
        }
        self._server: subprocess.Popen | None = None
        self._players: list[subprocess.Popen] = []

    @staticmethod
    def _needs() -> None:
        """Fail with a sentence that names the missing Debian package."""
        libraries = Path("/usr/lib")
        present = {
            "pulseaudio": shutil.which("pulseaudio"),
            "pulseaudio-utils": shutil.which("pactl") and shutil.which("paplay"),
            "libasound2-plugins": [*libraries.glob("*/alsa-lib/libasound_module_pcm_pulse.so")],
            "libportaudio2": [*libraries.glob("*/libportaudio.so.2")],
        }
        missing = " ".join(package for package, found in present.items() if not found)
        if missing:
            raise AssertionError(
                f"The tests of the microphone need these Debian packages: apt install {missing}."
            )

    def __enter__(self) -> "VirtualMicrophone":
        socket = self._folder / "socket"
        script = self._folder / "server.pa"
        script.write_text(
            f"load-module module-native-protocol-unix auth-anonymous=1 socket={socket}\n"
            f"load-module module-null-sink sink_name=vmic rate={_RATE} channels=1\n"
            "set-default-source vmic.monitor\n"
        )
        (self._folder / ".asoundrc").write_text("pcm.!default pulse\nctl.!default pulse\n")
        self._log = (self._folder / "log").open("wb")
        self._server = subprocess.Popen(
            [*_SERVER, str(script)],
            env=self.env,
            stdout=self._log,
            stderr=self._log,
        )
        deadline = time.monotonic() + 20
        while subprocess.run(["pactl", "info"], env=self.env, capture_output=True).returncode:
            if self._server.poll() is not None or time.monotonic() > deadline:
                self._log.flush()
                log = (self._folder / "log").read_text(errors="replace")
                raise AssertionError(f"PulseAudio does not start:\n{log}")
            time.sleep(0.05)
        return self

    def play(self, samples: np.ndarray, rate: int = _RATE) -> subprocess.Popen:
        """Speak float samples [n] in -1..1 into the microphone, in real time; returns at once."""
        path = self._folder / f"sound-{len(self._players)}.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
        player = subprocess.Popen(["paplay", "--device=vmic", str(path)], env=self.env)
        self._players.append(player)
        return player

    def unplug(self) -> None:
        """The sound server is gone in the middle of a recording, as a microphone that is pulled out."""
        assert self._server is not None
        self._server.send_signal(signal.SIGKILL)
        self._server.wait()

    def __exit__(self, *exc_info: object) -> None:
        for process in [*self._players, self._server]:
            if process is not None and process.poll() is None:
                process.terminate()
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        self._log.close()
        shutil.rmtree(self._folder, ignore_errors=True)
