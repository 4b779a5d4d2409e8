"""That a person agreed: without it nothing of them is stored, and nothing stored is read."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from speakerid.errors import GalleryError
from speakerid.gallery.serialization import text_of

MAX_TEXT = 10_000  # characters of what was agreed to

CONSENT_VERSION = "3"
"""Change it with the texts: both are stored with every voiceprint."""

CONSENT = (
    "The person whose voice this is agrees that a voiceprint is made from it and kept on the computer that "
    "runs this app, to recognize them when they speak. The voiceprint is deleted whenever they ask for it."
)
_KEPT = (
    "The recordings are kept beside the voiceprint too, to make it again for another model; they are deleted "
    "whenever the person asks for it."
)
_NOT_KEPT = "The recordings themselves are not kept."


def consent_text(*, keep_recordings: bool) -> str:
    """What the person agrees to, word for word: the same from every door."""
    return f"{CONSENT} {_KEPT if keep_recordings else _NOT_KEPT}"


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
        """A consent given at this moment.

        Raises:
            GalleryError: one of the three is no text.
        """
        if not all(isinstance(part, str) for part in (text, source, version)):
            raise GalleryError(
                'A consent is told by three texts: what was agreed to, how (such as "cli"), and optionally '
                'the version of the text, such as "1".'
            )
        return cls(text, utc_now(), source, version=version)

    @classmethod
    def given(cls, source: str, *, keep_recordings: bool = False) -> "Consent":
        """The consent to this version's text, given at this moment."""
        return cls.now(consent_text(keep_recordings=keep_recordings), source, CONSENT_VERSION)


def require_consent(consent: Consent | None) -> Consent:
    """The consent, if there is one that says what was agreed to, when and how.

    Raises:
        GalleryError: if not; nothing may be stored then.
    """
    if consent and not isinstance(consent, Consent):
        raise GalleryError(
            "Consent is no yes or no: give consent=Consent.now(text, source) with what the person agreed to, "
            'word for word, and how, such as "in person".'
        )
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
