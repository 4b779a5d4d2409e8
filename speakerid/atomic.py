"""Files that appear whole or not at all, and replace what was there in one step."""

import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


@contextmanager
def written(path: Path, mode: str = "w") -> Generator[IO[Any]]:
    """A file to write, which appears at path whole when the block ends, and not at all when it fails.

    Args:
        mode: "w", text in UTF-8 whose line ends are left alone, or "wb".

    Raises:
        OSError: it cannot be written there.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    binary = "b" in mode
    try:
        with temporary.open(
            mode,
            encoding=None if binary else "utf-8",
            errors=None if binary else "surrogateescape",  # a file's name may be no text
            newline=None if binary else "",
        ) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
