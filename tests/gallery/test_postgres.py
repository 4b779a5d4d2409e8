"""Several processes on one PostgreSQL, which may end in the middle of anything; and moving to it and back."""

import json
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from people import keep, rows_of, store_people, voiceprint
from support.postgres import Server
from test_kills import read_and_stop, start

from speakerid.cli import main
from speakerid.errors import GalleryError
from speakerid.gallery import Gallery
from speakerid.gallery.moving import copy_gallery
from speakerid.gallery.sealing import Seal

DATA = Path(__file__).with_name("data")


def put(gallery, name, seed):
    with gallery.store.locked():
        person = voiceprint(name, seed)
        gallery.commit("enroll", [person.id], [person])


def test_a_change_is_known_to_all_within_a_second(postgres):
    place = postgres.place("three")
    watching = [Gallery.open(place, "") for _ in range(2)]
    assert [gallery.speakers() for gallery in watching] == [[], []]
    code = (
        "import sys; from people import voiceprint; from speakerid.gallery import Gallery; "
        "g = Gallery.open(sys.argv[1], ''); p = voiceprint('Anna');\n"
        "with g.store.locked(): g.commit('enroll', [p.id], [p])\n"
        "import time; print(time.time())"
    )
    here = Path(__file__).parent
    paths = f"{here}:{here.parent}:{here.parents[1]}"
    writer = subprocess.Popen(
        [sys.executable, "-c", code, place], env={"PYTHONPATH": paths}, stdout=subprocess.PIPE, text=True
    )
    seen = {}
    while len(seen) < 2 and writer.poll() in (None, 0):
        for number, gallery in enumerate(watching):
            if number not in seen and [person.name for person in gallery.speakers()] == ["Anna"]:
                seen[number] = time.time()
        time.sleep(0.01)
    written = float(writer.stdout.read())
    writer.stdout.close()
    assert len(seen) == 2
    print("seen after", [round(when - written, 3) for when in seen.values()])


def test_three_processes_make_four_hundred_changes_and_all_are_exact(postgres):
    place = postgres.place("many")
    writers = [start(place, "enroll", seed, "") for seed in (1, 2, 3)]
    readers = [threading.Thread(target=read_and_stop, args=(writer, 134)) for writer in writers]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    for writer in writers:
        writer.wait(60)
    gallery = Gallery.open(place, "")
    names = {person.name for person in gallery.speakers()}
    assert names >= {f"New {seed} {i}" for seed in (1, 2, 3) for i in range(134)}
    assert set(gallery.recording_counts()) == {person.id for person in gallery.speakers()}
    assert len(gallery.audit()) == len(names) and gallery.damaged == []


def test_a_server_that_is_killed_amid_writes_loses_nothing_that_was_acknowledged():
    server = Server()
    try:
        gallery = Gallery.open(server.place("killed"), "")
        done, told, end = [], [], threading.Event()

        def write():
            number = 0
            while len(done) < 200:
                number += 1
                try:
                    put(gallery, f"Person {number}", number)
                    done.append(f"Person {number}")
                except GalleryError as error:
                    told.append(str(error))
                    time.sleep(0.05)
            end.set()

        writer = threading.Thread(target=write)
        writer.start()
        for count in (20, 60):
            while len(done) < count and not end.is_set():
                time.sleep(0.01)
            server.kill()
            server.restart()
        writer.join()
        names = {person.name for person in gallery.speakers()}
        assert set(done) <= names and len(names - set(done)) <= 2  # made, and its word lost with the server
        assert len(done) == 200 and len(gallery.audit()) == len(names)
        assert all("is tried again by itself" in sentence for sentence in told)
    finally:
        server.stop()


def test_a_gallery_moves_to_a_server_and_back_unchanged(postgres, tmp_path, capsys):
    for kind, secret in (("plain", ""), ("sealed", "correct horse")):
        folder = tmp_path / kind
        shutil.copytree(DATA / kind, folder)
        place = postgres.place(f"moved_{kind}")
        moved = copy_gallery(folder, place, secret)
        assert rows_of(place) == rows_of(folder) and moved.recordings == 2
        copy_gallery(place, tmp_path / f"{kind} back", secret)
        assert rows_of(tmp_path / f"{kind} back") == rows_of(folder)
        people = json.loads((DATA / f"{kind}.json").read_text())
        assert {p.name for p in Gallery.open(tmp_path / f"{kind} back", secret).speakers()} == people.keys()
    with pytest.raises(GalleryError, match="already: move to an empty place"):
        copy_gallery(folder, place, secret)
    with pytest.raises(GalleryError, match="does not open"):
        copy_gallery(folder, postgres.place("wrong"), "battery staple")
    assert main(["move", str(tmp_path / "plain"), postgres.place("by_command")]) == 0
    assert "5 people, 2 kept recordings and 0 kept sessions are there now" in capsys.readouterr().out


def test_an_encrypted_gallery_shows_nothing_to_who_reads_the_server(postgres):
    place = postgres.place("sealed")
    (anna,) = store_people(place, "Anna", passphrase="correct horse")
    keep(place, anna, "kitchen", seal=Seal("correct horse"))
    assert not any(text in row for row in rows_of(place).values() for text in (b"Anna", b"kitchen", b"agree"))
