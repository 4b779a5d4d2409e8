"""The real app in a process of its own, as `streamlit run app.py` starts it."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_INSIDE = Path(__file__).with_name("inside")  # what Python is to run at the start of the server
_STREAM_THREADS = (
    "async_media_processor",
    "audio-decoder",
    "ShutdownPolling",
    "stream-hang-up",
    "live-open",
    "guided-recording",
)
READY_WITHIN = 60.0  # s; importing streamlit alone takes several on a busy machine


class App:
    """A running app. Use it as a context manager.

    Args:
        folder: where its voiceprints and its log go.
        script: what to serve; the app unless a test brings a page of its own.
        address: of this computer, to be reached at instead of localhost.
        place: where its voiceprints are, in place of a folder.

    Attributes:
        url: without a slash at the end.
        voiceprints: the gallery's folder.
        process: the server.
    """

    def __init__(
        self, folder: Path, script: Path = ROOT / "app.py", address: str = "localhost", place: str = ""
    ):
        self.voiceprints = folder / "voiceprints"
        self.url = ""
        self._log = folder / "server.log"
        self._threads = folder / "threads.txt"
        self._script = script
        self._port = 0
        self._address = address
        self._place = place

    def __enter__(self) -> "App":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server, on the same port as before if it ran before, and wait until it answers."""
        self._port = self._port or _free_port()
        self.url = f"http://{self._address}:{self._port}"
        command = [sys.executable, "-m", "streamlit", "run", str(self._script), "--server.headless=true"]
        if self._address != "localhost":
            command.append("--server.address=0.0.0.0")
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, f"--server.port={self._port}"],
                cwd=ROOT,
                env={
                    **os.environ,
                    "SPEAKERID_VOICEPRINTS": self._place or str(self.voiceprints),
                    "SPEAKERID_CALIBRATIONS": str(self.voiceprints.with_name("calibrations")),
                    "SPEAKERID_TEST_THREADS": str(self._threads),
                    "PYTHONPATH": f"{_INSIDE}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
                },
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + READY_WITHIN
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise AssertionError(f"The app did not start within {READY_WITHIN:.0f} s:\n{self.log()}")
            time.sleep(0.1)

    def stop(self) -> float:
        """End the server as Ctrl-C does; the seconds that it took. Raises where it hangs for 10 s."""
        began = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"The app did not end within 10 s of Ctrl-C:\n{self.log()}") from None
        return time.monotonic() - began

    def begin_anew(self) -> None:
        """Forget everybody, as the next test expects it, and start the server where the last one ended it."""
        from speakerid.gallery import Gallery

        if self.process.poll() is not None:
            self.start()
        gallery = Gallery.open(self.voiceprints)
        for person in gallery.speakers():
            gallery.remove(person.name)

    def log(self, lines: int = 80) -> str:
        """The last lines that the server printed."""
        if not self._log.exists():
            return ""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])

    def stream_threads(self) -> list[str]:
        """Names of the server's threads that belong to browsers' streams, some tenths of a second ago."""
        names = self._threads.read_text().splitlines()
        return [name for name in names if name.startswith(_STREAM_THREADS)]

    def analyses(self) -> int:
        """How many recordings the server was analyzing, some tenths of a second ago."""
        return self._threads.read_text().splitlines().count("analyze-recording")

    def stream_sockets(self) -> int:
        """UDP sockets that the server has open; each WebRTC stream has some."""
        owned = set()
        for entry in Path(f"/proc/{self.process.pid}/fd").iterdir():
            try:
                owned.add(entry.readlink().name)
            except OSError:  # closed meanwhile
                continue
        tables = [Path(f"/proc/{self.process.pid}/net/{kind}").read_text() for kind in ("udp", "udp6")]
        inodes = {line.split()[9] for table in tables for line in table.splitlines()[1:]}
        return sum(f"socket:[{inode}]" in owned for inode in inodes)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
