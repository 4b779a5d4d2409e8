"""Embedding networks: a file here for each kind, found by itself.

Such a file has

    NAMES       what `Encoder.load` takes that is no file ("ecapa-bundled"), as a tuple
    SUFFIXES    of files that hold such a network
    load(place, name, runtime)   the Network in a file, or of that name; `name` is what the user asked for

All else that depends on a model (width, sample rate, calibration, limits of enrollment, heads) comes with its
files or is found by its id.
"""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from speakerid.errors import ModelError
from speakerid.model import hub, weights

if TYPE_CHECKING:
    from speakerid.model.runtimes import Runtime
    from speakerid.model.weights import Weights

BUNDLED = weights.BUNDLED


@dataclass(frozen=True)
class Network:
    """One that is loaded.

    Attributes:
        id: tells its weights, and what is done to sound before them, from all others.
        running: what runs it: waveforms at 16 kHz in, unit embeddings out.
        channels: width of its layers, 0 where that says nothing.
        remark: why a faster runtime that there is for it is not used, else "".
        weights: reads those of an ECAPA-TDNN, to export it; None where it is none.
    """

    id: str
    running: Runtime
    channels: int = 0
    remark: str = ""
    weights: Callable[[], Weights] | None = None


class Kind(Protocol):
    """What a file of this folder offers."""

    NAMES: tuple[str, ...]
    SUFFIXES: frozenset[str]

    def load(self, place: Path | None, name: str, runtime: str | None) -> Network: ...


@cache
def kinds() -> tuple[Kind, ...]:
    """All of them."""
    return tuple(
        cast(Kind, import_module(f"{__name__}.{found.name}")) for found in pkgutil.iter_modules(__path__)
    )


def load(name: str, runtime: str | None, progress: hub.Progress | None = None) -> Network:
    """The network that a name, a path or a name of the Hugging Face Hub means (see `Encoder.load`).

    Raises:
        ModelError: there is none, it cannot be fetched, or it is of no kind that is known here.
    """
    for kind in kinds():
        if name in kind.NAMES:
            return kind.load(None, name, runtime)
    place = find(name, progress)
    for kind in kinds():
        if place.suffix.lower() in kind.SUFFIXES:
            return kind.load(place, name, runtime)
    known = ", ".join(sorted(suffix for kind in kinds() for suffix in kind.SUFFIXES))
    raise ModelError(f"{place} is of no kind that holds a model here ({known}); export the model as ONNX.")


def find(name: str, progress: hub.Progress | None = None) -> Path:
    """The file that a path or a name of the hub means; what is not here yet is downloaded.

    Raises:
        ModelError: there is no such thing, or a folder holds none or several.
    """
    path = Path(name)
    if name and _is_folder(path) and not name.startswith(hub.SCHEME):
        return in_folder(path)
    if path.suffix.lower() not in suffixes() and (asked := hub.parse(name)):
        return hub.fetch(asked, progress)
    if name.startswith(hub.SCHEME):
        if asked := hub.parse(name):
            return hub.fetch(asked, progress)
        raise ModelError(f'"{name}" is no name of the hub; write {hub.SCHEME}owner/model@revision.')
    if path.suffix:
        return path
    raise ModelError(
        f'There is no model called "{name}"; use "{BUNDLED}", "{hub.VOXCELEB}", '
        f"or the path of a .safetensors or .onnx file."
    )


def in_folder(folder: Path) -> Path:
    """The one file of a folder that holds a model: SpeechBrain's checkpoint, or else the only one.

    Raises:
        ModelError: there is none, or there are several.
    """
    if (checkpoint := folder / hub.FILE).is_file():
        return checkpoint
    try:
        found = sorted(path for path in folder.iterdir() if path.suffix.lower() in suffixes())
    except OSError as problem:
        raise ModelError(f"{folder} cannot be read ({problem.strerror}); check its permissions.") from problem
    if len(found) == 1:
        return found[0]
    if not found:
        raise ModelError(f"There is no model in the folder {folder}; give the path of its file.")
    names = ", ".join(path.name for path in found[:4])
    raise ModelError(f"There are several models in the folder {folder} ({names}); give the path of one.")


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # no name that a file could have
        return False


def suffixes() -> set[str]:
    """Of files that hold a model."""
    return {suffix for kind in kinds() for suffix in kind.SUFFIXES}


def short(name: str) -> str:
    """What names the model in its id: "speechbrain/spkrec@main" gives "spkrec", "my/model.ckpt" "model"."""
    asked = None if Path(name).suffix.lower() in suffixes() and "://" not in name else hub.parse(name)
    if asked and asked.file == hub.FILE:
        return asked.repo.split("/")[1]
    last = re.split(r"[/\\]", asked.file if asked else name.rstrip("/\\"))[-1]
    return Path(last).stem if Path(last).suffix.lower() in suffixes() else last
