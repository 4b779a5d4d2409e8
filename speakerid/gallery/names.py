"""Names of people: any Unicode that a person has, as long as two names cannot be mistaken for one another."""

import unicodedata
from collections.abc import Collection, Sequence
from difflib import SequenceMatcher

from speakerid.errors import GalleryError

UNKNOWN = "unknown"
"""What a stranger is called; nobody may be enrolled under it."""

MAX_NAME_LENGTH = 100

# Marks that turn the direction of the text around them: a name must not rewrite the line it is shown in.
_DIRECTION_MARKS = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean_name(name: str) -> str:
    """The form in which a name is kept: without outer spaces, accents composed (Unicode NFC).

    Raises:
        GalleryError: if it is empty, too long, the reserved "unknown", or holds characters that cannot be
            shown on one line (control characters, line breaks, text-direction marks, broken encoding).
    """
    cleaned = unicodedata.normalize("NFC", name.strip())
    if not name_key(cleaned):
        raise GalleryError("The name is empty: give the person a name.")
    if len(cleaned) > MAX_NAME_LENGTH:
        raise GalleryError(f"The name has {len(cleaned)} characters: use at most {MAX_NAME_LENGTH}.")
    for character in () if cleaned.isprintable() else cleaned:
        kind = unicodedata.category(character)
        if kind in ("Cc", "Zl", "Zp") or character in _DIRECTION_MARKS:
            raise GalleryError(
                f"The name holds a control character (U+{ord(character):04X}): leave it out and try again."
            )
        if kind == "Cs":
            raise GalleryError("The name is not valid Unicode text: type it again, or use a UTF-8 terminal.")
    if name_key(cleaned) == UNKNOWN:
        raise GalleryError(f'The name "{cleaned}" is reserved for strangers: choose another name.')
    return cleaned


def name_key(name: str) -> str:
    """What two names share when people would take them for one: case, width and invisible marks dropped."""
    if name.isascii():
        return name.casefold().strip()
    visible = "".join(c for c in name if unicodedata.category(c) != "Cf")
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible).casefold()).strip()


def nearest_names(name: str, names: Sequence[str], most: int = 5) -> list[str]:
    """Those of the names that are spelled most like this one, the nearest first; all if they are hardly more
    than `most`."""
    wanted = name_key(name)

    def unlikeness(other: str) -> tuple[float, str]:
        key = name_key(other)
        part = bool(wanted) and (wanted in key or key in wanted)  # "Ada" of "Ada Lovelace"
        return -part - SequenceMatcher(None, wanted, key).ratio(), other

    close = sorted(names, key=unlikeness)
    return close if len(close) <= most + 1 else close[:most]


def free_name(name: str, taken: Collection[str]) -> str:
    """The name with the first number that makes it one whose key is not among `taken`."""
    number = 2
    while True:
        more = f" {number}"
        numbered = name.strip()[: MAX_NAME_LENGTH - len(more)].rstrip() + more
        if name_key(numbered) not in taken:
            return numbered
        number += 1
