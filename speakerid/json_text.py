"""Values as JSON that every parser takes."""

import json
import math
from typing import Any, cast


def json_text(value: Any, indent: int | None = None) -> str:
    """A value as JSON; numbers that are not finite, which JSON does not have, are null.

    What the terminal's encoding cannot write is escaped as JSON does it when it is printed (see `cli.main`).
    """
    return json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, indent=indent)


def json_object(text: str | bytes) -> dict[str, Any]:
    """The object that a text in JSON is.

    Raises:
        ValueError: it is no JSON, or something else in JSON.
    """
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("it is no JSON object")
    return cast("dict[str, Any]", value)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in cast("dict[Any, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in cast("list[Any]", value)]
    return value
