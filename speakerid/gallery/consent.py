"""That a person agreed: without it nothing of them is stored, and nothing stored is read."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from speakerid.errors import GalleryError
from speakerid.gallery.packed import text_of

MAX_TEXT = 10_000  # characters of what was agreed to


@dataclass(frozen=True)
class Consent:
    """That a person agreed to be recognized by voice.

    Attributes:
        text: what the person agreed to, word for word.
        given_at: when, ISO 8601 in UTC.
        source: how it was given: "cli", "browser", "microphone", "upload" …
        keep_recordings: whether recordings are kept, which the person agreed to in this consent or, where
            older recordings are there still, in an earlier one. Each kept recording has its own consent too.
        version: of the text; "" where it has none.
    """

    text: str
    given_at: str
    source: str
    keep_recordings: bool = False
    version: str = ""

    @classmethod
    def now(cls, text: str, source: str, version: str = "") -> "Consent":
        """A consent given at this moment."""
        return cls(text, utc_now(), source, version=version)


def require_consent(consent: Consent | None) -> Consent:
    """The consent, if there is one that says what was agreed to, when and how.

    Raises:
        GalleryError: if not; nothing may be stored then.
    """
    parts = (consent.text, consent.given_at, consent.source) if consent else ()
    if not consent or not all(isinstance(part, str) and part.strip() for part in parts):
        raise GalleryError(
            "Consent is missing: a voiceprint is biometric data, so ask first and record the answer."
        )
    if not isinstance(consent.version, str) or len(consent.text) > MAX_TEXT:
        raise GalleryError(
            f"The consent cannot be stored: its version has to be text, and its text at most {MAX_TEXT:,} "
            "characters."
        )
    return consent


def consent_of(about: dict[str, Any]) -> Consent:
    """The consent in the description of a file.

    Raises:
        GalleryError: if there is none.
    """
    given = about.get("consent")
    if not isinstance(given, dict) or len(str(given.get("text"))) > MAX_TEXT:
        raise GalleryError("its description is incomplete")
    texts = (text_of(given, "text"), text_of(given, "given_at"), text_of(given, "source"))
    version = text_of(given, "version") if "version" in given else ""
    return require_consent(Consent(*texts, given.get("keep_recordings") is True, version))


def utc_now() -> str:
    """This moment, ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
