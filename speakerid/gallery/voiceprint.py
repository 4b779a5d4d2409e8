"""What is known of one person's voice, and its form on disk.

One person is one file, in the form that `serialization.py` describes, of the kind "voiceprint": the
tensors `embeddings` float32 [k, d] and `seconds` float32 [k], and in the JSON

    name, model, sources [k], recordings [k], created, updated,
    consent {text, given_at, source, keep_recordings, version},
    earlier_consents [the same, oldest first] (may be missing)

so that one write is one atomic replace. Version 1 had no `recordings` and no `keep_recordings`; it is read as
if no recording had been kept, and written anew as version 2 whenever the person changes (or by
`doctor --repair`).
"""

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from speakerid.errors import GalleryError, SpeakerIdError
from speakerid.gallery.consent import Consent, consent_of, require_consent
from speakerid.gallery.names import clean_name
from speakerid.gallery.serialization import pack, text_of, unpack

KIND, VERSION = "voiceprint", "2"
MAX_EXEMPLARS = 10  # kept for one person
WINDOW_SECONDS = 3.0  # what the Listener compares at most, so exemplars are alike
LONGEST_WINDOW_SECONDS = 1.5 * WINDOW_SECONDS  # a longer exemplar is one of a whole recording
SAME_SAMPLES = 0.9999  # exemplars that agree more are made of the same samples
WIDTHS = range(16, 4097)  # numbers in an embedding, by the model
MAX_CONSENTS = 100  # kept of those that a later one took the place of
MAX_FILE_BYTES = 4_000_000  # about a hundred times the largest voiceprint
MAX_SECONDS = 86_400.0  # of speech that one exemplar can be made from; more is no number to believe
_IDS = re.compile(r"([0-9a-f]{16}( [0-9a-f]{16})*)?")


class Newer(GalleryError):
    """The file was written by a newer version of this program."""


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
        recordings: [k], ids of the kept recordings that each exemplar was made from, with a space between
            them; "" where none was kept.
        created, updated: ISO 8601 in UTC.
        consent: the latest one given.
        earlier_consents: those given before, oldest first; the latest MAX_CONSENTS of them.
        version: of the format of the file that this was read from.
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
    recordings: tuple[str, ...] = ()
    version: str = VERSION
    earlier_consents: tuple[Consent, ...] = ()

    def __post_init__(self):
        if not self.recordings:
            object.__setattr__(self, "recordings", ("",) * len(self.sources))

    def __repr__(self) -> str:
        return f'<Voiceprint "{self.name}", {len(self.embeddings)} exemplars, {self.model}>'

    @property
    def seconds_total(self) -> float:
        """Seconds of speech that the exemplars are made from; a recording's windows and the exemplar of the
        whole of it share theirs, which counts once."""
        return sum(self._seconds_of(source) for source in set(self.sources))

    def _seconds_of(self, source: str) -> float:
        rows = [row for row, one in enumerate(self.sources) if one == source]
        wholes = [row for row in rows if self.seconds[row] > LONGEST_WINDOW_SECONDS]
        windows: list[int] = []
        for row in rows:
            # A recording of one window is that window and the whole.
            same = self.embeddings[windows] @ self.embeddings[row] > SAME_SAMPLES
            if row not in wholes and not same.any():
                windows.append(row)
        return float(max(self.seconds[wholes].sum(), self.seconds[windows].sum()))

    @cached_property
    def centroid(self) -> np.ndarray:
        """float32 [d]: the mean of the exemplars, again of unit length."""
        return unit(self.embeddings.mean(axis=0))


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows [.., d] scaled to unit length (zero rows stay zero)."""
    norms = np.linalg.norm(rows, axis=-1, keepdims=True)
    return (rows / np.maximum(norms, 1e-12)).astype(np.float32)


def to_bytes(voiceprint: Voiceprint) -> bytes:
    """The content of a voiceprint's file.

    Raises:
        GalleryError: if the voiceprint has no consent.
    """
    require_consent(voiceprint.consent)
    about = {
        "name": voiceprint.name,
        "model": voiceprint.model,
        "sources": list(voiceprint.sources),
        "recordings": list(voiceprint.recordings),
        "created": voiceprint.created,
        "updated": voiceprint.updated,
        "consent": asdict(voiceprint.consent),
        "earlier_consents": [asdict(consent) for consent in voiceprint.earlier_consents[-MAX_CONSENTS:]],
    }
    tensors = {
        "embeddings": voiceprint.embeddings.astype(np.float32, copy=False),
        "seconds": voiceprint.seconds.astype(np.float32, copy=False),
    }
    return pack(KIND, VERSION, about, tensors)


def from_bytes(content: bytes, identifier: str) -> Voiceprint:
    """The voiceprint in a file's content, whatever version wrote it.

    Raises:
        Newer: if a newer version wrote it.
        GalleryError: saying what is wrong with it, if anything is.
    """
    held = unpack(KIND, content)
    about, version = held.about, held.version
    try:
        while version != VERSION:
            if version not in _MIGRATIONS:
                raise Newer(f"it has format version {version}: this program reads up to version {VERSION}")
            version = _MIGRATIONS[version](about)
        sources, recordings = _texts(about, "sources"), _texts(about, "recordings")
        voiceprint = Voiceprint(
            id=identifier,
            name=clean_name(text_of(about, "name")),
            model=text_of(about, "model"),
            embeddings=held.tensors["embeddings"],
            seconds=held.tensors["seconds"],
            sources=sources,
            created=text_of(about, "created"),
            updated=text_of(about, "updated"),
            consent=consent_of(about),
            recordings=recordings,
            version=held.version,
            earlier_consents=tuple(
                consent_of({"consent": given}) for given in about.get("earlier_consents", [])
            ),
        )
    except SpeakerIdError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise GalleryError("its description is incomplete") from error
    if not all(_IDS.fullmatch(ids) for ids in set(recordings)):
        raise GalleryError("its description is incomplete")
    check_numbers(voiceprint)
    return voiceprint


def check_numbers(voiceprint: Voiceprint) -> None:
    """Make sure that the exemplars can be scored.

    Raises:
        GalleryError: if there is none or too many, shapes disagree, or a row is not of unit length.
    """
    rows, seconds = voiceprint.embeddings, voiceprint.seconds
    count = len(rows) if rows.ndim else 0
    if (
        not count
        or rows.ndim != 2
        or rows.shape[1] not in WIDTHS
        or seconds.shape != (count,)
        or len(voiceprint.sources) != count
        or len(voiceprint.recordings) != count
        or rows.dtype.kind != "f"
        or seconds.dtype.kind != "f"
    ):
        raise GalleryError("its numbers have the wrong shape")
    if count > MAX_EXEMPLARS:
        raise GalleryError(f"it has {count} exemplars and at most {MAX_EXEMPLARS} can be kept")
    # A NaN makes the comparison false, so this also refuses what is not finite.
    if not (np.abs(np.einsum("ij,ij->i", rows, rows) - 1) < 1e-3).all():
        raise GalleryError("its embeddings are not of unit length")
    if not ((seconds >= 0) & (seconds <= MAX_SECONDS)).all():
        raise GalleryError("its seconds of speech are not numbers")


def _texts(about: dict[str, Any], key: str) -> tuple[str, ...]:
    values = about.get(key)
    if not isinstance(values, list):
        raise GalleryError("its description is incomplete")
    for value in set(values):  # most are the same
        text_of({key: value}, key)
    return tuple(values)


def _from_version_1(about: dict[str, Any]) -> str:
    about["recordings"] = [""] * len(about.get("sources", ()))
    return "2"


_MIGRATIONS: dict[str, Callable[[dict[str, Any]], str]] = {"1": _from_version_1}
"""By version: changes a description into the next version's, and returns that version."""
