"""A conversation that is kept, a live session or a recording: who spoke when, and its sound where all agreed.

A session is several rows, `SESSION.PART.session` by its random id: part 0 tells about it, parts 1, 2 … are
its sound. Each has the form that `serialization.py` describes. Part 0 is of the kind "session": the
tensors `times` float64 [n, 2] (s), `voices` int32 [n, 2] (who spoke, whom the app heard) and `confidence`
float64 [n], and in the JSON

    title, kept_at, source, seconds, model, calibrated, warnings,
    voices [{"person": voiceprint id} or {"label": text} …], sound [[start (s), seconds, gain (dB)] …],
    consent {text, given_at, source, keep_recordings, version} or null

It has the ids of enrolled people and never their names, so that who is renamed has the new name in it and
who is removed has none. A part of its sound is of the kind "session-sound": the tensor `flac` uint8 [n]
(flac.py). No embeddings are kept.
"""

import re
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from speakerid.audio.format import Block
from speakerid.errors import GalleryError
from speakerid.gallery.consent import Consent, consent_of
from speakerid.gallery.flac import compress, decompress
from speakerid.gallery.serialization import pack, text_of, unpack
from speakerid.gallery.voiceprint import Newer

KIND, SOUND_KIND, VERSION = "session", "session-sound", "1"
PIECE_S = 60.0
"""Seconds of sound in a part, at most."""
REMOVED = "removed person"
"""What is left of the name of somebody who was removed."""

SOUND_CONSENT_VERSION = "1"
SOUND_CONSENT = (
    "Everybody who is heard agrees that the sound of this conversation is kept on the computer that runs "
    "this app, to be heard again. Whoever asks for it is removed: their voice is then silenced in it, and "
    "their name is gone."
)
_NAME = re.compile(r"([0-9a-f]{16})\.([0-9]{1,6})\.session")


@dataclass(frozen=True)
class SessionVoice:
    """Who speaks: the id of somebody's voiceprint, or, where that is "", what the voice is called."""

    person: str = ""
    label: str = ""


@dataclass(frozen=True)
class SessionTurn:
    """One turn, in seconds of the session; `voice` and `heard` are places in `KeptSession.voices`.

    Attributes:
        voice: who spoke, corrections applied.
        heard: whom the app heard.
    """

    start: float
    end: float
    voice: int
    heard: int
    confidence: float


@dataclass(frozen=True)
class SessionPiece:
    """A part of the sound: where it begins and how long it is (s), and by how much it was raised (dB)."""

    start: float
    seconds: float
    gain_db: float = 0.0

    @property
    def end(self) -> float:
        return self.start + self.seconds


@dataclass(frozen=True)
class KeptSession:
    """A kept conversation, without its sound.

    Attributes:
        id: 16 random hex digits.
        title: as somebody called it.
        kept_at: since when, ISO 8601 in UTC.
        source: "live" or "recording".
        seconds: how long it is.
        model: id of the model that heard it.
        calibrated: whether its confidences can be taken at their word.
        consent: under which its sound is kept; None where it is not.
        sound: of its parts 1, 2 …; may have gaps.
        warnings: what was lost of it, as sentences.
    """

    id: str
    title: str
    kept_at: str
    source: str
    seconds: float
    model: str
    calibrated: bool
    voices: tuple[SessionVoice, ...]
    turns: tuple[SessionTurn, ...]
    consent: Consent | None = None
    sound: tuple[SessionPiece, ...] = ()
    warnings: tuple[str, ...] = ()


def file_of(session: str, part: int = 0) -> str:
    """The name of a part of a session."""
    return f"{session}.{part}.session"


def part_of(file: str) -> tuple[str, int] | None:
    """(session, part) by such a name; None if it is none."""
    found = _NAME.fullmatch(file)
    return (found[1], int(found[2])) if found else None


def to_bytes(session: KeptSession) -> bytes:
    """The content of part 0.

    Raises:
        GalleryError: there is sound, and no consent to keep it.
    """
    if session.sound and session.consent is None:
        raise GalleryError(
            "Sound is kept only where everybody who is heard agreed: record that, or leave it out."
        )
    about = {
        "title": session.title,
        "kept_at": session.kept_at,
        "source": session.source,
        "seconds": session.seconds,
        "model": session.model,
        "calibrated": session.calibrated,
        "warnings": list(session.warnings),
        "voices": [{"person": v.person} if v.person else {"label": v.label} for v in session.voices],
        "sound": [[piece.start, piece.seconds, piece.gain_db] for piece in session.sound],
        "consent": asdict(session.consent) if session.consent else None,
    }
    tensors = {
        "times": np.array([(turn.start, turn.end) for turn in session.turns], np.float64).reshape(-1, 2),
        "voices": np.array([(turn.voice, turn.heard) for turn in session.turns], np.int32).reshape(-1, 2),
        "confidence": np.array([turn.confidence for turn in session.turns], np.float64),
    }
    return pack(KIND, VERSION, about, tensors)


def from_bytes(content: bytes, identifier: str) -> KeptSession:
    """The session in the content of part 0.

    Raises:
        GalleryError: saying what is wrong with it, if anything is.
    """
    held = unpack(KIND, content)
    if held.version != VERSION:
        raise Newer(f"it has format version {held.version}: this program reads up to version {VERSION}")
    about = held.about
    try:
        voices = tuple(_voice(one) for one in about["voices"])
        sound = tuple(SessionPiece(*(float(number) for number in piece)) for piece in about["sound"])
        seconds, warnings = float(about["seconds"]), tuple(str(one) for one in about["warnings"])
        turns = _turns(held.tensors, len(voices))
    except (KeyError, TypeError, ValueError) as error:
        raise GalleryError("its description is incomplete") from error
    consent = consent_of(about) if about.get("consent") is not None else None
    if sound and consent is None:
        raise GalleryError("its sound was kept without consent")
    texts = {name: text_of(about, name) for name in ("title", "kept_at", "source", "model")}
    return KeptSession(
        identifier,
        **texts,
        seconds=seconds,
        calibrated=about.get("calibrated") is True,
        voices=voices,
        turns=turns,
        consent=consent,
        sound=sound,
        warnings=warnings,
    )


def sound_to_bytes(samples: Block) -> bytes:
    """The content of a part of the sound: float32 [n] at 16 kHz, -1..1."""
    flac = np.frombuffer(compress(samples), np.uint8)
    return pack(SOUND_KIND, VERSION, {}, {"flac": flac})


def sound_from_bytes(content: bytes) -> Block:
    """The samples in a part of the sound.

    Raises:
        GalleryError: saying what is wrong with it, if anything is.
    """
    return decompress(check_sound(content).tobytes(), PIECE_S + 1.0)


def check_sound(content: bytes) -> np.ndarray:
    """The FLAC file, uint8 [n], in a part of the sound; the checksum vouches for it.

    Raises:
        GalleryError: saying what is wrong with it, if anything is.
    """
    flac = unpack(SOUND_KIND, content).tensors.get("flac")
    if flac is None or flac.dtype != np.uint8 or flac.ndim != 1:
        raise GalleryError("its description is incomplete")
    return flac


def _voice(about: dict[str, Any]) -> SessionVoice:
    if "person" in about:
        return SessionVoice(person=text_of(about, "person"))
    return SessionVoice(label=text_of(about, "label"))


def _turns(tensors: dict[str, np.ndarray], voices: int) -> tuple[SessionTurn, ...]:
    """The turns in the tensors.

    Raises:
        ValueError: they do not fit together.
    """
    times, who, sure = tensors["times"], tensors["voices"], tensors["confidence"]
    count = len(sure)
    if times.shape != (count, 2) or who.shape != (count, 2) or sure.shape != (count,):
        raise ValueError
    if who.dtype != np.int32 or (count and not 0 <= who.min() <= who.max() < voices):
        raise ValueError
    if not (np.isfinite(times).all() and np.isfinite(sure).all() and (times[:, 0] <= times[:, 1]).all()):
        raise ValueError
    rows = zip(times.tolist(), who.tolist(), sure.tolist(), strict=True)
    return tuple(
        SessionTurn(start, end, voice, heard, confidence) for (start, end), (voice, heard), confidence in rows
    )
