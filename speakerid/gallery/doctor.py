"""A look at the whole folder: what is wrong with it, and putting right what can be without losing anything.

Nothing is deleted but the temporary files of writers that were killed before their change was made. What
cannot be used is moved into the sub-folder `damaged`; `checks` has the single checks.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from speakerid.errors import GalleryError
from speakerid.gallery import audit
from speakerid.gallery.checks import Problem, every_file, unfinished
from speakerid.gallery.files import folder_lock
from speakerid.gallery.looking import explain
from speakerid.gallery.sealing import seal_of
from speakerid.gallery.store import FolderStore

LOCK_SECONDS = 2.0


@dataclass(frozen=True)
class Finding:
    """One thing that is or was wrong.

    Attributes:
        what: a sentence, without names of people.
        remedy: a sentence: what was done, what a repair would do, or what a person can do.
        repaired: whether it is put right now.
        harmless: whether it is worth knowing, but nothing is wrong.
    """

    what: str
    remedy: str
    repaired: bool = False
    harmless: bool = False


@dataclass(frozen=True)
class Examination:
    """What was found, and how many people and kept recordings can be used."""

    findings: list[Finding]
    people: int
    recordings: int

    @property
    def left(self) -> list[Finding]:
        """What is still wrong."""
        return [finding for finding in self.findings if not finding.repaired and not finding.harmless]


def examine_folder(
    folder: Path, model: str | None = None, *, repair: bool = False, passphrase: str | None = None
) -> Examination:
    """Check a folder of voiceprints, and repair it where asked.

    Args:
        model: id of the model in use; None does not look at models.
        repair: whether to put right what can be.
        passphrase: as for `Gallery.open`.

    Raises:
        GalleryError: if the folder is not there or cannot be read, the passphrase is missing or wrong, or the
            folder is to be repaired and another program keeps writing to it.
    """
    store = FolderStore(folder.expanduser(), seal_of(passphrase))
    if not store.folder.is_dir():
        raise GalleryError(f'There is no folder "{store.folder}": nobody was enrolled there yet.')
    findings: list[Finding] = []
    with _lock(store.folder, repair) as busy:
        if busy:
            findings.append(Finding(busy, "It was looked at without waiting."))
        else:
            findings += _treat(store, list(unfinished(store)), repair)
        stuck = [finding for finding in findings if not finding.repaired]
        if stuck and (repair or any(finding.what.startswith("The journal") for finding in stuck)):
            return Examination(findings, 0, 0)  # the folder cannot be read, or not be changed, before
        findings += _treat(store, list(every_file(store, model)), repair)
        people = len(store.read().people)
        recordings = sum(len(files) for files in store.recordings().values())
    return Examination(findings, people, recordings)


def _treat(store: FolderStore, problems: list[Problem], repair: bool) -> list[Finding]:
    repairable = [problem for problem in problems if problem.repair]
    if not repair or not repairable:
        return [_told(problem) for problem in problems]
    with audit.recorded(store.folder, "repair", [], problems=len(repairable)):
        return [_repaired(problem) for problem in problems]


def _told(problem: Problem) -> Finding:
    how = "With --repair" if problem.repair else "To do"
    return Finding(problem.what, f"{how}: {problem.remedy}.", harmless=problem.harmless)


def _repaired(problem: Problem) -> Finding:
    if problem.repair is None:
        return _told(problem)
    try:
        problem.repair()
    except (OSError, GalleryError) as error:
        return Finding(problem.what, f"It could not be repaired: {error}")
    return Finding(problem.what, f"Done: {problem.remedy}.", True)


@contextmanager
def _lock(folder: Path, needed: bool) -> Iterator[str]:
    """Hold the folder's lock; why it could not be had, where it is not needed; else ""."""
    try:
        lock = folder_lock(folder, LOCK_SECONDS)
        lock.__enter__()
    except (GalleryError, OSError) as error:
        why = explain(error, "written", folder) if isinstance(error, OSError) else str(error)
        if needed:
            raise GalleryError(why) from error
        yield why
        return
    try:
        yield ""
    finally:
        lock.__exit__(None, None, None)
