"""Run as a process of its own, to be killed: makes changes to a folder without end and says which are done.

python changes.py FOLDER KIND SEED     prints one JSON line after each change that was acknowledged
"""

import itertools
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from people import CONSENT, KEPT, recording, voiceprint
from support import voices

from speakerid.gallery import Gallery, kept_recording
from speakerid.gallery.portable import Portable, write_people
from speakerid.gallery.voiceprint import unit


def enroll(folder: str, seed: int, secret: str):
    """Somebody new and a recording, as `Gallery.enroll` stores them, without listening."""
    gallery = Gallery.open(folder, secret)
    for i in range(10_000):
        name = f"New {seed} {i}"
        person = voiceprint(name, (seed + 1) * 10_000 + i)
        file = kept_recording.file_of(person.id, KEPT)
        content = kept_recording.to_bytes(recording(name, seed=i))
        with gallery.store.locked():
            gallery.commit("enroll", [person.id], [person], {file: content})
        yield name


def rename(folder: str, seed: int, secret: str):
    gallery = Gallery.open(folder, secret)
    person = gallery.speakers()[seed % 5].name
    for i in range(10_000):
        new = f"{person.split(' called ')[0]} called {seed}-{i}"
        gallery.rename(person, new)
        person = new
        yield new


def remove(folder: str, seed: int, secret: str):
    gallery = Gallery.open(folder, secret)
    for person in gallery.speakers():
        gallery.remove(person.name)
        yield person.name


def merge(folder: str, seed: int, secret: str):
    gallery = Gallery.open(folder, secret)
    first, *others = gallery.speakers()
    for person in others:
        gallery.merge(person.name, first.name, force=True)
        yield person.name


def passphrase(folder: str, seed: int, secret: str):
    passphrases = [secret, *(f"passphrase {seed} {i}" if i % 3 else "" for i in range(1, 10_000))]
    for old, new in itertools.pairwise(passphrases):
        Gallery.open(folder, old).change_passphrase(new)
        yield new


def move_exemplar(folder: str, seed: int, secret: str):
    """An exemplar, with the recording that it is from, to somebody else and back."""
    gallery = Gallery.open(folder, secret)
    one, other = gallery.speakers()[:2]
    (kept,) = gallery.recordings(one.name)
    with gallery.store.locked():
        gallery.store.put(replace(one, recordings=("", "", kept.id)))
    for i in range(1, 10_000):
        source, target = (one.name, other.name) if i % 2 else (other.name, one.name)
        gallery.move_exemplar(source, len(gallery.get(source).embeddings) - 1, target)
        yield i


def load(folder: str, seed: int, secret: str):
    """A file with somebody to replace and somebody new, each with a recording."""
    gallery = Gallery.open(folder, secret)
    file = Path(folder).with_name(f"import-{seed}")
    for i in range(1, 10_000):
        people = []
        for name in (f"Imported {seed}", f"New {seed} {i}"):
            take = f"take {i}"
            person = replace(voiceprint(name, i), sources=(take,) * 3, recordings=(f"{i:016x}",) * 3)
            content = kept_recording.to_bytes(recording(take, f"{i:016x}", seed=i))
            people.append(Portable(person, {f"{i:016x}": content}))
        write_people(file, people, None)
        assert not gallery.load(file, "model-1", same_name="replace").refused
        yield i


def reembed(folder: str, seed: int, secret: str):
    """Somebody who spoke, made anew by one model after the other."""
    gallery = Gallery.open(folder, secret)
    name, spoken = f"New {seed} Alice", voices.enrollment("Alice")[:1]
    gallery.enroll(name, spoken, Numbered(0), consent=CONSENT, keep_recordings=True)
    for i in range(1, 10_000):
        assert not gallery.reembed(Numbered(i), names=[name]).left
        yield i


class Numbered:
    """A model without a network: everything that it hears is near one direction, which its number gives."""

    def __init__(self, number: int):
        self.number, self.id = number, f"number-{number}"

    def direction(self) -> np.ndarray:
        return unit(np.random.default_rng(self.number).standard_normal(192))

    def embed(self, blocks: list[np.ndarray]) -> np.ndarray:
        rng = np.random.default_rng(len(blocks))
        return unit(self.direction() + 0.01 * rng.standard_normal((len(blocks), 192)))


CHANGES = (enroll, rename, remove, merge, passphrase, move_exemplar, load, reembed)
KINDS = {change.__name__: change for change in CHANGES}

if __name__ == "__main__":
    folder, kind, seed, secret = sys.argv[1:5]
    for done in KINDS[kind](folder, int(seed), secret):
        print(json.dumps(done), flush=True)
    assert "torch" not in sys.modules
