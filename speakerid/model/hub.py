"""SpeechBrain's pretrained ECAPA-TDNN from the Hugging Face Hub: fetched and converted once, then offline.

The converted weights lie in the cache folder as safetensors; as long as they are there, nothing in this
module imports huggingface_hub or opens a connection.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from speakerid import settings
from speakerid.errors import ModelError
from speakerid.model import weights

VOXCELEB = "speechbrain/spkrec-ecapa-voxceleb"
REVISIONS = {VOXCELEB: "5cb0c7e3d8dd392379096d39f564c9159d4d529a"}  # a name without a revision; others: main
FILE = "embedding_model.ckpt"

Progress = Callable[[int, int], None]  # bytes so far, bytes in all

_NAME = re.compile(r"[\w][\w.-]*/[\w][\w.-]*(@[\w./-]+)?", re.ASCII)
_WAY_ON = f"use the model that comes with the app: {weights.BUNDLED}."


def is_name(name: str) -> bool:
    """Whether this is a Hugging Face name: owner/model, or owner/model@revision."""
    return bool(_NAME.fullmatch(name))


def load(name: str, progress: Progress | None = None) -> weights.Weights:
    """Weights of a Hugging Face model, downloaded if they are not in the cache yet.

    Args:
        name: owner/model or owner/model@revision.
        progress: called with (bytes so far, bytes in all); without it a bar is drawn on a terminal.

    Raises:
        ModelError: no network, no such model, the connection was lost, or what came is something else
            (nothing is left in the cache then); or the file in the cache was damaged.
    """
    repo, _, revision = name.partition("@")
    revision = revision or REVISIONS.get(repo, "main")
    target = settings.cache() / f"{repo}@{revision}.safetensors".replace("/", "--")
    if not target.is_file():
        _fetch(repo, revision, target, progress)
    try:
        return weights.read(target)
    except ModelError as problem:
        raise ModelError(
            f"{target} has been damaged since its download; delete it to download the model again, "
            f"or {_WAY_ON}"
        ) from problem


def _fetch(repo: str, revision: str, target: Path, progress: Progress | None) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".download-") as folder:
            checkpoint = _download(repo, revision, Path(folder), progress)
            weights.write(_converted(checkpoint, repo), target)
    except OSError as problem:
        raise ModelError(
            f"{repo} cannot be stored in {target.parent} ({_brief(problem)}); free some space or set "
            f"{settings.CACHE} to another folder, or {_WAY_ON}"
        ) from problem


def _download(repo: str, revision: str, folder: Path, progress: Progress | None) -> Path:
    import huggingface_hub

    endpoint = (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")
    with _quiet():
        etag = _look_up(repo, revision, endpoint)
        try:
            path = huggingface_hub.hf_hub_download(
                repo,
                FILE,
                revision=revision,
                local_dir=folder,
                endpoint=endpoint,
                token=False,  # the model is public; a stale login must not stand in the way
                tqdm_class=_bar(progress) if progress else None,
            )
        except Exception as problem:  # which classes mean "no network" changed between the library's versions
            if isinstance(problem, OSError) and problem.errno == errno.ENOSPC:
                raise
            raise ModelError(
                f"The download of {repo} from {endpoint} broke off ({_brief(problem)}); try again, "
                f"or {_WAY_ON}"
            ) from problem
    # The hub's tag of a large file is its SHA-256; the library itself compares no more than the size.
    if re.fullmatch(r"[0-9a-f]{64}", etag) and hashlib.sha256(Path(path).read_bytes()).hexdigest() != etag:
        raise ModelError(f"{FILE} of {repo} arrived damaged from {endpoint}; try again, or {_WAY_ON}")
    return Path(path)


def _look_up(repo: str, revision: str, endpoint: str) -> str:
    """The hub's tag of the file; asked without the library's retries, so that offline is known at once."""
    import huggingface_hub
    from huggingface_hub import errors

    absent = (errors.EntryNotFoundError, errors.RepositoryNotFoundError, errors.RevisionNotFoundError)
    url = huggingface_hub.hf_hub_url(repo, FILE, revision=revision, endpoint=endpoint)
    try:
        found = huggingface_hub.get_hf_file_metadata(url, token=False, timeout=10)
    except absent as problem:
        raise ModelError(
            f"{endpoint} has no {FILE} of {repo} at revision {revision}; check the name, or {_WAY_ON}"
        ) from problem
    except Exception as problem:  # as above
        raise ModelError(
            f"{endpoint} cannot be reached to download {repo} ({_brief(problem)}); "
            f"connect to the network and try again, or {_WAY_ON}"
        ) from problem
    if found.commit_hash is None or found.etag is None:
        raise ModelError(
            f"What answers at {endpoint} is not a Hugging Face Hub; sign in to the network if need be, "
            f"check the variable HF_ENDPOINT, or {_WAY_ON}"
        )
    return found.etag


def _converted(checkpoint: Path, repo: str) -> weights.Weights:
    try:
        return weights.read(checkpoint)
    except ModelError as problem:
        reason = str(problem).replace(str(checkpoint), FILE)
        raise ModelError(f"What was downloaded as {repo} is not the model: {reason}") from problem


def _brief(problem: BaseException) -> str:
    """The first line of the error that started it all."""
    while problem.__cause__ is not None:
        problem = problem.__cause__
    return (str(problem).strip() or type(problem).__name__).splitlines()[0][:160]


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the library's warnings about each retry off the terminal: the error at the end says it all."""
    logger = logging.getLogger("huggingface_hub")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _bar(progress: Progress) -> type:
    """A progress bar class, as huggingface_hub wants one, that reports to `progress` and draws nothing."""
    from huggingface_hub.utils import tqdm

    class Report(tqdm):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **{**kwargs, "disable": True})
            self.total = kwargs.get("total")
            self.done = kwargs.get("initial") or 0

        def update(self, n: float | None = 1) -> None:
            self.done += int(n or 0)
            progress(self.done, max(self.total or 0, self.done))

    return Report
