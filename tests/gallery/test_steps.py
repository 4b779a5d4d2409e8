"""Writers that die before their first, second, … step that changes the folder: all of a change or none of it.

By default it is every third step; with SPEAKERID_KILLS=200 each single one.
"""

import os
import signal
from dataclasses import replace

import pytest
from people import KEPT, keep, recording, store_people, voiceprint
from test_kills import KILLS, PEOPLE, SECRET, fresh, legible, opened

from speakerid.gallery import Gallery, recordings
from speakerid.gallery.doctor import examine_folder
from speakerid.gallery.portable import Portable, write_people
from speakerid.gallery.store import FolderStore

STRIDE = 1 if KILLS >= 200 else 3


@pytest.fixture(autouse=True)
def no_passphrase_around(monkeypatch):
    monkeypatch.delenv("SPEAKERID_PASSPHRASE", raising=False)


@pytest.mark.parametrize(("old", "new"), [("", SECRET), (SECRET, "battery staple"), (SECRET, "")])
def test_a_change_of_passphrase(tmp_path, old, new):
    steps = 0
    while True:
        folder = tmp_path / str(steps)
        before = fresh(folder, old, PEOPLE[:1])
        if not dies_at_step(steps, lambda folder=folder: Gallery.open(folder, old).change_passphrase(new)):
            break
        if old and new:
            assert legible(folder, [b"Person", b"said by", b"kept_at", b"I agree", b"embeddings"]) == []
        gallery, _ = opened(folder, old, new)
        assert {person.name for person in gallery.speakers()} == before and gallery.damaged == []
        assert len(gallery.recording_counts()) == 1
        gallery.change_passphrase(new)
        assert bool(legible(folder, [b"Person", b"said by"])) == (new == "")
        assert {person.name for person in Gallery.open(folder, new).speakers()} == before
        steps += STRIDE
    assert steps > 9  # a temporary and a move for each of two files, the journal, and the log


def anna_and_bob(folder):
    """Anna, of whose exemplars one is from a recording, and Bob."""
    anna, bob = store_people(folder, "Anna", "Bob")
    file = keep(folder, anna, "kitchen", KEPT)
    store = FolderStore(folder)
    with store.locked():
        store.put(replace(anna, recordings=(KEPT, "", "")))
    return anna, bob, file


def move(folder):
    Gallery.open(folder).move_exemplar("Anna", 0, "Bob")


def take_in(folder):
    """Somebody called Anna, with another recording, in the place of the one who is there."""
    other = "f" * 16
    person = replace(voiceprint("Anna", 9), recordings=(other, "", ""))
    content = recordings.to_bytes(recording("garden", other))
    file = folder.with_name(f"{folder.name}.people")
    write_people(file, [Portable(person, {other: content})], None)
    Gallery.open(folder).load(file, "model-1", same_name="replace")


@pytest.mark.parametrize("change", [move, take_in])
def test_a_change_to_several_files(tmp_path, change):
    whole = tmp_path / "whole"
    anna_and_bob(whole)
    before = state(whole)
    change(whole)
    after = state(whole)
    assert before != after
    steps, seen = 0, []
    while True:
        folder = tmp_path / str(steps)
        anna_and_bob(folder)
        if not dies_at_step(steps, lambda folder=folder: change(folder)):
            break
        seen.append(state(folder))
        assert seen[-1] in (before, after)
        assert examine_folder(folder, "model-1", repair=True).left == [] and state(folder) == seen[-1]
        steps += STRIDE
    assert before in seen and after in seen
    assert seen == sorted(seen, key=lambda one: one == after), "it is made at one step, and stays"


def state(folder):
    """Everybody with their exemplars and what is in their kept recordings."""
    gallery = Gallery.open(folder)
    return {
        person.name: (
            sorted(row.tobytes() for row in person.embeddings),
            [(one.id, one.source) for one in gallery.recordings(person.name)],
            person.consent.keep_recordings,
        )
        for person in gallery.speakers()
    }


def dies_at_step(number, change):
    """Make a change in a child process that dies before a step of its; whether it had so many."""
    child = os.fork()
    if child == 0:
        try:
            left = [number]

            def counted(step):
                def stepping(*args, **more):
                    if left[0] == 0:
                        os.kill(os.getpid(), signal.SIGKILL)
                    left[0] -= 1
                    return step(*args, **more)

                return stepping

            os.fsync = counted(os.fsync)
            os.replace = counted(os.replace)
            os.unlink = counted(os.unlink)
            change()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])
