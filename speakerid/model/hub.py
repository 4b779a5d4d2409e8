"""Models from the Hugging Face Hub, or a mirror of it: fetched and checked once, then offline.

    hf://owner/model[@revision][/file]      or owner/model[@revision]

Without a file it is SpeechBrain's embedding_model.ckpt, which is converted to safetensors. What was fetched
lies in the cache folder, with a small JSON beside it that says where it is from; as long as it is there,
nothing in this module imports huggingface_hub, opens a connection or writes anything.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from speakerid import settings
from speakerid.errors import ModelError
from speakerid.json_text import json_object
from speakerid.model import weights

SCHEME = "hf://"
VOXCELEB = "speechbrain/spkrec-ecapa-voxceleb"
REVISIONS = {VOXCELEB: "5cb0c7e3d8dd392379096d39f564c9159d4d529a"}  # a name without a revision; others: main
FILE = "embedding_model.ckpt"
FILES = (".ckpt", ".safetensors", ".onnx")  # suffixes of what can be asked for

Progress = Callable[[int, int], None]  # bytes so far, bytes in all

_NAME = re.compile(
    r"(?:hf://)?(?P<repo>\w[\w.-]*/\w[\w.-]*)(?:@(?P<revision>[\w.-]+(?:/[\w.-]+)*?))?(?P<file>/[\w./-]+)?",
    re.ASCII,
)
WAY_ON = f"use the model that comes with the app: {weights.BUNDLED}."


@dataclass(frozen=True)
class HubName:
    """A file of a revision of a repository."""

    repo: str
    revision: str
    file: str = FILE

    def __str__(self) -> str:
        return f"{self.repo}@{self.revision}" + ("" if self.file == FILE else f"/{self.file}")

    @property
    def target(self) -> Path:
        """Where it lies once it was fetched."""
        name = f"{self.repo}@{self.revision}"
        name += ".safetensors" if self.file == FILE else f"--{self.file}"
        return settings.cache() / name.replace("/", "--")


def parse(name: str) -> HubName | None:
    """The file that a name of the hub means; None where it is no such name."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    repo, revision, file = found["repo"], found["revision"] or "", (found["file"] or "").removeprefix("/")
    if file and not file.endswith(FILES):
        revision, file = f"{revision}/{file}" if revision else "", ""  # as in refs/pr/1
        if not revision:
            return None
    if ".." in file.split("/") or (file and not name.startswith(SCHEME)):
        return None
    return HubName(repo, revision or REVISIONS.get(repo, "main"), file or FILE)


def fetch(asked: HubName, progress: Progress | None = None) -> Path:
    """The file in the cache, downloaded if it is not there yet. Who comes while another process downloads it
    waits for that one.

    Args:
        progress: called with (bytes so far, bytes in all); without it a bar is drawn on a terminal.

    Raises:
        ModelError: no network, no such model, no room, the connection was lost (the next try goes on where it
            ended), what came is something else, or the file in the cache was damaged.
    """
    target = asked.target
    if not target.is_file():
        try:
            (target.parent / ".downloads").mkdir(parents=True, exist_ok=True)
            _fetch_alone(asked, target, progress)
        except OSError as problem:
            raise ModelError(
                f"{asked.repo} cannot be stored in {target.parent} ({brief(problem)}); free some space or "
                f"set {settings.CACHE} to another folder, or {WAY_ON}"
            ) from problem
    _check(target)
    return target


def source_of(target: Path) -> dict[str, Any]:
    """What is known of a file in the cache: name, repo, revision, commit, file, bytes, sha256, fetched."""
    try:
        return json_object(_beside(target).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def fetched() -> list[Path]:
    """The models in the cache."""
    folder = settings.cache()
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix in FILES and path.is_file())


def remove(target: Path) -> None:
    """Delete a file from the cache.

    Raises:
        ModelError: the cache cannot be written.
    """
    try:
        target.unlink(missing_ok=True)
        for beside in (_beside(target), target.with_suffix(".json")):
            beside.unlink(missing_ok=True)
        shutil.rmtree(_partial(target), ignore_errors=True)
    except OSError as problem:
        raise ModelError(
            f"{target} cannot be deleted ({brief(problem)}); check its permissions."
        ) from problem


def _fetch_alone(asked: HubName, target: Path, progress: Progress | None) -> None:
    """Download under a lock of this model's; it ends with the process that holds it."""
    from filelock import FileLock

    with FileLock(_partial(target).with_suffix(".lock")):
        if target.is_file():  # another process has fetched it meanwhile
            return
        partial = _partial(target)
        partial.mkdir(exist_ok=True)
        from speakerid.model import download

        got = download.file(asked.repo, asked.revision, asked.file, partial, progress)
        try:
            if asked.file == FILE:
                weights.write(_converted(got.path, asked.repo), target)
            else:
                _with_declaration(asked, partial, target)
                os.replace(got.path, target)
        except ModelError:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        about = {
            "name": str(asked),
            "repo": asked.repo,
            "revision": asked.revision,
            "commit": got.commit,
            "file": asked.file,
            "bytes": target.stat().st_size,
            "sha256": _hash(target),
            "fetched": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        temporary = partial / "about.json"
        temporary.write_text(json.dumps(about, indent=1), encoding="utf-8")
        os.replace(temporary, _beside(target))
        shutil.rmtree(partial, ignore_errors=True)


def _with_declaration(asked: HubName, partial: Path, target: Path) -> None:
    """The small JSON that an ONNX file of others needs comes along where the repository has it."""
    if not asked.file.endswith(".onnx"):
        return
    from speakerid.model import download

    beside = asked.file.removesuffix(".onnx") + ".json"
    if got := download.file_if_there(asked.repo, asked.revision, beside, partial):
        os.replace(got.path, target.with_suffix(".json"))


def _check(target: Path) -> None:
    """Whether the file is what was fetched."""
    expected = source_of(target)
    if "sha256" in expected and (
        target.stat().st_size != expected.get("bytes") or _hash(target) != expected["sha256"]
    ):
        raise ModelError(
            f"{target} has been damaged since its download; delete it to download the model again, "
            f"or {WAY_ON}"
        )


def _partial(target: Path) -> Path:
    return target.parent / ".downloads" / target.name


def _beside(target: Path) -> Path:
    return target.with_name(f"{target.name}.source.json")


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _converted(checkpoint: Path, repo: str) -> weights.Weights:
    try:
        return weights.read(checkpoint)
    except ModelError as problem:
        reason = str(problem).replace(str(checkpoint), FILE)
        raise ModelError(f"What was downloaded as {repo} is not the model: {reason}") from problem


def brief(problem: BaseException) -> str:
    """The first line of the error that started it all."""
    while problem.__cause__ is not None:
        problem = problem.__cause__
    return (str(problem).strip() or type(problem).__name__).splitlines()[0][:160]
