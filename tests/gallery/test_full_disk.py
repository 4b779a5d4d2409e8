"""Deleting works on a disk that is full; who may not read or write is told so."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from people import store_people

from speakerid.errors import GalleryError
from speakerid.gallery import Gallery

HERE = Path(__file__).parent


def run_on_its_own_disk(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script of this folder where `folder` is a file system of 3 MB, which nobody else sees."""
    paths = os.pathsep.join([str(HERE), str(HERE.parent), str(HERE.parents[1])])
    inside = f'mount -t tmpfs -o size=3m none "{folder}" && exec "{sys.executable}" "$@"'
    return subprocess.run(
        ["unshare", "-rm", "sh", "-c", inside, "sh", str(HERE / script), str(folder)],
        env={**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_everybody_can_be_deleted_from_a_disk_that_is_full(tmp_path):
    done = run_on_its_own_disk("full_disk.py", tmp_path)
    assert (done.stdout, done.returncode) == ("all deleted\n", 0), done.stderr


def test_a_disk_that_became_read_only_is_told_at_every_door(tmp_path):
    done = run_on_its_own_disk("read_only.py", tmp_path)
    assert (done.stdout, done.returncode) == ("told at every door\n", 0), done.stderr


AS_NOBODY = """
import os, sqlite3, sys
import sqlalchemy.dialects.sqlite
from speakerid.gallery import Gallery
from speakerid.errors import GalleryError
os.setgroups([]); os.setgid(65534); os.setuid(65534)
for do in (Gallery.speakers, lambda gallery: gallery.remove("Anna")):
    try:
        print([person.name for person in do(Gallery.open(sys.argv[1], "")) or ()])
    except GalleryError as error:
        print(error)
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root becomes somebody else")
@pytest.mark.parametrize(("folder_mode", "file_mode"), [(0o700, 0o600), (0o755, 0o600), (0o755, 0o644)])
def test_somebody_elses_folder_is_a_sentence_whatever_of_it_can_be_read(tmp_path, folder_mode, file_mode):
    for path in [tmp_path, *tmp_path.parents][:-2]:
        path.chmod(path.stat().st_mode | 0o755)
    folder = tmp_path / "voiceprints"
    store_people(folder, "Anna")
    folder.chmod(folder_mode)
    for file in folder.iterdir():
        file.chmod(file_mode)
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(folder)],
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1]), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    read, removed = done.stdout.splitlines()
    assert "check its permissions" in removed, removed
    assert "check its permissions" in read or read == "['Anna']"
    assert [person.name for person in Gallery.open(folder, "").speakers()] == ["Anna"]


def test_a_user_who_may_only_read_the_server_is_told_what_to_grant(postgres):
    place = postgres.place("granted")
    store_people(place, "Anna")
    with psycopg.connect(postgres.address, autocommit=True) as connection:
        connection.execute("CREATE ROLE reader LOGIN")
        connection.execute("GRANT USAGE ON SCHEMA granted TO reader")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA granted TO reader")
    gallery = Gallery.open(place.replace("speakerid@", "reader@"), "")
    assert [person.name for person in gallery.speakers()] == ["Anna"]
    with pytest.raises(GalleryError, match=r"does not let this user do that .*grant them"):
        gallery.remove("Anna")
    gallery.close()
