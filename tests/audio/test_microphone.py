"""A microphone of this computer, played by PulseAudio; each recording in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sounds import RATE, voice
from support.virtual_microphone import VirtualMicrophone

ROOT = Path(__file__).resolve().parents[2]

RECORD = """
import sys
import numpy as np
from speakerid.audio.microphone import Device, Microphone, devices
from speakerid.errors import AudioError
def heard(device, seconds):
    with Microphone(device) as microphone:
        print("open", flush=True)
        return np.concatenate([np.zeros(0, np.float32), *microphone.blocks(seconds=seconds)]), microphone
try:
    exec(sys.argv[1])
except AudioError as error:
    print(error)
    sys.exit(1)
"""


@pytest.fixture(scope="module")
def virtual() -> Iterator[VirtualMicrophone]:
    with VirtualMicrophone() as microphone:
        yield microphone


def start(virtual: VirtualMicrophone, code: str) -> subprocess.Popen:
    """Run code after RECORD with this microphone as the default one."""
    return subprocess.Popen(
        [sys.executable, "-c", RECORD, code],
        env=virtual.env | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until_open(process: subprocess.Popen) -> None:
    assert process.stdout is not None
    line = process.stdout.readline()
    if line != "open\n":
        pytest.fail(f"the microphone did not open: {line}{process.communicate()}")


def test_what_is_spoken_is_recorded(virtual: VirtualMicrophone, tmp_path: Path):
    path = tmp_path / "heard.npy"
    code = (
        f"samples, microphone = heard(None, 4.0); np.save({str(path)!r}, samples)\n"
        "print(microphone.ring.dropped, microphone.closed, repr(microphone.error))"
    )
    process = start(virtual, code)
    until_open(process)
    player = virtual.play(voice(3.0, 48_000))
    output, errors = process.communicate(timeout=60)
    player.wait(30)
    assert process.returncode == 0, output + errors
    assert output.split() == ["0", "True", "''"]
    samples = np.load(path)
    assert samples.dtype == np.float32
    assert len(samples) == 4 * RATE
    # Word by word: on a busy computer PulseAudio itself may leave a gap between two of them.
    spoken = voice(3.0)
    words = [spoken[at : at + round(0.4 * RATE)] for at in range(0, len(spoken), RATE // 2)]
    assert np.median([best_likeness(word, samples) for word in words]) > 0.9


def best_likeness(part: np.ndarray, whole: np.ndarray) -> float:
    """The correlation of a part with the stretch of the whole that fits best."""
    products = np.correlate(whole, part, "valid")
    at = int(np.argmax(products))
    return float(np.corrcoef(part, whole[at : at + len(part)])[0, 1])


@pytest.mark.parametrize("choice", ["devices()[0]", "devices()[0].index", "'puls'", "'PULSE'"])
def test_a_device_by_itself_its_number_or_its_name(virtual: VirtualMicrophone, choice: str):
    process = start(virtual, f"samples, _ = heard({choice}, 0.3); print(len(samples))")
    output, errors = process.communicate(timeout=60)
    assert output.split() == ["open", "4800"], output + errors


def test_a_device_that_is_not_there(virtual: VirtualMicrophone):
    process = start(virtual, "heard('Grandma', 1.0)")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert output.startswith("There is no microphone “Grandma” now: connect it, or choose one of ")
    assert "pulse" in output


def test_a_device_that_cannot_be_opened(virtual: VirtualMicrophone):
    """It is listed, but refuses: a Device whose sound server went away in between."""
    with VirtualMicrophone() as gone:
        code = (
            "found = devices(); print('open', flush=True); sys.stdin.readline()\nMicrophone()._open(found[0])"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", RECORD, code],
            env=gone.env | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        until_open(process)
        gone.unplug()
        output, errors = process.communicate("go\n", timeout=60)
    assert process.returncode == 1, output + errors
    assert "cannot be opened" in output and "close other programs that record" in output


def test_unplugged_while_recording():
    """What came before is handed out first; then one sentence, within seconds."""
    code = (
        "count = 0\n"
        "with Microphone() as microphone:\n"
        "    print('open', flush=True)\n"
        "    try:\n"
        "        for block in microphone.blocks():\n"
        "            count += len(block)\n"
        f"            if count - len(block) <= {RATE} < count: print('a second', flush=True)\n"
        "    finally: print(count)\n"
    )
    with VirtualMicrophone() as microphone:
        process = start(microphone, code)
        until_open(process)
        assert process.stdout is not None and process.stdout.readline() == "a second\n"
        microphone.unplug()
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 1, output + errors
    count, sentence = output.strip().split("\n")
    assert int(count) > RATE
    assert sentence.startswith("The microphone “")
    assert sentence.endswith(
        "stopped: it was unplugged or another program took it; connect it and start again."
    )


def test_no_microphone_at_all(tmp_path: Path, virtual: VirtualMicrophone):
    env = virtual.env | {"PULSE_SERVER": f"unix:{tmp_path}/nobody", "HOME": str(tmp_path)}
    process = subprocess.run(
        [sys.executable, "-c", RECORD, "print(devices()); heard(None, 1.0)"],
        env=env | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert process.returncode == 1
    listed, sentence = process.stdout.strip().split("\n")
    assert listed == "[]"
    assert sentence.startswith("This computer has no microphone that can be used: connect one and try again")


@pytest.mark.parametrize(
    ("module", "sentence"),
    [
        ("raise OSError('PortAudio library not found')", "apt install libportaudio2"),
        ("raise ImportError('No module named sounddevice')", "run pip install sounddevice"),
    ],
)
def test_a_library_that_is_missing(tmp_path: Path, module: str, sentence: str, virtual: VirtualMicrophone):
    """sounddevice fails at import, as it does without the library."""
    (tmp_path / "sounddevice.py").write_text(module)
    process = subprocess.run(
        [sys.executable, "-c", RECORD, "devices()"],
        env=virtual.env | {"PYTHONPATH": f"{tmp_path}:{ROOT}"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert process.returncode == 1, process.stderr
    assert process.stdout.startswith("The microphone of this computer needs the ")
    assert sentence in process.stdout
