"""A folder of single files, as the version before SQLite kept it, becomes a database and loses nothing.

`data/plain` and `data/sealed` were made by that version; the JSON beside them says what is in them.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from speakerid.errors import GalleryError
from speakerid.gallery import Gallery
from speakerid.gallery.doctor import examine_folder
from speakerid.gallery.sealing import Locked

DATA = Path(__file__).with_name("data")
SECRETS = {"plain": "", "sealed": "correct horse"}


@pytest.fixture(params=["plain", "sealed"])
def old(request, tmp_path):
    folder = tmp_path / "voiceprints"
    shutil.copytree(DATA / request.param, folder)
    return request.param, folder


def told(gallery):
    return {
        p.name: [p.id, len(p.embeddings), sorted(kept.source for kept in gallery.recordings(p.name))]
        for p in gallery.speakers()
    }


def test_everything_is_there_afterwards(old):
    kind, folder = old
    before = {path.name: path.read_bytes() for path in (DATA / kind).iterdir()}
    gallery = Gallery.open(folder, SECRETS[kind])
    assert told(gallery) == json.loads((DATA / f"{kind}.json").read_text())
    assert gallery.damaged == []
    assert [line["what"] for line in gallery.audit()] == ["rename", "merge", "remove"]
    moved = {path.name: path.read_bytes() for path in (folder / "before-sqlite").iterdir()}
    assert moved == before
    assert sorted(path.name for path in folder.iterdir() if not path.name.endswith(("-wal", "-shm"))) == [
        "before-sqlite",
        "voiceprints.sqlite",
    ]
    gallery.rename("Bruno B.", "Bruno")
    assert told(Gallery.open(folder, SECRETS[kind])) == told(gallery) and "Bruno" in told(gallery)


def test_whoever_keeps_the_folder_is_told_of_the_old_files(old):
    kind, folder = old
    gallery = Gallery.open(folder, SECRETS[kind])
    (notice,) = gallery.notices()
    assert "before-sqlite" in notice and "delete that folder" in notice
    found = examine_folder(folder, passphrase=SECRETS[kind]).findings
    assert any("before-sqlite" in finding.what and finding.harmless for finding in found)
    shutil.rmtree(folder / "before-sqlite")
    assert gallery.notices() == []


def test_who_is_removed_is_removed_from_the_old_files_too(old):
    kind, folder = old
    gallery = Gallery.open(folder, SECRETS[kind])
    anna = gallery.get("Anna").id
    gallery.remove("Anna")
    assert not [path.name for path in folder.rglob("*") if anna in path.name]


def test_an_encrypted_folder_stays_locked_and_opens_with_its_passphrase(tmp_path):
    folder = tmp_path / "voiceprints"
    shutil.copytree(DATA / "sealed", folder)
    assert Gallery.is_encrypted(folder)
    with pytest.raises(Locked):
        Gallery.open(folder, "").speakers()
    with pytest.raises(Locked):
        Gallery.open(folder, "battery staple").speakers()
    gallery = Gallery.open(folder, "")
    gallery.unlock("correct horse")
    assert len(gallery.speakers()) == 4
    (weak,) = examine_folder(folder, passphrase="correct horse", repair=True).findings[-1:]
    assert "faster to guess" in weak.what and weak.repaired
    assert len(Gallery.open(folder, "correct horse").speakers()) == 4


def test_a_change_that_an_old_writer_had_made_but_not_finished_is_made(tmp_path):
    import hashlib

    folder = tmp_path / "voiceprints"
    shutil.copytree(DATA / "plain", folder)
    people = json.loads((DATA / "plain.json").read_text())
    anna, emil = (f"{people[name][0]}.safetensors" for name in ("Anna", "Emil"))
    os.rename(folder / anna, folder / ".0011.tmp")
    body = {"version": 1, "replace": {anna: ".0011.tmp"}, "gone": [emil], "contents": {}}
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    (folder / ".journal").write_text(json.dumps({**body, "sha256": digest}))
    assert told(Gallery.open(folder, "")) == {name: one for name, one in people.items() if name != "Emil"}


def test_a_file_that_cannot_be_read_at_this_moment_is_waited_for(tmp_path, monkeypatch):
    folder = tmp_path / "voiceprints"
    shutil.copytree(DATA / "plain", folder)
    read = Path.read_bytes

    def held(path):
        if path.name.startswith("4e27"):
            raise PermissionError(13, "a scanner holds it")
        return read(path)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", held)
        with pytest.raises(GalleryError, match=r"4e27.* cannot be read \(a scanner holds it\)"):
            Gallery.open(folder, "")
    assert len(Gallery.open(folder, "").speakers()) == 5


def test_a_file_that_is_held_while_it_is_moved_away_stops_nobody(tmp_path, monkeypatch):
    folder = tmp_path / "voiceprints"
    shutil.copytree(DATA / "plain", folder)
    (anna, *_) = json.loads((DATA / "plain.json").read_text())["Anna"]
    held = f"{anna}.safetensors"
    move, delete = os.replace, Path.unlink

    def refuse_to_move(source, target):
        if Path(source).name == held:
            raise PermissionError(13, "a scanner holds it")
        move(source, target)

    def refuse_to_delete(path, missing_ok=False):
        if path.name == held and path.exists():
            raise PermissionError(13, "a scanner holds it")
        delete(path, missing_ok)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", refuse_to_move)
        assert len(Gallery.open(folder, "").speakers()) == 5
        assert (folder / held).exists()
        patched.setattr(Path, "unlink", refuse_to_delete)
        with pytest.raises(GalleryError, match="a scanner holds it"):
            Gallery.open(folder, "").remove("Anna")
        assert len(Gallery.open(folder, "").speakers()) == 5, "nothing is half removed"
        patched.setattr(Path, "unlink", delete)
        Gallery.open(folder, "").remove("Anna")
        assert not (folder / held).exists()
    assert len(Gallery.open(folder, "").speakers()) == 4
    assert {path.name for path in folder.iterdir()} <= {
        "before-sqlite",
        "reserve",
        *(f"voiceprints.sqlite{end}" for end in ("", "-wal", "-shm")),
    }


@pytest.mark.parametrize("moment", range(1, 40, 3))
def test_killed_at_any_moment_and_opened_again(tmp_path, moment):
    folder = tmp_path / "voiceprints"
    shutil.copytree(DATA / "plain", folder)
    code = f"""
import os, signal, sys
count = 0
NAMES = ("_do_commit_impl", "do_commit", "do_execute", "_usable", "_read")
def step(frame, event, argument):
    global count
    if event == "call" and frame.f_code.co_name in NAMES:
        count += 1
        if count == {moment}:
            os.kill(os.getpid(), signal.SIGKILL)
    if event == "c_call" and argument.__name__ == "replace" and argument.__module__ == "posix":
        count += 1
        if count == {moment}:
            os.kill(os.getpid(), signal.SIGKILL)
from speakerid.gallery import Gallery
sys.setprofile(step)
Gallery.open({str(folder)!r}, "").speakers()
"""
    root = str(Path(__file__).parents[2])
    killed = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": root})
    assert killed.returncode in (0, -signal.SIGKILL) and (moment > 30 or killed.returncode)
    gallery = Gallery.open(folder, "")
    assert told(gallery) == json.loads((DATA / "plain.json").read_text())
    assert len(gallery.audit()) == 3
    assert len(list((folder / "before-sqlite").iterdir())) == len(list((DATA / "plain").iterdir()))


def test_two_that_open_it_at_once_take_it_over_once(tmp_path):
    folder = tmp_path / "voiceprints"
    shutil.copytree(DATA / "plain", folder)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(told(Gallery.open(folder, "")))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [json.loads((DATA / "plain.json").read_text())] * 4
    assert len(Gallery.open(folder, "").audit()) == 3
