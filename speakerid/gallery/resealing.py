"""All files of a folder under another passphrase, or under none."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from speakerid.errors import GalleryError
from speakerid.gallery.sealing import Seal, WrongSeal, is_sealed


def resealed(
    folder: Path, files: Sequence[str], old: Seal | None, new: Seal | None
) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the files, sealed with the new seal; files that have it already are left out.

    What is damaged but not sealed is sealed as it is, since a name may be legible in it.

    Raises:
        GalleryError: if a file opens with neither seal.
        OSError: if one cannot be read.
    """
    for file in files:
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
