"""One file from the Hugging Face Hub: looked up, gone on with where a download ended, checked by its hash."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from speakerid.errors import ModelError
from speakerid.model.hub import WAY_ON, Progress, brief

ROOM = 1.1  # of a file's size that has to be free beside it: it is converted


@dataclass(frozen=True)
class Got:
    """A file that is whole: where, and the commit it is from."""

    path: Path
    commit: str


@dataclass(frozen=True)
class _Found:
    url: str
    etag: str
    size: int
    commit: str


def file(repo: str, revision: str, name: str, folder: Path, progress: Progress | None = None) -> Got:
    """Download a file into `folder`; what an earlier try has left there is gone on with.

    Raises:
        ModelError: no network, no such file, the connection was lost, or what came is something else.
        OSError: the folder cannot be written, or has too little room.
    """
    from huggingface_hub import file_download

    library: Any = file_download

    endpoint = (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")
    with _quiet():
        found = _look_up(repo, revision, name, endpoint)
        part = folder / f"{hashlib.sha256(f'{name} {found.etag}'.encode()).hexdigest()[:16]}.part"
        have = part.stat().st_size if part.is_file() else 0
        if have > found.size:
            part.unlink()
            have = 0
        _require_room(folder, int(ROOM * 2 * found.size) - have)
        try:
            with part.open("ab") as sink:
                library.http_get(
                    found.url,
                    sink,
                    resume_size=have,
                    expected_size=found.size,
                    displayed_filename=repo,
                    tqdm_class=_bar(progress) if progress else None,
                )
        except Exception as problem:  # which classes mean "no network" changed between the library's versions
            if isinstance(problem, OSError) and problem.errno is not None and not _of_the_network(problem):
                raise
            raise ModelError(
                f"The download of {repo} from {endpoint} broke off ({brief(problem)}); try again, and it "
                f"goes on where it ended, or {WAY_ON}"
            ) from problem
    if not _is_whole(part, found):
        part.unlink()
        raise ModelError(f"{name} of {repo} arrived damaged from {endpoint}; try again, or {WAY_ON}")
    whole = folder / Path(name).name
    os.replace(part, whole)
    return Got(whole, found.commit)


def file_if_there(repo: str, revision: str, name: str, folder: Path) -> Got | None:
    """As `file`; None where the repository has none of that name."""
    try:
        return file(repo, revision, name, folder)
    except _Absent:
        return None


class _Absent(ModelError):
    """The hub has no such file."""


def _look_up(repo: str, revision: str, name: str, endpoint: str) -> _Found:
    """Asked without the library's retries, so that offline is known at once."""
    import huggingface_hub
    from huggingface_hub import errors

    library: Any = huggingface_hub
    absent = (errors.EntryNotFoundError, errors.RepositoryNotFoundError, errors.RevisionNotFoundError)
    url = huggingface_hub.hf_hub_url(repo, name, revision=revision, endpoint=endpoint)
    try:
        # The model is public; a stale login must not stand in the way.
        found = library.get_hf_file_metadata(url, token=False, timeout=10, endpoint=endpoint)
    except absent as problem:
        raise _Absent(
            f"{endpoint} has no {name} of {repo} at revision {revision}; check the name, or {WAY_ON}"
        ) from problem
    except Exception as problem:  # as above
        raise ModelError(
            f"{endpoint} cannot be reached to download {repo} ({brief(problem)}); "
            f"connect to the network and try again, or {WAY_ON}"
        ) from problem
    if found.commit_hash is None or found.etag is None or found.size is None:
        raise ModelError(
            f"What answers at {endpoint} is not a Hugging Face Hub; sign in to the network if need be, "
            f"check the variable HF_ENDPOINT, or {WAY_ON}"
        )
    return _Found(found.location, found.etag, found.size, found.commit_hash)


def _require_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OSError(f"{needed / 1e6:.0f} MB are needed and {free / 1e6:.0f} MB are free")


def _is_whole(path: Path, found: _Found) -> bool:
    """The hub's tag of a large file is its SHA-256, that of a small one git's SHA-1 of it."""
    if path.stat().st_size != found.size:
        return False
    if re.fullmatch(r"[0-9a-f]{64}", found.etag):
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest() == found.etag
    if re.fullmatch(r"[0-9a-f]{40}", found.etag):
        digest = hashlib.sha1(f"blob {found.size}\0".encode(), usedforsecurity=False)
        digest.update(path.read_bytes())
        return digest.hexdigest() == found.etag
    return True


def _of_the_network(problem: OSError) -> bool:
    return isinstance(problem, ConnectionError | TimeoutError)


@contextmanager
def _quiet() -> Generator[None]:
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

    class Report(cast(Any, tqdm)):
        def __init__(self, *args: Any, **kwargs: Any):
            super().__init__(*args, **{**kwargs, "disable": True})  # pyright: ignore[reportUnknownMemberType]
            self.total: int | None = kwargs.get("total")
            self.done: int = kwargs.get("initial") or 0
            progress(self.done, max(self.total or 0, self.done))  # pieces are large: the first takes a while

        def update(self, n: float | None = 1) -> None:
            self.done += int(n or 0)
            progress(self.done, max(self.total or 0, self.done))

    return Report
