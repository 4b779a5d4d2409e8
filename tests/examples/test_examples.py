"""The five scripts that people begin from, each run as its first lines say."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support import voices
from support.virtual_microphone import VirtualMicrophone

from speakerid import Consent, Encoder, Gallery

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted(path.stem for path in (ROOT / "speakerid" / "examples").glob("[a-z]*.py"))


def start(
    script: str, *arguments: object, folder: Path, module: str = "speakerid.examples", **environment: str
):
    """A script, or a command of the package, in a folder of its own."""
    name = f"{module}.{script}" if script else module
    return subprocess.Popen(
        [sys.executable, "-m", name, *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def run(script: str, *arguments: object, folder: Path, **environment: str) -> str:
    """What a script prints; it must succeed."""
    out, err = start(script, *arguments, folder=folder, **environment).communicate(timeout=120)
    assert out and err == "", (out, err)
    return out


@pytest.fixture
def alice(tmp_path) -> Path:
    """A folder in whose voiceprints/ Alice is."""
    consent = Consent.now("A synthetic voice.", "tests")
    gallery = Gallery.open(tmp_path / "voiceprints")
    gallery.enroll("Alice", voices.enrollment_files("Alice"), Encoder.load(), consent=consent)
    return tmp_path


@pytest.fixture
def talk(tmp_path) -> Path:
    return voices.write_wav(tmp_path / "talk.wav", voices.conversation(["Alice", "Edgar"])[0])


def test_each_script_says_how_it_is_run_and_is_listed():
    listed = (ROOT / "speakerid" / "examples" / "__init__.py").read_text()
    assert len(SCRIPTS) == 5
    for name in SCRIPTS:
        command = f"python -m speakerid.examples.{name}"
        assert command in listed and command in (ROOT / "speakerid/examples" / f"{name}.py").read_text()
        assert f"_{name}(" in Path(__file__).read_text(), f"{name} is run by no test"


def test_enroll_and_identify(tmp_path, talk):
    lines = run("enroll_and_identify", "Ada", *voices.enrollment_files("Alice")[:1], talk, folder=tmp_path)
    first, *turns = lines.splitlines()
    assert first.startswith("Ada is enrolled from ")
    assert [line.split()[5] for line in turns] == ["Ada", "unknown"]


def test_live_microphone(alice):
    with VirtualMicrophone() as virtual:
        process = start("live_microphone", 6, folder=alice, **virtual.env)
        assert process.stderr is not None and process.stderr.readline().startswith("Listening")
        virtual.play(voices.turn("Alice", 0), voices.RATE)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "Alice" in [line.split()[2] for line in out.splitlines()]


def test_compare_two_voices(tmp_path):
    one, other = voices.enrollment_files("Alice")
    said = run("compare_two_voices", one, other, folder=tmp_path)
    assert int(said.split("%")[0].split()[-1]) > 95
    said = run("compare_two_voices", one, voices.enrollment_files("Edgar")[0], folder=tmp_path)
    assert int(said.split("%")[0].split()[-1]) < 5


def test_your_error_rate(tmp_path):
    for name in ("Alice", "Bruno", "Callum"):
        (tmp_path / "people" / name).mkdir(parents=True)
        for file in voices.enrollment_files(name):
            (tmp_path / "people" / name / file.name).write_bytes(file.read_bytes())
    said = run("your_error_rate", "people", folder=tmp_path)
    assert said.splitlines() == ["3 people, 3 pairs of one person, 12 of two", "equal error rate 0.0%"]


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    process = start("", "serve", "--port", 0, "--json", folder=folder, module="speakerid")
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.kill()
        process.communicate()


def test_api_client(alice, talk):
    with serving(alice) as url:
        lines = run("api_client", talk, folder=alice, SPEAKERID_URL=url).splitlines()
    assert lines[0].startswith("model: ecapa-bundled-") and lines[1] == "enrolled: Alice"
    assert lines[2].split()[-1] == "Alice" and lines[-1].split()[-1].startswith("unknown")
