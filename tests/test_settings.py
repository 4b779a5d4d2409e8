"""What the environment says is read in one module, and the README lists all of it."""

import ast
from pathlib import Path

import pytest

from speakerid import settings

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "speakerid"
# XDG_CACHE_HOME and such, HF_ENDPOINT, what torchrun says
OF_OTHERS = {"settings.py", "folders.py", "model/download.py", "training/devices.py"}
ALONE = PACKAGE / "examples"  # a client of the REST API may run where the package is not installed


def sources() -> list[Path]:
    package = [path for path in PACKAGE.rglob("*.py") if ALONE not in path.parents]
    return [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py")), *package]


def reads_environment(tree: ast.AST) -> bool:
    return any(
        isinstance(node, ast.Attribute)
        and node.attr in ("environ", "getenv")
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
        for node in ast.walk(tree)
    )


def test_nothing_else_reads_the_environment():
    trees = {path: ast.parse(path.read_text("utf-8")) for path in sources()}
    readers = {path for path, tree in trees.items() if reads_environment(tree)}
    assert {path.relative_to(PACKAGE).as_posix() for path in readers} <= OF_OTHERS
    for path, tree in trees.items():
        names = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        own = names & {setting.name for setting in settings.ALL}
        assert not own or path == PACKAGE / "settings.py", (path, own)


def test_the_readme_lists_every_setting_as_it_is():
    text = (ROOT / "README.md").read_text("utf-8").partition("\n## Settings\n")[2].partition("\n## ")[0]
    rows = [line for line in text.splitlines() if line.startswith("| `SPEAKERID_")]
    assert rows == [f"| `{one}` | {one.unset} | {one.meaning} |" for one in settings.ALL]


def test_without_a_variable_the_default_holds_and_an_empty_one_is_none(monkeypatch):
    for setting in settings.ALL:
        monkeypatch.delenv(setting.name, raising=False)
    before = settings.voiceprints(), settings.model(), settings.threads(), settings.cache()
    assert before[:3] == (Path("voiceprints"), "ecapa-bundled", 1) and not settings.PASSPHRASE.value
    for setting in settings.ALL:
        monkeypatch.setenv(setting.name, "")
    assert before == (settings.voiceprints(), settings.model(), settings.threads(), settings.cache())


def test_what_is_set_is_used_from_then_on(monkeypatch):
    monkeypatch.setenv("SPEAKERID_VOICEPRINTS", "postgres://ada@host/voices")
    monkeypatch.setenv("SPEAKERID_CALIBRATIONS", "/own")
    monkeypatch.setenv("SPEAKERID_THREADS", "1")
    assert settings.voiceprints() == "postgresql://ada@host/voices"
    assert settings.calibrations() == Path("/own")
    settings.use_threads(3)
    assert settings.threads() == 3


@pytest.mark.parametrize("setting", settings.ALL, ids=str)
def test_a_setting_is_told_by_its_name(setting):
    assert str(setting) == setting.name and f"set {setting}" == f"set {setting.name}"
