"""Recordings that a person lets us keep, so that another model can make the voiceprint anew; and their form.

One recording is one file, `VOICEPRINT.RECORDING.recording` by the ids of both, in the form that
`serialization.py` describes, of the kind "recording": the tensor `flac` uint8 [n], a FLAC file of
16 kHz, mono, 16 bits, and in the JSON

    source, kept_at, seconds, consent {text, given_at, source, keep_recordings, version}

A recording whose consent does not say that it may be kept is neither written nor read.
"""

import re
from dataclasses import asdict, dataclass

import numpy as np

from speakerid.audio.format import RATE, Block
from speakerid.errors import EnrollmentRefused, GalleryError
from speakerid.gallery.consent import Consent, consent_of
from speakerid.gallery.flac import compress, decompress
from speakerid.gallery.serialization import pack, text_of, unpack
from speakerid.gallery.voiceprint import Newer

KIND, VERSION = "recording", "1"
SUFFIX = ".recording"
MAX_RECORDINGS = 20  # kept of one person
MAX_SECONDS = 600.0  # of one recording
MAX_SECONDS_AT_ONCE = 3600.0  # of all recordings of one enrollment, which are in memory together
MAX_FILE_BYTES = 25_000_000  # 16-bit samples of MAX_SECONDS take 19 MB before they are compressed
_NAME = re.compile(r"([^.][^/\\]*)\.([0-9a-f]{16})" + re.escape(SUFFIX))


@dataclass(frozen=True, eq=False)
class KeptRecording:
    """What a person said, kept because they agreed.

    Attributes:
        id: random hex digits.
        samples: float32 [n], 16 kHz mono, -1..1, rounded to 16 bits when it is stored.
        source: the label given at enrollment.
        kept_at: since when, ISO 8601 in UTC.
        consent: under which it is kept.
    """

    id: str
    samples: Block
    source: str
    kept_at: str
    consent: Consent

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.samples) / RATE


def require_length(seconds: float) -> None:
    """Make sure that recordings of so many seconds in all can be enrolled from at once.

    Raises:
        EnrollmentRefused: if not.
    """
    if seconds > MAX_SECONDS_AT_ONCE:
        raise EnrollmentRefused(
            [
                f"These recordings are longer than {MAX_SECONDS_AT_ONCE / 60:.0f} minutes together, more "
                "than one enrollment takes: leave some out. Three or four of a minute from different days "
                "and rooms are plenty."
            ]
        )


def file_of(owner: str, recording: str) -> str:
    """The name of a recording's file, by the ids of the voiceprint that it belongs to and its own."""
    return f"{owner}.{recording}{SUFFIX}"


def ids_of(file: str) -> tuple[str, str] | None:
    """The ids (voiceprint, recording) in the name of a recording's file; None if it is none."""
    found = _NAME.fullmatch(file)
    return (found[1], found[2]) if found else None


def to_bytes(recording: KeptRecording) -> bytes:
    """The content of a recording's file.

    Raises:
        GalleryError: if the consent does not allow to keep it, or it is too long.
    """
    _require(recording.consent)
    if recording.seconds > MAX_SECONDS:
        raise GalleryError(
            f'"{recording.source}" is longer than {MAX_SECONDS / 60:.0f} minutes, too long to be kept: '
            "cut out a part of it, or enroll without keeping recordings."
        )
    about = {
        "source": recording.source,
        "kept_at": recording.kept_at,
        "seconds": round(recording.seconds, 3),
        "consent": asdict(recording.consent),
    }
    flac = np.frombuffer(compress(recording.samples), np.uint8)
    return pack(KIND, VERSION, about, {"flac": flac})


def from_bytes(content: bytes, identifier: str) -> KeptRecording:
    """The recording in a file's content.

    Raises:
        GalleryError: saying what is wrong with it, if anything is.
    """
    flac, about = _checked(content)
    samples = decompress(flac.tobytes(), MAX_SECONDS)
    return KeptRecording(
        identifier, samples, text_of(about, "source"), text_of(about, "kept_at"), consent_of(about)
    )


def relabel(content: bytes, source: str) -> bytes:
    """The content of a recording's file, with another label.

    Raises:
        GalleryError: saying what is wrong with it, if anything is.
    """
    flac, about = _checked(content)
    return pack(KIND, VERSION, {**about, "source": source}, {"flac": flac})


def label_of(content: bytes) -> str:
    """The label in a recording's file.

    Raises:
        GalleryError: saying what is wrong with it, if anything is.
    """
    return text_of(_checked(content)[1], "source")


def check(content: bytes) -> None:
    """What `from_bytes` checks but the sound itself, which the checksum vouches for.

    Raises:
        GalleryError: saying what is wrong, if anything is.
    """
    _checked(content)


def _checked(content: bytes) -> tuple[np.ndarray, dict]:
    held = unpack(KIND, content)
    if held.version != VERSION:
        raise Newer(f"it has format version {held.version}: this program reads up to version {VERSION}")
    flac = held.tensors.get("flac")
    if flac is None or flac.dtype != np.uint8 or flac.ndim != 1:
        raise GalleryError("its description is incomplete")
    text_of(held.about, "source")
    text_of(held.about, "kept_at")
    _require(consent_of(held.about))
    return flac, held.about


def _require(consent: Consent) -> None:
    if not consent.keep_recordings:
        raise GalleryError(
            "The person did not agree that recordings are kept: ask first and record the answer."
        )
