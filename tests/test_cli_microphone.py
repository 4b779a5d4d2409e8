"""`record` and `live` at a microphone of this computer (a virtual one, in real time)."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support import voices
from support.virtual_microphone import VirtualMicrophone

from speakerid.gallery import Gallery

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def virtual() -> Iterator[VirtualMicrophone]:
    with VirtualMicrophone() as microphone:
        yield microphone


@pytest.fixture(scope="module")
def recorded(virtual, tmp_path_factory) -> tuple[Path, str, str]:
    """The folder of voiceprints after `record Alice`, with what the command said."""
    folder = tmp_path_factory.mktemp("voiceprints")
    process = start(virtual, folder, "record", "Alice", "--seconds", "14", "--consent")
    until(process, "Speak now")
    virtual.play(voices.enrollment("Alice")[0], voices.RATE)
    out, errors = process.communicate(timeout=180)
    assert process.returncode == 0, errors
    return folder, out, errors


def start(virtual: VirtualMicrophone, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "speakerid", *arguments, "--voiceprints", str(folder)],
        env=virtual.env | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until(process: subprocess.Popen[str], said: str) -> None:
    """Wait until the command says so on standard error."""
    assert process.stderr is not None
    for line in process.stderr:
        if said in line:
            return
    pytest.fail(f"it ended without saying “{said}”")


def test_record_enrolls_from_the_microphone(recorded):
    folder, out, _ = recorded
    assert out.startswith('"Alice" is enrolled from ')
    assert len(Gallery.open(folder).speakers()) == 1


def test_live_names_the_voice_and_ends_cleanly_at_ctrl_c(virtual, recorded):
    folder, _, _ = recorded
    process = start(virtual, folder, "live")
    until(process, "Listening")
    parts = [voices.turn("Alice", 0), np.zeros(voices.RATE, np.float32), voices.turn("Edgar", 1)]
    virtual.play(np.concatenate(parts), voices.RATE).wait(60)
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    names = [line.split("  ")[0] for line in out.splitlines()]
    assert "Alice" in names and "unknown" in names[names.index("Alice") :]


def test_live_as_json_stops_by_itself(virtual, recorded):
    folder, _, _ = recorded
    process = start(virtual, folder, "live", "--json", "--seconds", "5")
    until(process, "Listening")
    virtual.play(voices.turn("Alice", 2), voices.RATE)
    out, _ = process.communicate(timeout=120)
    decisions = [json.loads(line) for line in out.splitlines()]
    assert process.returncode == 0 and "Alice" in {decision["speaker"] for decision in decisions}


@pytest.mark.parametrize("command", [("record", "Bob", "--consent"), ("live",)])
def test_without_a_microphone_one_line_says_so(tmp_path, command):
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "PULSE_SERVER": "unix:/nowhere",
        "HOME": str(tmp_path),
    }
    result = subprocess.run(
        [sys.executable, "-m", "speakerid", *command, "--voiceprints", str(tmp_path / "v")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert (result.returncode, result.stdout) == (1, "")
    told = result.stderr.splitlines()[-1]
    assert told.startswith("speakerid: ") and "microphone" in told and "Traceback" not in result.stderr


def test_a_recording_of_silence_is_not_enrolled(virtual, tmp_path):
    process = start(virtual, tmp_path / "v", "record", "Bob", "--seconds", "2", "--consent")
    _, errors = process.communicate(timeout=180)
    assert process.returncode == 1 and '"microphone" is silent' in errors.splitlines()[-1]
    assert not (tmp_path / "v").exists()
