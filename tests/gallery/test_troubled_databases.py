"""A database that cannot be used: one sentence on the command line, from the REST API and on the page."""

import os
import sqlite3
from http import HTTPStatus

import pytest
from dashboard.pages import open_page, said
from people import store_people, voiceprint

from speakerid.cli import main
from speakerid.errors import GalleryError
from speakerid.gallery import Gallery
from speakerid.gallery import store as stores
from speakerid.gallery.opening import open_store
from speakerid.gallery.serialization import pack, unpack
from speakerid.rest.refusals import refusal_of

FILE = "voiceprints.sqlite"


def newer(folder):
    with sqlite3.connect(folder / FILE) as driver:
        driver.execute("UPDATE speakerid_state SET version = 99")
    driver.close()


def changed_pages(folder):
    content = (folder / FILE).read_bytes()
    (folder / FILE).write_bytes(content[:4096] + os.urandom(len(content) - 4096))


def other_file(folder):
    (folder / FILE).write_text("not a database " * 1000)


def folder_in_its_place(folder):
    (folder / FILE).unlink()
    (folder / FILE).mkdir()


TROUBLES = [
    (newer, "newer version of this program", HTTPStatus.SERVICE_UNAVAILABLE),
    (changed_pages, "is damaged .* put a backup in its place", HTTPStatus.SERVICE_UNAVAILABLE),
    (other_file, "is damaged .* put a backup in its place", HTTPStatus.SERVICE_UNAVAILABLE),
    (folder_in_its_place, "cannot be read .* check its permissions", HTTPStatus.SERVICE_UNAVAILABLE),
]


@pytest.mark.parametrize(("trouble", "sentence", "status"), TROUBLES)
def test_a_database_that_cannot_be_used_is_a_sentence_at_every_door(
    tmp_path, capsys, monkeypatch, trouble, sentence, status
):
    folder = tmp_path / "voiceprints"
    store_people(folder, "Anna", "Ben")
    with sqlite3.connect(folder / FILE) as driver:
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    driver.close()
    for beside in folder.glob(f"{FILE}-*"):
        beside.unlink()
    trouble(folder)
    for command in (["speakers"], ["rename", "Anna", "Ada"], ["remove", "Anna"], ["doctor"]):
        assert main([*command, "--voiceprints", str(folder)]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("speakerid: ")
    with pytest.raises(GalleryError, match=sentence) as caught:
        Gallery.open(folder, "").speakers()
    assert refusal_of(caught.value).status == status
    page = open_page("1_Enroll.py", folder, monkeypatch)
    assert str(caught.value)[:40] in said(page)


def test_a_damaged_consent_costs_that_person_alone_and_is_told_at_every_door(tmp_path, capsys, monkeypatch):
    """One whose version is a number was once stored, and could not be read again."""
    folder = tmp_path / "voiceprints"
    _, ben = store_people(folder, "Anna", "Ben")
    gallery, file = Gallery.open(folder, ""), f"{ben.id}.safetensors"
    held = unpack("voiceprint", gallery.store.raw(file))
    held.about["consent"]["version"] = 1
    with gallery.store.locked():
        gallery.store.write_raw({file: pack("voiceprint", held.version, held.about, held.tensors)})
    assert main(["speakers", "--json", "--voiceprints", str(folder)]) == 0
    said_there = capsys.readouterr()
    assert "Anna" in said_there.out and "Ben" not in said_there.out
    (line,) = said_there.err.splitlines()
    assert file in line and "its description is incomplete" in line
    assert main(["doctor", "--voiceprints", str(folder)]) == 1
    assert file in capsys.readouterr().out
    assert [one.file for one in gallery.damaged] == [file]  # so the REST API has it
    assert file in said(open_page("", folder, monkeypatch))
    gallery.rename("Anna", "Ada")


def test_a_database_on_a_network_folder_is_told_with_the_remedy_where_somebody_writes(
    tmp_path, capsys, monkeypatch
):
    folder = tmp_path / "voiceprints"
    store = open_store(folder)
    store.put(voiceprint("Anna"))
    store.close()
    for module in ("gallery", "sqlite"):
        monkeypatch.setattr(f"speakerid.gallery.{module}.network_file_system", lambda _: "cifs")
    assert main(["rename", "Anna", "Ada", "--voiceprints", str(folder)]) == 0
    line, *_ = capsys.readouterr().err.splitlines()
    assert "network file system (cifs)" in line and "PostgreSQL" in line
    driver = sqlite3.connect(folder / FILE)
    assert driver.execute("PRAGMA journal_mode").fetchone() != ("wal",), "WAL works on one machine only"
    driver.close()
    assert "network file system (cifs)" in said(open_page("1_Enroll.py", folder, monkeypatch))


def test_a_database_that_another_program_holds_is_waited_for_then_told(tmp_path, monkeypatch):
    """As `BEGIN EXCLUSIVE` in the sqlite3 shell does; readers are never kept."""
    folder = tmp_path / "voiceprints"
    store_people(folder, "Anna")
    gallery = Gallery.open(folder, "")
    holder = sqlite3.connect(folder / FILE, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    assert [person.name for person in gallery.speakers()] == ["Anna"]
    with (
        pytest.raises(GalleryError, match="Another program has been writing") as caught,
        gallery.store.locked(timeout=0.2),
    ):
        raise AssertionError
    assert refusal_of(caught.value).status == HTTPStatus.SERVICE_UNAVAILABLE
    holder.execute("ROLLBACK")
    holder.close()
    gallery.rename("Anna", "Ada")
    assert stores.LOCK_SECONDS >= 10, "so long a change waits for it"
