"""One gallery on PostgreSQL, three processes: whom the command line enrolls, the app and the API name."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from support import voices
from support.app import ROOT, App
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from speakerid.gallery import Gallery

PATIENCE = 240.0  # s; the machine may be busy
BLOCK = 1600  # samples a message


class Ear:
    """A client of /v1/listen who hears Alice speak without end, in real time.

    Attributes:
        decisions: when each came (time.monotonic()), and who it names.
    """

    def __init__(self, url: str):
        self.decisions: list[tuple[float, str | None]] = []
        self._socket = connect(url, open_timeout=60, max_size=None)
        for work in (self._speak, self._listen):
            threading.Thread(target=work, daemon=True).start()

    def _speak(self) -> None:
        said = np.concatenate([voices.turn("Alice", number) for number in range(voices.TURNS_A_PERSON)])
        sound = (np.clip(said, -1, 1) * 32767).astype("<i2")
        at = 0
        try:
            while True:
                self._socket.send(np.take(sound, range(at, at + BLOCK), mode="wrap").tobytes())
                at += BLOCK
                time.sleep(BLOCK / voices.RATE)
        except ConnectionClosed:
            return

    def _listen(self) -> None:
        for text in self._socket:
            message = json.loads(text)
            assert "error" not in message, message
            if "speaker" in message:
                self.decisions.append((time.monotonic(), message["speaker"]))

    def heard(self, name: str) -> float | None:
        """When this name came first."""
        return next((when for when, speaker in self.decisions if speaker == name), None)

    def close(self) -> None:
        self._socket.close()


@contextmanager
def api(place: str) -> Iterator[str]:
    """Where a server of the REST API answers, a process of its own."""
    command = [sys.executable, "-m", "speakerid", "serve", "--port", "0", "--voiceprints", place]
    server = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert server.stdout
    try:
        found = None
        while not found and (line := server.stdout.readline()):
            found = re.search(r"http://([\w.]+:\d+)", line)
        assert found, "it does not say where it listens"
        yield found[1]
    finally:
        server.terminate()
        server.wait(20)
        server.stdout.close()


def until(true: Callable[[], object], why: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, why
        time.sleep(0.01)


def test_whom_the_command_line_enrolls_the_app_and_the_api_name_at_once(postgres, tmp_path, monkeypatch):
    place = postgres.place("doors")
    monkeypatch.setenv("SPEAKERID_API", "1")
    with App(tmp_path, place=place) as app, api(place) as served:
        ears = [Ear(f"ws://{app.url.split('//')[1]}/api/v1/listen"), Ear(f"ws://{served}/v1/listen")]
        for ear in ears:
            until(lambda ear=ear: ear.heard("unknown"), "nobody is heard")
        gallery = Gallery.open(place, "")
        files = map(str, voices.enrollment_files("Alice"))
        command = [sys.executable, "-m", "speakerid", "enroll", "Alice", *files, "--consent"]
        enrolling = subprocess.Popen([*command, "--voiceprints", place], cwd=ROOT, env=os.environ)
        until(gallery.speakers, "nobody is enrolled")
        enrolled = time.monotonic()
        for ear in ears:
            assert ear.heard("Alice") is None or ear.heard("Alice") > enrolled - 1
            until(lambda ear=ear: ear.heard("Alice"), "Alice is not named")
        print("named after", [f"{ear.heard('Alice') - enrolled:.2f} s" for ear in ears])
        assert enrolling.wait(60) == 0
        gallery.rename("Alice", "Alice A.")
        for ear in ears:
            until(lambda ear=ear: ear.heard("Alice A."), "her new name is not known")
            ear.close()
        gallery.close()
