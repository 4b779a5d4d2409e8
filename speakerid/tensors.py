"""Named arrays in safetensors files: the one place that reads and writes them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from speakerid.atomic import written


def read(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file.

    Raises:
        OSError: there is no such file, or it cannot be read.
        ValueError: it is damaged, or of numbers that numpy does not know, such as bfloat16.
    """
    from safetensors import SafetensorError, numpy

    library: Any = numpy
    try:
        return library.load_file(path)
    except (SafetensorError, KeyError, TypeError, AttributeError) as problem:
        raise ValueError(str(problem)) from problem


def about(path: Path) -> dict[str, str]:
    """What a file says of itself.

    Raises:
        OSError, ValueError: as for `read`.
    """
    from safetensors import SafetensorError, safe_open

    opened: Any = safe_open
    try:
        with opened(path, "np") as file:
            return dict(file.metadata() or {})
    except SafetensorError as problem:
        raise ValueError(str(problem)) from problem


def write(path: Path, arrays: Mapping[str, np.ndarray], about: Mapping[str, str] | None = None) -> None:
    """Write a file in one step: at any moment it is whole, or as it was before, or absent.

    Args:
        about: what `about` then says.

    Raises:
        OSError: the folder cannot be written.
    """
    from safetensors import numpy

    library: Any = numpy
    content = library.save(
        {name: np.ascontiguousarray(array) for name, array in arrays.items()}, dict(about or {}) or None
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with written(path, "wb") as file:
        file.write(content)
