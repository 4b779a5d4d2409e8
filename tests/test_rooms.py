"""The rooms of the package: which may import which; pyproject.toml says it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", LINT], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_room_imports_only_those_below_it():
    found = lint(ROOT)
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize(
    ("room", "imported"),
    [("rest", "commands"), ("commands", "dashboard"), ("identify", "conversation"), ("audio", "model")],
)
def test_the_check_notices_a_way_back(tmp_path, room, imported):
    package = tmp_path / "speakerid"
    for folder in sorted(path for path in (ROOT / "speakerid").rglob("*.py")):
        copy = package / folder.relative_to(ROOT / "speakerid")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(folder.read_text("utf-8"), "utf-8")
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text("utf-8"), "utf-8")
    (package / room / "wrong.py").write_text(f"import speakerid.{imported}\n", "utf-8")
    found = lint(tmp_path)
    assert found.returncode == 1 and f"speakerid.{room}.wrong -> speakerid.{imported}" in found.stdout


def test_no_page_imports_streamlit_into_the_rooms_below():
    for room in ("audio", "model", "gallery", "identify", "conversation", "evaluate", "commands", "rest"):
        for file in (ROOT / "speakerid" / room).rglob("*.py"):
            assert "import streamlit" not in file.read_text("utf-8"), file
