"""What is known of one person's voice, and its form on disk.

One person is one safetensors file: the tensors `embeddings` [k, d] and `seconds` [k], and in its metadata

    format      "speakerid-voiceprint"
    version     "1"
    voiceprint  JSON: name, model, sources, created, updated, consent {text, given_at, source}
    sha256      of the JSON, then the bytes of the embeddings, then those of the seconds

so that one write is one atomic replace, no pickle is ever read, and a flipped bit is noticed.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from speakerid.errors import GalleryError, SpeakerIdError
from speakerid.gallery.names import clean_name

FORMAT, VERSION = "speakerid-voiceprint", "1"


@dataclass(frozen=True)
class Consent:
    """That a person agreed to be recognized by voice.

    Attributes:
        text: what the person agreed to, word for word.
        given_at: when, ISO 8601 in UTC.
        source: how it was given: "cli", "browser", "microphone", "upload" …
    """

    text: str
    given_at: str
    source: str

    @classmethod
    def now(cls, text: str, source: str) -> "Consent":
        """A consent given at this moment."""
        return cls(text, utc_now(), source)


@dataclass(frozen=True, eq=False)
class Voiceprint:
    """One person's exemplar embeddings, all made by one model.

    Attributes:
        id: random hex digits, also the file's name; it says nothing about the person.
        name: as the person writes it.
        model: id of the encoder that made the embeddings; scores mean something only within one model.
        embeddings: float32 [k, d], rows of unit length.
        seconds: float32 [k], seconds of speech that each exemplar was made from.
        sources: [k], where each exemplar came from.
        created, updated: ISO 8601 in UTC.
        consent: the latest one given.
    """

    id: str
    name: str
    model: str
    embeddings: np.ndarray
    seconds: np.ndarray
    sources: tuple[str, ...]
    created: str
    updated: str
    consent: Consent

    @property
    def seconds_total(self) -> float:
        """Seconds of speech over all exemplars (speech shared by two exemplars counts twice)."""
        return float(self.seconds.sum())

    @property
    def centroid(self) -> np.ndarray:
        """float32 [d]: the mean of the exemplars, again of unit length."""
        return unit(self.embeddings.mean(axis=0))


def utc_now() -> str:
    """This moment, ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows [.., d] scaled to unit length (zero rows stay zero)."""
    norms = np.linalg.norm(rows, axis=-1, keepdims=True)
    return (rows / np.maximum(norms, 1e-12)).astype(np.float32)


def require_consent(consent: Consent | None) -> Consent:
    """The consent, if there is one that says what was agreed to, when and how.

    Raises:
        GalleryError: if not; nothing may be stored then.
    """
    if not consent or not all(part.strip() for part in (consent.text, consent.given_at, consent.source)):
        raise GalleryError(
            "Consent is missing: a voiceprint is biometric data, so ask first and record the answer."
        )
    return consent


def to_bytes(voiceprint: Voiceprint) -> bytes:
    """The content of a voiceprint's file.

    Raises:
        GalleryError: if the voiceprint has no consent.
    """
    require_consent(voiceprint.consent)
    about = json.dumps(
        {
            "name": voiceprint.name,
            "model": voiceprint.model,
            "sources": list(voiceprint.sources),
            "created": voiceprint.created,
            "updated": voiceprint.updated,
            "consent": asdict(voiceprint.consent),
        },
        ensure_ascii=False,
    )
    tensors = {
        "embeddings": np.ascontiguousarray(voiceprint.embeddings, np.float32),
        "seconds": np.ascontiguousarray(voiceprint.seconds, np.float32),
    }
    metadata = {
        "format": FORMAT,
        "version": VERSION,
        "voiceprint": about,
        "sha256": _digest(about, tensors),
    }
    return save(tensors, metadata)


def from_bytes(content: bytes, identifier: str) -> Voiceprint:
    """The voiceprint in a file's content.

    Raises:
        GalleryError: saying what is wrong with it, if anything is.
    """
    try:
        tensors = load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    except (SafetensorError, ValueError, KeyError) as error:
        raise GalleryError("it is damaged or cut off") from error
    metadata = header.get("__metadata__", {})
    if metadata.get("format") != FORMAT:
        raise GalleryError("it is not a voiceprint")
    if metadata.get("version") != VERSION:
        raise GalleryError(
            f"it has format version {metadata.get('version')}: this program reads version {VERSION}"
        )
    try:
        if metadata["sha256"] != _digest(metadata["voiceprint"], tensors):
            raise GalleryError("its content does not match its checksum")
        about = json.loads(metadata["voiceprint"])
        voiceprint = Voiceprint(
            id=identifier,
            name=clean_name(about["name"]),
            model=about["model"],
            embeddings=tensors["embeddings"],
            seconds=tensors["seconds"],
            sources=tuple(about["sources"]),
            created=about["created"],
            updated=about["updated"],
            consent=require_consent(Consent(**about["consent"])),
        )
    except SpeakerIdError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise GalleryError("its description is incomplete") from error
    check_numbers(voiceprint)
    return voiceprint


def check_numbers(voiceprint: Voiceprint) -> None:
    """Make sure that the exemplars can be scored.

    Raises:
        GalleryError: if there is none, shapes disagree, or a row is not finite and of unit length.
    """
    rows, seconds = voiceprint.embeddings, voiceprint.seconds
    if (
        rows.ndim != 2
        or not len(rows)
        or seconds.shape != (len(rows),)
        or len(voiceprint.sources) != len(rows)
    ):
        raise GalleryError("its numbers have the wrong shape")
    # A NaN makes the comparison false, so this also refuses what is not finite.
    if not (np.abs(np.einsum("ij,ij->i", rows, rows) - 1) < 1e-3).all() or not np.isfinite(seconds).all():
        raise GalleryError("its embeddings are not of unit length")


def _digest(about: str, tensors: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256(about.encode())
    digest.update(np.ascontiguousarray(tensors["embeddings"]).data)
    digest.update(np.ascontiguousarray(tensors["seconds"]).data)
    return digest.hexdigest()
