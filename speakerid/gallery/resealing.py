"""All files of a folder under another passphrase, or under none."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from speakerid.errors import GalleryError
from speakerid.gallery import recordings as kept
from speakerid.gallery.journal import SET_ASIDE
from speakerid.gallery.looking import read_file
from speakerid.gallery.sealing import Seal, WrongSeal, is_sealed

_NAMED = 3  # files in a message


def named(files: Sequence[str]) -> str:
    """The files as part of a sentence; the first few where there are many."""
    shown = [f'"{file}"' for file in files[:_NAMED]]
    if len(files) > _NAMED:
        shown.append(f"{len(files) - _NAMED} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def resealable(folder: Path, files: Sequence[str], old: Seal | None, new: Seal | None) -> list[str]:
    """The files that `resealed` can take, so that nothing is changed where it cannot take one.

    What was set aside and is damaged for certain is left out: no passphrase will ever open it.

    Raises:
        GalleryError: naming the files that cannot be read, and those that open with neither seal.
    """
    usable: list[str] = []
    unreadable: list[str] = []
    closed: list[str] = []
    for file in files:
        content = read_file(folder, file, file, kept.MAX_FILE_BYTES)
        if not isinstance(content, bytes):
            unreadable.append(file)
        elif not is_sealed(content) or any(_open(content, seal) is not None for seal in (old, new)):
            usable.append(file)
        elif not (file.startswith(f"{SET_ASIDE}/") and old and old.made(content)):
            closed.append(file)
    reasons = [f"{named(unreadable)} cannot be read"] if unreadable else []
    reasons += [f"neither passphrase opens {named(closed)}"] if closed else []
    if reasons:
        raise GalleryError(
            f"The passphrase stays as it was, since {' and '.join(reasons)}: "
            'move away or delete what is of no use ("speakerid doctor --repair" does where it can), then try '
            "again."
        )
    return usable


def resealed(
    folder: Path,
    files: Sequence[str],
    old: Seal | None,
    new: Seal | None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the files, sealed with the new seal; files that have it already are left out.

    What is damaged but not sealed is sealed as it is, since a name may be legible in it.

    Raises:
        GalleryError: if a file opens with neither seal.
        OSError: if one cannot be read.
    """
    for done, file in enumerate(files):
        if progress:
            progress(done, len(files))
        content = (folder / file).read_bytes()
        if is_sealed(content):
            opened = _open(content, old)
            if opened is None:
                if _open(content, new) is not None:
                    continue
                raise GalleryError(f'The file "{file}" opens with neither passphrase: move it away first.')
            content = opened
        elif new is None:
            continue
        yield file, new.close(content) if new else content


def _open(content: bytes, seal: Seal | None) -> bytes | None:
    try:
        return seal.open(content) if seal else None
    except WrongSeal:
        return None
