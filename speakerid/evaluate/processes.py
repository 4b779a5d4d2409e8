"""What other processes, and this one, take: memory, and the time of commands as users run them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import wave
from contextlib import suppress
from pathlib import Path

import numpy as np

from speakerid.audio.format import RATE


def megabytes(pid: int) -> float | None:
    """Resident memory of a process; None where there is no /proc."""
    with suppress(OSError), open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    return None


def identifying(speech: np.ndarray, seconds: float) -> dict:
    """The command `identify` on so many seconds of speech [n], repeated where it is shorter, by its defaults.

    Returns:
        {"seconds", "took_s" from the command to its end, "processor_s", "times_real_time" by took_s}.
    """
    samples = np.resize(speech, round(seconds * RATE))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
        command = [
            sys.executable,
            "-m",
            "speakerid",
            "identify",
            str(path),
            "--voiceprints",
            folder,
            "--json",
        ]
        before, began = os.times(), time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        took, after = time.perf_counter() - began, os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return {"seconds": seconds, "took_s": took, "processor_s": spent, "times_real_time": seconds / took}
