"""`doctor`: what is wrong with a gallery, and putting right what can be without losing anything."""

from dataclasses import replace

import pytest
from people import CONSENT, keep, old_format, put_row, rows_of, store_people, voiceprint

from speakerid.errors import GalleryError
from speakerid.gallery import Gallery
from speakerid.gallery.doctor import examine_folder
from speakerid.gallery.opening import open_store
from speakerid.gallery.sealing import Seal
from speakerid.gallery.voiceprint import to_bytes

SECRET = "correct horse"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "voiceprints"


def whats(examination):
    return [finding.what for finding in examination.findings]


def test_a_gallery_in_order_has_no_findings(place):
    (anna,) = store_people(place, "Anna")
    keep(place, replace(anna, consent=CONSENT), "kitchen")
    found = examine_folder(place, "model-1")
    assert (found.findings, found.people, found.recordings) == ([], 1, 1)


def test_a_folder_that_is_not_there_is_told(folder):
    with pytest.raises(GalleryError, match="nobody was enrolled"):
        examine_folder(folder)


def test_what_is_damaged_is_moved_into_files_with_its_recordings(folder):
    anna, _bob = store_people(folder, "Anna", "Bob")
    file = keep(folder, anna, "kitchen")
    put_row(folder, f"{anna.id}.safetensors", b"half")
    (found,) = examine_folder(folder).left
    assert "damaged or cut off" in found.what and "with its recordings" in found.remedy
    assert examine_folder(folder, repair=True).left == [] == examine_folder(folder).findings
    aside = sorted(path.name.split("-")[1] for path in (folder / "set-aside").iterdir())
    assert aside == sorted([f"{anna.id}.safetensors", file])
    assert Gallery.open(folder).audit()[-1]["what"] == "repair"
    assert [name for name in rows_of(folder) if name.startswith(anna.id)] == []


def test_on_a_server_what_is_damaged_stays_where_it_is(postgres):
    place = postgres.place("damaged")
    store_people(place, "Anna")
    put_row(place, "00000000000000bb.safetensors", b"half")
    assert len(examine_folder(place, repair=True).left) == 1
    assert "00000000000000bb.safetensors" in rows_of(place)


def test_recordings_of_nobody_and_damaged_ones_are_moved_away(folder):
    (anna,) = store_people(folder, "Anna")
    keep(folder, voiceprint("Nobody", 9), "attic")
    put_row(folder, f"{anna.id}.0123456789abcdef.recording", b"half")
    assert any("belongs to nobody" in what for what in whats(examine_folder(folder)))
    assert len(examine_folder(folder, repair=True).findings) == 2
    assert examine_folder(folder).findings == [] and len(rows_of(folder)) == 1


def test_an_older_format_and_another_model_are_told(place):
    anna = voiceprint("Anna")
    put_row(place, f"{anna.id}.safetensors", old_format(anna))
    assert ["older format" in what for what in whats(examine_folder(place))] == [True]
    assert examine_folder(place, repair=True).left == [] == examine_folder(place).findings
    (found,) = examine_folder(place, "model-2").left
    assert "another model (model-1)" in found.what


def test_what_is_not_encrypted_is_encrypted(place):
    store_people(place, "Anna")
    assert any("not encrypted" in what for what in whats(examine_folder(place, passphrase=SECRET)))
    assert examine_folder(place, passphrase=SECRET, repair=True).left == []
    assert all(b"Anna" not in content for content in rows_of(place).values())
    assert [person.name for person in Gallery.open(place, SECRET).speakers()] == ["Anna"]


def test_rights_of_others_are_taken_away(folder):
    store_people(folder, "Anna")
    folder.chmod(0o755)
    (folder / "voiceprints.sqlite").chmod(0o644)
    assert "Other users" in whats(examine_folder(folder))[0]
    assert examine_folder(folder, repair=True).left == []
    assert folder.stat().st_mode & 0o077 == 0 == (folder / "voiceprints.sqlite").stat().st_mode & 0o077


def test_a_newer_row_and_another_passphrase_are_left_alone(folder):
    store_people(folder, "Anna", passphrase=SECRET)
    stranger = Seal("another passphrase").close(to_bytes(voiceprint("Bob", 5)))
    put_row(folder, "00000000000000aa.safetensors", stranger)
    newer = to_bytes(voiceprint("Cem", 6)).replace(b'"version":"2"', b'"version":"9"')
    put_row(folder, "00000000000000bb.safetensors", newer)
    before = rows_of(folder)
    left = examine_folder(folder, passphrase=SECRET, repair=True).left
    assert (
        len([finding for finding in left if "passphrase" in finding.remedy or "update" in finding.remedy])
        == 2
    )
    assert rows_of(folder).keys() == before.keys()


def test_a_network_folder_is_told_with_the_remedy(folder, monkeypatch):
    store_people(folder, "Anna")
    monkeypatch.setattr("speakerid.gallery.gallery.network_file_system", lambda folder: "cifs")
    (found,) = examine_folder(folder).left
    assert "cifs" in found.what and "postgresql://" in found.what
    assert open_store(folder).rows()
