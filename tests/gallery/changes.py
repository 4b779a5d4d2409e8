"""Run as a process of its own, to be killed: makes changes to a folder without end and says which are done.

python changes.py FOLDER KIND SEED     prints one JSON line after each change that was acknowledged
"""

import itertools
import json
import sys

from people import KEPT, recording, voiceprint

from speakerid.gallery import Gallery, recordings


def enroll(folder: str, seed: int, secret: str):
    """Somebody new and a recording, as `Gallery.enroll` stores them, without listening."""
    gallery = Gallery.open(folder, secret)
    for i in range(10_000):
        name = f"New {seed} {i}"
        person = voiceprint(name, (seed + 1) * 10_000 + i)
        file = recordings.file_of(person.id, KEPT)
        content = recordings.to_bytes(recording(name, seed=i))
        with gallery._store.locked():
            gallery._commit("enroll", [person.id], [person], {file: content})
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


KINDS = {change.__name__: change for change in (enroll, rename, remove, merge, passphrase)}

if __name__ == "__main__":
    folder, kind, seed, secret = sys.argv[1:5]
    for done in KINDS[kind](folder, int(seed), secret):
        print(json.dumps(done), flush=True)
    assert "torch" not in sys.modules
