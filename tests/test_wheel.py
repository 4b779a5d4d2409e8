"""`pip install .`: what it installs is whole, and runs from another folder without a network."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
_IGNORED = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")


def pip(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "pip", *map(str, arguments), "--quiet", "--no-deps", "--no-index"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built from a copy without a network."""
    copy, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT / "speakerid", copy / "speakerid", ignore=_IGNORED)
    for name in ("pyproject.toml", "README.md", "LICENSE", "requirements.txt"):
        shutil.copy(ROOT / name, copy)
    pip("wheel", copy, "--no-build-isolation", "--wheel-dir", out)
    [made] = out.glob("*.whl")
    return made


def test_every_file_of_the_package_is_in_the_wheel(wheel: Path):
    held = set(zipfile.ZipFile(wheel).namelist())
    files = (path for path in (ROOT / "speakerid").rglob("*") if path.is_file())
    wanted = {str(path.relative_to(ROOT)) for path in files if not {"__pycache__", "build"} & {*path.parts}}
    assert {path for path in wanted if not path.endswith(".pyc")} - held == set()
    assert {"speakerid/py.typed", "speakerid/docs/CHANGELOG.md"} <= held
    [entry] = [name for name in held if name.endswith("entry_points.txt")]
    assert "speakerid = speakerid.__main__:main" in zipfile.ZipFile(wheel).read(entry).decode()
    [licence] = [name for name in held if name.endswith("licenses/LICENSE")]
    assert zipfile.ZipFile(wheel).read(licence) == (ROOT / "LICENSE").read_bytes()


def test_what_is_installed_runs_from_another_folder(wheel: Path, tmp_path: Path):
    installed, elsewhere = tmp_path / "installed", tmp_path / "elsewhere"
    elsewhere.mkdir()
    pip("install", "--target", installed, wheel)
    environment = {**os.environ, "PYTHONPATH": str(installed), "HF_HUB_OFFLINE": "1"}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=elsewhere,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "Nobody is enrolled" in run("-m", "speakerid", "speakers")
    assert run("-m", "speakerid", "--version").startswith("speakerid ")
    files = sorted((ROOT / "speakerid" / "dashboard" / "demo" / "people").glob("Alice-*.ogg"))
    code = (
        "import sys, speakerid\n"
        "print(speakerid.__file__)\n"
        "print(speakerid.compare(sys.argv[1], sys.argv[2]).probability)\n"
    )
    where, probability = run("-c", code, *map(str, files)).split()
    assert Path(where).is_relative_to(installed) and float(probability) > 0.9
