"""How much of recordings may be uploaded at once: all of it is in memory together."""

from collections.abc import Sequence

MAX_FILES = 30  # in one enrollment; a voiceprint keeps some ten pieces of them
MAX_FILE_BYTES = 200_000_000  # of one file …
MAX_BYTES_AT_ONCE = 500_000_000  # … and of all files of one enrollment


def too_much(sizes: Sequence[int]) -> str:
    """Why files of these sizes (bytes) are too much for one enrollment, as a sentence; "" if they are not."""
    if len(sizes) > MAX_FILES:
        return (
            f"These are {len(sizes)} recordings, and {MAX_FILES} are the most for one enrollment: remove "
            "some. Three or four from different days and rooms are plenty."
        )
    if max(sizes, default=0) > MAX_FILE_BYTES:
        return (
            f"A file has {max(sizes) / 1e6:.0f} MB, and {MAX_FILE_BYTES / 1e6:.0f} MB are the most for one: "
            "cut out the part in which the person speaks, or save it as mp3 or m4a."
        )
    if sum(sizes) > MAX_BYTES_AT_ONCE:
        return (
            f"These files have {sum(sizes) / 1e6:.0f} MB together, and {MAX_BYTES_AT_ONCE / 1e6:.0f} MB are "
            "the most for one enrollment: remove some, or save them as mp3 or m4a."
        )
    return ""
