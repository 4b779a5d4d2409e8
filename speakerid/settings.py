"""What the environment says to the app: every variable of it, in the one module that reads them.

A variable is read when it is asked for, never at import: a page's thread, a test and a command that is told
otherwise all get what holds at that moment. The table in README.md lists the same ones
(tests/test_settings.py compares them).
"""

import os
from dataclasses import dataclass
from pathlib import Path

from speakerid.errors import SpeakerIdError
from speakerid.folders import user_folder
from speakerid.places import place_of

MOST_THREADS = 256
BUNDLED_MODEL = "ecapa-bundled"


@dataclass(frozen=True)
class Setting:
    """A variable of the environment; as text it is its name, for sentences that tell what to set.

    Attributes:
        name: of the variable.
        unset: what holds without it, as the README says it.
        meaning: what it does, as the README says it.
    """

    name: str
    unset: str
    meaning: str

    @property
    def value(self) -> str:
        """What it is set to; "" where it is not set."""
        return os.environ.get(self.name) or ""

    def __str__(self) -> str:
        return self.name


VOICEPRINTS = Setting(
    "SPEAKERID_VOICEPRINTS", "`./voiceprints`", "where voiceprints are kept: a folder, or `postgresql://…`"
)
MODEL = Setting("SPEAKERID_MODEL", f"`{BUNDLED_MODEL}`", "the model: bundled name, Hugging Face name or path")
RUNTIME = Setting(
    "SPEAKERID_RUNTIME", "the fastest that is right here", "`onnx-int8`, `onnx` or `torch` runs the network"
)
THREADS = Setting("SPEAKERID_THREADS", "1", "threads that the network takes")
PASSPHRASE = Setting("SPEAKERID_PASSPHRASE", "asked for", "opens encrypted voiceprints")
NEW_PASSPHRASE = Setting(
    "SPEAKERID_NEW_PASSPHRASE", "asked for", "what the command `passphrase` encrypts voiceprints with"
)
FILE_PASSPHRASE = Setting(
    "SPEAKERID_FILE_PASSPHRASE", "asked for", "that of a file which `export` and `import` work on"
)
API = Setting("SPEAKERID_API", "off", "1: the app serves the REST API under `/api`")
API_TOKEN = Setting("SPEAKERID_API_TOKEN", "none", "one key that opens all of the REST API")
CALIBRATIONS = Setting(
    "SPEAKERID_CALIBRATIONS", "the user's data folder", "where `calibrate` keeps what it learned"
)
CACHE = Setting("SPEAKERID_CACHE", "the user's cache folder", "where downloaded models are kept")
DEBUG = Setting("SPEAKERID_DEBUG", "off", "1: a command that fails unexpectedly prints its traceback")

ALL = tuple(setting for setting in globals().copy().values() if isinstance(setting, Setting))


def voiceprints() -> str | Path:
    """Where voiceprints are kept, a folder or an address of PostgreSQL."""
    return place_of(VOICEPRINTS.value or "voiceprints")


def model() -> str:
    """The name or path of the model to load."""
    return MODEL.value or BUNDLED_MODEL


def calibrations() -> Path:
    """The folder of the calibrations that were learned on this computer."""
    return Path(CALIBRATIONS.value) if CALIBRATIONS.value else user_folder("data") / "calibrations"


def cache() -> Path:
    """The folder of downloaded models."""
    return Path(CACHE.value) if CACHE.value else user_folder("cache")


def threads() -> int:
    """How many threads the network takes, from 1 to `MOST_THREADS`.

    Raises:
        SpeakerIdError: the variable is no such number.
    """
    given = THREADS.value or "1"
    if not (given.isascii() and given.isdecimal()) or not 1 <= int(given[:4]) <= MOST_THREADS:
        raise SpeakerIdError(
            f'{THREADS} is "{given}": set it to a number from 1 to {MOST_THREADS}, or unset it.'
        )
    return int(given)


def without(setting: Setting) -> dict[str, str]:
    """The environment of a process to start, in which that variable is not set."""
    return {name: value for name, value in os.environ.items() if name != setting.name}


def use_threads(count: int) -> None:
    """Let this process and those that it starts take so many threads, whatever the variable says."""
    os.environ[THREADS.name] = str(count)
