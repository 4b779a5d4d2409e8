"""A look at the whole gallery: what is wrong with it, and putting right what can be without losing anything.

Nothing is deleted: what cannot be used is written as a file into the sub-folder `set-aside` first (in
PostgreSQL it stays where it is).
"""

from dataclasses import dataclass
from pathlib import Path

from speakerid.errors import GalleryError
from speakerid.gallery import audit
from speakerid.gallery.checks import Problem, problems_of
from speakerid.gallery.opening import open_store
from speakerid.gallery.sealing import seal_of
from speakerid.places import is_address


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
    folder: str | Path, model: str | None = None, *, repair: bool = False, passphrase: str | None = None
) -> Examination:
    """Check a gallery, and repair it where asked.

    Args:
        folder: or the address of a database.
        model: id of the model in use; None does not look at models.
        repair: whether to put right what can be.
        passphrase: as for `Gallery.open`.

    Raises:
        GalleryError: if it is not there or cannot be read, the passphrase is missing or wrong, or it is to be
            repaired and another program keeps writing to it.
    """
    if not is_address(folder) and not Path(folder).expanduser().is_dir():
        raise GalleryError(f'There is no folder "{folder}": nobody was enrolled there yet.')
    store = open_store(folder, seal_of(passphrase))
    problems = list(problems_of(store, store.read(), model))
    repairable = [problem for problem in problems if problem.repair]
    if repair and repairable:
        with store.locked():
            problems = list(problems_of(store, store.read(), model))
            findings = [_repaired(problem) for problem in problems]
            store.write_raw({}, line=audit.line_of("repair", [], problems=len(repairable)))
    else:
        findings = [_told(problem) for problem in problems]
    people, recordings = len(store.read().people), sum(len(files) for files in store.recordings().values())
    store.close()
    return Examination(findings, people, recordings)


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
