"""Where what was learned about a model lies, beside its weights: calibration, limits of enrollment, heads.

The calibration of a model is one safetensors file: cohort and weights (identify/scoring.py), and in its
metadata, as JSON, `about` (how it was made and what was measured) and `limits` (limits.py). It is looked for
where `calibrate` writes, in the package, and where the calibration on arrival is kept.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from speakerid import settings, tensors
from speakerid.json_text import json_object

CALIBRATIONS = Path(__file__).with_name("calibrations")


def own_file(model_id: str) -> Path:
    """Where `calibrate` keeps what it learned."""
    return settings.calibrations() / file_name(model_id)


def arrival_file(model_id: str) -> Path:
    """Where the calibration that a model got when it was first used is kept: beside the downloads."""
    return settings.cache() / "calibrations" / file_name(model_id)


def head_folders(model_id: str) -> tuple[Path, Path]:
    """Where heads are that a model was given on this computer."""
    return own_file(model_id).parent, arrival_file(model_id).parent


def forget_arrival(model_id: str) -> None:
    """Delete what a model got when it was first used.

    Raises:
        OSError: the cache cannot be written.
    """
    calibration = arrival_file(model_id)
    for path in calibration.parent.glob(f"{calibration.stem}*.safetensors"):
        path.unlink(missing_ok=True)


def file_name(model_id: str) -> str:
    return f"{model_id.replace('/', '--')}.safetensors"


def calibration_of(model_id: str) -> Path | None:
    """The calibration of a model: the user's own, that of the package, or that made on arrival."""
    for path in (own_file(model_id), CALIBRATIONS / file_name(model_id), arrival_file(model_id)):
        if path.is_file():
            return path
    return None


def told(model_id: str) -> str:
    """How a model was calibrated, in words, for pages and exports."""
    path = calibration_of(model_id)
    if path is None:
        return "none"
    said = about(path)
    voices = said.get("voices") or said.get("enrollments")
    how = "on arrival" if said.get("made") == "on arrival" else "on own recordings"
    if path.parent == CALIBRATIONS:
        how = "with the app"
    return f"{how}, {voices} voices" if voices else how


def about(path: Path, key: str = "about") -> dict[str, Any]:
    """A part of what a calibration says of itself; empty where it does not, or is damaged."""
    try:
        return dict(_metadata(path, version(path)).get(key, {}))
    except OSError:
        return {}


def version(path: Path) -> tuple[int, int, int]:
    """Changes with the file, whichever way that is replaced."""
    found = path.stat()
    return found.st_mtime_ns, found.st_ino, found.st_size


@lru_cache(maxsize=32)
def _metadata(path: Path, _version: tuple[int, int, int]) -> dict[str, dict[str, Any]]:
    try:
        return {key: json_object(value) for key, value in tensors.about(path).items()}
    except (OSError, ValueError):  # scoring says so, with the remedy
        return {}
