"""Writers that are killed (SIGKILL) at any moment of any change: what was acknowledged is there, every other
change is wholly done or wholly absent, nothing is half, and nothing is legible that should not be.

SPEAKERID_KILLS=200 kills 200 times; by default it is a few, so that the suite stays quick.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from changes import KINDS, Numbered
from people import keep, store_people

from speakerid.errors import GalleryError
from speakerid.gallery import Gallery, attempts
from speakerid.gallery.doctor import examine_folder
from speakerid.gallery.sealing import Seal

KILLS = int(os.environ.get("SPEAKERID_KILLS", "15"))
PEOPLE = [f"Person{i:02}" for i in range(12)]
SECRET = "correct horse"
HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def no_passphrase_around(monkeypatch):
    monkeypatch.delenv("SPEAKERID_PASSPHRASE", raising=False)


def start(folder, kind, seed, secret):
    command = [sys.executable, str(HERE / "changes.py"), str(folder), kind, str(seed), secret]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parent), str(HERE.parents[1])]),
    }
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def kill_at_random(folder, kind, seed, secret):
    """What was acknowledged before the kill, which comes at a random moment after a random change."""
    chance = random.Random(seed)
    writer = start(folder, kind, seed, secret)
    done = []
    for _ in range(chance.randint(1, 6)):
        line = writer.stdout.readline()
        if not line:
            break
        done.append(json.loads(line))
    time.sleep(chance.uniform(0, 0.03))  # into the middle of the next one
    writer.send_signal(signal.SIGKILL)
    done += [json.loads(line) for line in writer.stdout if line.endswith("\n")]
    writer.wait()
    writer.stdout.close()
    return done


def fresh(folder, secret, names=PEOPLE):
    people = store_people(folder, *names, passphrase=secret)
    for person in people[::5]:
        keep(folder, person, f"said by {person.name}", seal=Seal(secret) if secret else None)
    return {person.name for person in people}


def opened(folder, *secrets):
    """The gallery with the first of these passphrases that opens everything."""
    for secret in secrets:
        attempts.note(str(folder), right=True)  # nobody guesses here
        gallery = Gallery.open(folder, secret)
        try:
            gallery.speakers()
        except GalleryError:
            continue
        return gallery, secret
    raise AssertionError("no passphrase opens the folder")


def legible(folder, secrets):
    """Which of these can be read in any file, temporaries of the killed writer included."""
    contents = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    return [secret for secret in secrets if any(secret in content for content in contents)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_writer_killed_at_any_moment(tmp_path, kind):
    for round_ in range(max(1, KILLS // len(KINDS))):
        folder = tmp_path / str(round_)
        secret = SECRET if round_ % 2 else ""
        before = fresh(folder, secret)
        people = Gallery.open(folder, secret).speakers()
        rows = [row.tobytes()[:24] for person in people for row in person.embeddings]
        done = kill_at_random(folder, kind, round_, secret)
        secrets = [secret]
        if kind == "passphrase":
            made = len(done) + 1
            secrets = [f"passphrase {round_} {made}" if made % 3 else "", *reversed(done), secret]
        elif secret:
            own = [f"New {round_} ".encode(), b"kept_at", b"embeddings"]
            assert legible(folder, [b"Person", *own, b"said by", b"I agree", *rows]) == []
        gallery, secret = opened(folder, *secrets)  # without the lock, as a reader sees it
        names = {person.name for person in gallery.speakers()}
        if kind in CHECKS:
            CHECKS[kind](gallery, people, round_, done)
        else:
            check(kind, before, names, done, secret, secrets)
        assert gallery.damaged == []
        for person in gallery.speakers():
            for recording in gallery.recordings(person.name):
                assert len(recording.samples) >= 16_000
        result = examine_folder(folder, repair=True, passphrase=secret)
        assert result.left == [] and result.people == len(names)
        assert examine_folder(folder, passphrase=secret).findings == []
        assert {person.name for person in Gallery.open(folder, secret).speakers()} == names
        assert len(gallery.audit()) >= len(done)
        kept = {owner for owner in gallery.recording_counts()}
        assert kept <= {person.id for person in gallery.speakers()}


def check(kind, before, names, done, secret, secrets):
    """What was acknowledged is there, and at most one change more."""
    if kind == "enroll":
        assert names >= before | set(done) and len(names) <= len(before) + len(done) + 1
    elif kind in ("remove", "merge"):
        gone = before - names
        assert set(done) <= gone <= before and len(gone) <= len(done) + 1 and not names - before
    elif kind == "rename":
        assert len(names) == len(before) and len(before - names) <= 1
        if done:  # that name, or the next one
            stem, number = done[-1].rsplit("-", 1)
            assert done[-1] in names or f"{stem}-{int(number) + 1}" in names
    else:
        assert names == before and (secret == secrets[0] or secret == (done or secrets[-1:])[-1])


def check_move_exemplar(gallery, people, seed, done):
    """The exemplar and its recording are with the same one of the two, and nothing else moved."""
    one, other = (gallery.get(person.name) for person in people[:2])
    rows = sorted(row.tobytes() for person in (one, other) for row in person.embeddings)
    assert rows == sorted(row.tobytes() for person in people[:2] for row in person.embeddings)
    has, has_not = (one, other) if len(one.embeddings) == 3 else (other, one)
    assert len(has.embeddings) + len(has_not.embeddings) == 6
    assert (has is other) in {number % 2 == 1 for number in (len(done), len(done) + 1)}
    (kept,) = gallery.recordings(has.name)
    assert kept.id in has.recordings and gallery.recordings(has_not.name) == []
    assert has.consent.keep_recordings and not any(has_not.recordings)
    assert {person.name for person in gallery.speakers()} == {person.name for person in people}


def check_load(gallery, people, seed, done):
    """Each of the two in a file was taken wholly, recording and all, or not at all."""
    last = (done or [0])[-1]
    new = {f"New {seed} {i}" for i in range(1, last + 2)}
    names = {person.name for person in gallery.speakers()}
    assert new - {f"New {seed} {last + 1}"} <= names <= new | {p.name for p in people} | {f"Imported {seed}"}
    for person in gallery.speakers():
        if person.name.startswith(("New", "Imported")):
            (kept,) = gallery.recordings(person.name)
            assert {kept.source} == set(person.sources) and {kept.id} == set(person.recordings)
        if person.name.startswith("Imported"):
            assert person.sources[0] in (f"take {last}", f"take {last + 1}")


def check_reembed(gallery, people, seed, done):
    """All of the voiceprint is of one model, the last one acknowledged or the next; the recording stays."""
    person = gallery.get(f"New {seed} Alice")
    number = int(person.model.removeprefix("number-"))
    assert number in (len(done), len(done) + 1)
    assert (person.embeddings @ Numbered(number).direction() > 0.9).all()
    (kept,) = gallery.recordings(person.name)
    assert set(person.recordings) == {kept.id}


CHECKS = {"move_exemplar": check_move_exemplar, "load": check_load, "reembed": check_reembed}


def test_two_processes_enrolling_two_hundred_each_at_once(tmp_path):
    folder = tmp_path / "voiceprints"
    count = 200 if KILLS >= 200 else 40
    writers = [start(folder, "enroll", seed, "") for seed in (1, 2)]
    for writer in writers:
        threading.Thread(target=lambda writer=writer: read_and_stop(writer, count)).start()
    assert [writer.wait(300) for writer in writers] == [-signal.SIGTERM] * 2
    names = {person.name for person in Gallery.open(folder, "").speakers()}
    assert names >= {f"New {seed} {i}" for seed in (1, 2) for i in range(count)}
    assert examine_folder(folder, repair=True, passphrase="").left == []


def read_and_stop(writer, count):
    for _ in range(count):
        writer.stdout.readline()
    writer.terminate()
    writer.stdout.close()
