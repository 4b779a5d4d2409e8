"""Where an operating system wants a program's own files."""

import os
import sys
from pathlib import Path

_KINDS = {  # on macOS, variable elsewhere, default elsewhere
    "cache": ("Caches", "XDG_CACHE_HOME", Path(".cache")),
    "data": ("Application Support", "XDG_DATA_HOME", Path(".local", "share")),
}


def user_folder(kind: str) -> Path:
    """The user's folder for "cache" or for "data" of this app; it need not exist."""
    on_macos, variable, elsewhere = _KINDS[kind]
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / on_macos
    else:
        base = os.environ.get(variable) or Path.home() / elsewhere
    return Path(base) / "speakerid"
