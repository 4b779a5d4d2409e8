"""What every test gets: a gallery folder and settings of its own, never those of the person who runs it."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep tests away from the user's voiceprints and from a model that the user chose."""
    monkeypatch.setenv("SPEAKERID_VOICEPRINTS", str(tmp_path / "voiceprints"))
    monkeypatch.setenv("SPEAKERID_CALIBRATIONS", str(tmp_path / "calibrations"))
    monkeypatch.setenv("SPEAKERID_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SPEAKERID_MODEL", raising=False)
