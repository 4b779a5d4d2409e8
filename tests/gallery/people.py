"""Voiceprints without a voice: the store does not care where the numbers come from."""

import json
from dataclasses import asdict, replace

import numpy as np
import sqlalchemy as sql

from speakerid.gallery import Consent, Voiceprint, kept_recording, schema, serialization
from speakerid.gallery.opening import open_store
from speakerid.gallery.sealing import Seal
from speakerid.gallery.voiceprint import unit

CONSENT = Consent("I agree to be recognized by my voice.", "2026-01-02T03:04:05+00:00", "cli")
KEPT = "0123456789abcdef"
"""Id of a recording."""


def voiceprint(name: str, seed: int = 0, exemplars: int = 3, model: str = "model-1") -> Voiceprint:
    """A valid voiceprint with random embeddings."""
    rng = np.random.default_rng(seed)
    return Voiceprint(
        id=rng.bytes(8).hex(),
        name=name,
        model=model,
        embeddings=unit(rng.standard_normal((exemplars, 192))),
        seconds=np.full(exemplars, 3, np.float32),
        sources=("a.wav",) * exemplars,
        created="2026-01-02T03:04:05+00:00",
        updated="2026-01-02T03:04:05+00:00",
        consent=CONSENT,
    )


def recording(source: str = "kitchen", identifier: str = KEPT, seed: int = 0) -> kept_recording.KeptRecording:
    """A second of noise that may be kept."""
    samples = (np.random.default_rng(seed).standard_normal(16_000) * 0.1).astype(np.float32)
    consent = replace(CONSENT, keep_recordings=True)
    return kept_recording.KeptRecording(identifier, samples, source, "2026-01-02T03:04:05+00:00", consent)


def keep(folder, person: Voiceprint, source: str, identifier: str | None = None, seal=None) -> str:
    """Store a recording of a person; returns its file's name."""
    made = recording(source, identifier or source.encode().hex().ljust(16, "0")[:16])
    store = open_store(folder, seal)
    file = kept_recording.file_of(person.id, made.id)
    with store.locked():
        store.write(recordings={file: kept_recording.to_bytes(made)})
    return file


def store_people(folder, *names: str, passphrase: str = "", model: str = "model-1") -> list[Voiceprint]:
    """Store people of these names."""
    store = open_store(folder, Seal(passphrase) if passphrase else None)
    people = [voiceprint(name, seed, model=model) for seed, name in enumerate(names)]
    with store.locked():
        for person in people:
            store.put(person)
    return people


def old_format(person: Voiceprint) -> bytes:
    """The file of a person as version 1 of the format has it."""
    about = {
        **{key: getattr(person, key) for key in ("name", "model", "created", "updated")},
        "sources": list(person.sources),
        "consent": {k: v for k, v in asdict(person.consent).items() if k != "keep_recordings"},
    }
    tensors = {"embeddings": person.embeddings, "seconds": person.seconds}
    return serialization.pack("voiceprint", "1", json.loads(json.dumps(about)), tensors)


def rows_of(place) -> dict[str, bytes]:
    """What is stored, as it is stored, by its name."""
    store = open_store(place, Seal("nobody's passphrase"))
    columns = schema.voiceprints.c
    with store._connection() as connection:
        found = {
            f"{one}.safetensors": c for one, c in connection.execute(sql.select(columns.id, columns.content))
        }
    return found | {file: store.raw(file) for files in store.recordings().values() for file in files}


def put_row(place, file: str, content: bytes) -> None:
    """Put something there as it is, past all checks."""
    store = open_store(place, Seal("nobody's passphrase"))
    with store.locked():
        store.write_raw({file: content})


def delete_row(place, file: str) -> None:
    store = open_store(place, Seal("nobody's passphrase"))
    with store.locked():
        store.write_raw({}, [file])
