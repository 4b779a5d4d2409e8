"""What every test gets: settings of its own, never those of the person who runs it; and its tier.

Three tiers, as markers:

    unit       works in this process, on little: `python -m pytest -m unit` takes less than a minute
    room       its real parts: the network, servers, databases, other processes
    browser    the app in Chromium (the folder browser/)

A file that imports one of _PARTS is a room test, as is a test that asks for a fixture of _FIXTURES; a file
may also say it itself (`pytestmark = pytest.mark.room`). Whatever is left is a unit test.

pytest-xdist gives all of a file to one worker (`--dist loadgroup`), so that what its tests share is made
once. browser/ comes first, since it takes longest.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from speakerid.model import Encoder

_HERE = Path(__file__).parent
_PARTS = {"subprocess", "AppTest", "Encoder", "App", "VirtualMicrophone", "running", "serving", "torch", "av"}
_FIXTURES = {"encoder", "enrolled", "place", "postgres"}


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep tests away from the user's voiceprints and from a model that the user chose."""
    monkeypatch.setenv("SPEAKERID_VOICEPRINTS", str(tmp_path / "voiceprints"))
    monkeypatch.setenv("SPEAKERID_CALIBRATIONS", str(tmp_path / "calibrations"))
    monkeypatch.setenv("SPEAKERID_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SPEAKERID_MODEL", raising=False)


@pytest.fixture(scope="session")
def encoder() -> "Encoder":
    """The bundled model, loaded once."""
    from speakerid.model import Encoder

    return Encoder.load()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: "browser" not in item.path.parts)
    for item in items:
        item.add_marker(_tier(item))
        item.add_marker(pytest.mark.xdist_group(item.path.relative_to(_HERE).as_posix()))


def _tier(item: pytest.Item) -> str:
    if (_HERE / "browser") in item.path.parents:
        return "browser"
    known = {mark.name for mark in item.iter_markers()} & {"unit", "room"}
    if known:
        return known.pop()
    asked, imported = set(getattr(item, "fixturenames", ())), set(vars(item.getparent(pytest.Module).obj))
    return "room" if asked & _FIXTURES or imported & _PARTS else "unit"
