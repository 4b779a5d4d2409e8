"""The passphrase of a gallery: tried, and taken over for all that is stored."""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from speakerid.errors import GalleryError
from speakerid.gallery import attempts, audit
from speakerid.gallery.sealing import Seal, WrongSeal, is_sealed, seal_of
from speakerid.gallery.snapshot import named
from speakerid.gallery.store import Store

if TYPE_CHECKING:
    from speakerid.gallery.gallery import Gallery


def is_encrypting(gallery: "Gallery") -> bool:
    """Whether what is written is encrypted."""
    return gallery.store.seal is not None


def unlock(gallery: "Gallery", passphrase: str) -> None:
    """Open what is encrypted with this passphrase from now on, for everybody who uses this gallery.

    Raises:
        Locked: it does not open it; nothing is changed then.
        GalleryError: it is too short, or the folder cannot be read.
    """
    store, seal = gallery.store, Seal(passphrase)
    trial = Store(store.database, seal, store.folder)
    trial.read()
    # Where nothing is encrypted any more, nobody can tell whether the passphrase was typed right.
    store.use_seal(seal if trial.proven else None)


def is_passphrase(gallery: "Gallery", passphrase: str) -> bool:
    """Whether it is the passphrase in use, "" where there is none."""
    seal = gallery.store.seal
    attempts.require_turn(gallery.place)
    right = seal.is_of(passphrase) if seal else not passphrase
    attempts.note(gallery.place, right=right)
    return right


def change_passphrase(
    gallery: "Gallery", new: str, progress: Callable[[int, int], None] | None = None
) -> int:
    """Encrypt every voiceprint and recording with another passphrase, or with none ("").

    It is done for all files at once: after a crash either the old passphrase opens everything or the new.

    Args:
        progress: called with how many files are written beside the old ones, and how many there are.

    Returns:
        The number of voiceprints now stored that way.

    Raises:
        GalleryError: if the old passphrase is wrong, the new one too short, or a file cannot be read or
            opens with neither; nothing was changed then.
    """
    store, seal = gallery.store, seal_of(new)
    with store.locked():
        store.read()  # refuses what the old passphrase does not open
        _reseal(store, seal, progress)
        store.write_raw({}, line=audit.line_of("passphrase", [], encrypted=seal is not None))
    store.use_seal(seal)
    return len(store.read().people)


def _reseal(store: Store, seal: Seal | None, progress: Callable[[int, int], None] | None) -> None:
    """Encrypt every row with another seal, or with none.

    Raises:
        GalleryError: naming the rows that open with neither seal.
    """
    files = store.rows()
    closed: list[str] = []
    for done, file in enumerate(files):
        if progress:
            progress(done, len(files))
        content = _plain(store.raw(file), store.seal, seal)
        if content is None:
            closed.append(file)
        elif not closed:
            store.write_raw({file: seal.close(content) if seal else content})
    if closed:
        raise GalleryError(
            f"The passphrase stays as it was, since neither passphrase opens {named(closed)}: move away "
            'what is of no use ("speakerid doctor --repair" does where it can), then try again.'
        )


def _plain(content: bytes, *seals: Seal | None) -> bytes | None:
    """What the first of these seals opens; None where none does."""
    if not is_sealed(content):
        return content
    for seal in filter(None, seals):
        with suppress(WrongSeal):
            return seal.open(content)
    return None
