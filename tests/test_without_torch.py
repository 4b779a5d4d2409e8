"""A small computer: what `pip install .[edge]` brings is enough to enroll, identify and serve."""

import json
import re
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

import pytest
from support import voices

ROOT = Path(__file__).resolve().parents[1]

# Whoever imports anything else is told that it is not there, as on a computer that never got it.
ONLY = """
import json, sys, importlib.util
missing = set(json.loads(sys.argv[1]))
class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Nothing())
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name in missing else found(name, package)
from speakerid.cli import main
sys.exit(main(sys.argv[2:]))
"""


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def brought(requirements: list[str]) -> set[str]:
    """The distributions that these requirements bring, and what those bring."""
    found: set[str] = set()
    waiting = list(requirements)
    while waiting:
        requirement = waiting.pop()
        name = plain(re.split(r"[\[<>=!~; (]", requirement)[0])
        if name in found or "extra ==" in requirement:
            continue
        found.add(name)
        try:
            waiting += distribution(name).requires or []
        except PackageNotFoundError:  # for another system
            continue
    return found


@pytest.fixture(scope="module")
def missing() -> list[str]:
    """The modules that are installed here, but would not be there."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    there = brought([*project["dependencies"], *project["optional-dependencies"]["edge"]])
    modules = {
        module for module, names in packages_distributions().items() if not {plain(n) for n in names} & there
    }
    assert {"torch", "torchaudio", "streamlit", "silero_vad", "scipy"} <= modules
    return sorted(modules - {"speakerid"})


def run(missing: list[str], *arguments: object) -> str:
    command = [sys.executable, "-c", ONLY, json.dumps(missing), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def serving(missing: list[str], *arguments: object) -> Iterator[str]:
    command = [sys.executable, "-c", ONLY, json.dumps(missing), "serve", "--port", "0", "--json"]
    process = subprocess.Popen([*command, *map(str, arguments)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert process.stdout
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.kill()
        process.wait()


def test_enroll_identify_and_serve_need_no_torch(tmp_path, missing):
    spoken = voices.write_wav(tmp_path / "alice.wav", voices.conversation(["Alice"] * 3)[0])
    mixed = voices.write_wav(tmp_path / "mix.wav", voices.conversation(["Alice", "Edgar"])[0])
    folder = ("--voiceprints", tmp_path / "voiceprints")
    assert '"Alice" is enrolled' in run(missing, "enroll", "Alice", spoken, "--consent", *folder)
    heard = run(missing, "identify", mixed, *folder)
    assert "Alice" in heard and "unknown" in heard
    with serving(missing, *folder) as url:
        request = urllib.request.Request(f"{url}/v1/identify", mixed.read_bytes())
        with urllib.request.urlopen(request, timeout=300) as answer:
            turns = json.load(answer)["turns"]
    assert {turn["speaker"] for turn in turns} == {"Alice", "unknown"}


def test_torch_is_told_to_be_missing_where_it_is_asked_for(tmp_path, missing, monkeypatch):
    monkeypatch.setenv("SPEAKERID_RUNTIME", "torch")
    spoken = voices.write_wav(tmp_path / "alice.wav", voices.conversation(["Alice"])[0])
    with pytest.raises(AssertionError, match="pip install torch"):
        run(missing, "identify", spoken, "--voiceprints", tmp_path / "voiceprints")
