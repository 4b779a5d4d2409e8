"""Encryption, export and import: nothing readable without the passphrase, nothing lost on the way."""

import struct
import zipfile

import pytest
from people import delete_row, put_row, rows_of, store_people, voiceprint

from speakerid.errors import GalleryError
from speakerid.gallery import Gallery, attempts, portable
from speakerid.gallery.doctor import examine_folder
from speakerid.gallery.sealing import Locked, Seal, WrongSeal
from speakerid.gallery.voiceprint import to_bytes

CEM = "0123456789abcdef.safetensors"
OLD, NEW = "correct horse", "battery staple"


@pytest.fixture(autouse=True)
def no_passphrase_around(monkeypatch):
    monkeypatch.delenv("SPEAKERID_PASSPHRASE", raising=False)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "voiceprints"


def names(folder, passphrase=""):
    return [person.name for person in Gallery.open(folder, passphrase).speakers()]


def bytes_of(folder):
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file())


def test_with_a_passphrase_nothing_can_be_read_in_the_folder(folder):
    store_people(folder, "Annabella", passphrase=OLD)
    stored = bytes_of(folder)
    person = voiceprint("Annabella", 0)
    for secret in (b"Annabella", person.embeddings.tobytes()[:16], b"model-1", b"I agree", b"embeddings"):
        assert secret not in stored
    (read,) = Gallery.open(folder, OLD).speakers()
    assert read.name == "Annabella" and (read.embeddings == person.embeddings).all()


def test_a_wrong_or_missing_passphrase_is_refused_and_nothing_touched(folder, monkeypatch):
    store_people(folder, "Anna", passphrase=OLD)
    before = rows_of(folder)
    with pytest.raises(GalleryError, match="does not open the voiceprints"):
        names(folder, NEW)
    with pytest.raises(GalleryError, match="encrypted: set SPEAKERID_PASSPHRASE"):
        names(folder)
    for passphrase in (NEW, ""):
        with pytest.raises(GalleryError):
            Gallery.open(folder, passphrase).remove("Anna")
    with pytest.raises(GalleryError, match="at least 8 characters"):
        Gallery.open(folder, "short")
    assert rows_of(folder) == before
    monkeypatch.setenv("SPEAKERID_PASSPHRASE", OLD)
    assert [person.name for person in Gallery.open(folder).speakers()] == ["Anna"]


def test_a_wrong_passphrase_is_refused_although_a_file_is_in_clear(folder, monkeypatch):
    monkeypatch.setattr(attempts, "FREE", 9)
    store_people(folder, "Anna", "Bob", passphrase=OLD)
    put_row(folder, CEM, to_bytes(voiceprint("Cem", 9)))
    before = rows_of(folder)
    with pytest.raises(GalleryError, match="does not open the voiceprints"):
        names(folder, NEW)
    for change in (
        lambda g: g.rename("Cem", "Can"),
        lambda g: g.remove("Cem"),
        lambda g: g.change_passphrase(""),
    ):
        with pytest.raises(GalleryError, match="does not open the voiceprints"):
            change(Gallery.open(folder, NEW))
    assert rows_of(folder) == before
    assert names(folder, OLD) == ["Anna", "Bob", "Cem"]
    assert Gallery.open(folder, OLD).in_clear == [CEM] and Gallery.open(folder, OLD).damaged == []


def test_whoever_tries_passphrases_waits_by_whatever_door(folder, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(attempts.time, "monotonic", lambda: clock[0])
    store_people(folder, "Anna", passphrase=OLD)
    for number in range(3):
        gallery = Gallery.open(folder, f"guess number {number}")
        for _ in range(5):  # asked again by a page that runs again, it is the same guess
            with pytest.raises(Locked, match="does not open"):
                gallery.speakers()
    for door in (
        lambda: names(folder, "guess number 4"),
        lambda: names(folder, OLD),
        lambda: Gallery.open(folder, "").unlock(OLD),
        lambda: examine_folder(folder, passphrase=OLD),
    ):
        with pytest.raises(Locked, match="Too many wrong passphrases: wait 2 seconds"):
            door()
    clock[0] += 2
    assert names(folder, OLD) == ["Anna"]
    with pytest.raises(Locked, match="does not open"):
        names(folder, "guess number 5")


def with_a_stranger(folder):
    """Anna, and Bob, whose file another passphrase opens."""
    store_people(folder, "Anna", passphrase=OLD)
    put_row(folder, CEM, Seal(NEW).close(to_bytes(voiceprint("Bob", 9))))
    return CEM


def test_nothing_is_changed_while_a_file_needs_another_passphrase(folder):
    bob = with_a_stranger(folder)
    before = rows_of(folder)
    gallery = Gallery.open(folder, OLD)
    assert names(folder, OLD) == ["Anna"] and [damaged.file for damaged in gallery.damaged] == [bob]
    for change in (
        lambda: gallery.rename("Anna", "Anne"),
        lambda: gallery.remove("Anna"),
        lambda: gallery.change_passphrase(NEW + NEW),
    ):
        with pytest.raises(GalleryError, match=f'passphrase.*"{bob}".*move'):
            change()
    assert rows_of(folder) == before
    delete_row(folder, bob)
    gallery.rename("Anna", "Anne")


def test_doctor_leaves_what_another_passphrase_may_open(folder):
    bob = with_a_stranger(folder)
    (anna,) = Gallery.open(folder, OLD).speakers()
    recording = f"{anna.id}.0123456789abcdef.recording"
    put_row(folder, recording, Seal(NEW).close(b"a recording"))
    left = examine_folder(folder, repair=True, passphrase=OLD).left
    assert [finding.remedy.startswith("To do: use the passphrase") for finding in left] == [True, True]
    assert {bob, recording} <= rows_of(folder).keys() and not (folder / "set-aside").exists()


def test_doctor_moves_away_what_was_certainly_changed_and_the_passphrase_can_be_changed(folder):
    store_people(folder, "Anna", "Bob", passphrase=OLD)
    file = f"{Gallery.open(folder, OLD).get('Anna').id}.safetensors"
    put_row(folder, file, rows_of(folder)[file][:-1] + b"x")
    Gallery.open(folder, OLD).rename("Bob", "Bert")
    with pytest.raises(GalleryError, match=f'"{file}".*doctor --repair'):
        Gallery.open(folder, OLD).change_passphrase(NEW)
    examine_folder(folder, repair=True, passphrase=OLD)
    assert list((folder / "set-aside").glob(f"*{file}"))
    assert Gallery.open(folder, OLD).change_passphrase(NEW) == 1 and names(folder, NEW) == ["Bert"]


def test_what_a_killed_export_left_is_deleted_by_the_next_one(folder, tmp_path):
    store_people(folder, "Anna")
    left = tmp_path / ".people.0123456789abcdef.tmp"
    other = tmp_path / ".people.notes.tmp"
    for path in (left, other):
        path.write_bytes(b"Anna")
    steps = []
    Gallery.open(folder, "").export(tmp_path / "people")
    assert not left.exists() and other.exists()
    Gallery.open(tmp_path / "there", "").load(
        tmp_path / "people", "model-1", progress=lambda *step: steps.append(step)
    )
    assert steps == [(0, 1, "Anna"), (1, 1, "")]


def test_exporting_nobody_makes_no_folder(tmp_path):
    with pytest.raises(GalleryError, match="Nobody is enrolled"):
        Gallery.open(tmp_path / "nowhere", "").export(tmp_path / "people")
    assert list(tmp_path.iterdir()) == []


def test_whether_a_folder_is_encrypted_can_be_asked_without_the_passphrase(folder):
    assert not Gallery.is_encrypted(folder)
    store_people(folder, "Anna")
    assert not Gallery.is_encrypted(folder)
    store_people(folder, "Anna", passphrase=OLD)
    assert Gallery.is_encrypted(folder)


def test_a_flipped_bit_is_noticed_and_named(folder):
    store_people(folder, "Anna", "Bob", passphrase=OLD)
    file = f"{Gallery.open(folder, OLD).get('Anna').id}.safetensors"
    content = rows_of(folder)[file]
    for position in (8, 30, 100, len(content) - 1):
        put_row(folder, file, content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
        gallery = Gallery.open(folder, OLD)
        assert [person.name for person in gallery.speakers()] == ["Bob"]
        assert [damaged.file for damaged in gallery.damaged] == [file]


def test_turning_on_changing_and_turning_off(folder):
    store_people(folder, "Anna", "Bob")
    assert Gallery.open(folder, "").change_passphrase(OLD) == 2
    assert b"Anna" not in bytes_of(folder) and names(folder, OLD) == ["Anna", "Bob"]
    Gallery.open(folder, OLD).change_passphrase(NEW)
    assert names(folder, NEW) == ["Anna", "Bob"]
    with pytest.raises(GalleryError):
        names(folder, OLD)
    Gallery.open(folder, NEW).change_passphrase("")
    assert names(folder) == ["Anna", "Bob"] and b"Anna" in bytes_of(folder)


def test_the_same_content_never_looks_the_same_twice():
    seal = Seal(OLD)
    first, second = seal.close(b"hello"), seal.close(b"hello")
    assert first != second and seal.open(first) == Seal(OLD).open(second) == b"hello"
    for broken in (first[:-1], first[:20], first[:8], first + b"x"):
        with pytest.raises(WrongSeal):
            seal.open(broken)


def test_export_and_import_bring_people_elsewhere(folder, tmp_path):
    store_people(folder, "Anna", "Bob", "Çelik")
    file = tmp_path / "people.zip"
    assert Gallery.open(folder).export(file) == 3
    other = Gallery.open(tmp_path / "other")
    result = other.load(file, "model-1")
    assert (result.added, result.refused) == (["Anna", "Bob", "Çelik"], {})
    mine, theirs = Gallery.open(folder).get("Bob"), other.get("Bob")
    assert (mine.embeddings == theirs.embeddings).all() and mine.consent == theirs.consent
    assert mine.id != theirs.id and file.stat().st_mode & 0o077 == 0
    assert Gallery.open(folder).export(file, ["bob"]) == 1


def test_import_refuses_clashes_and_other_models_and_adds_the_rest(folder, tmp_path):
    file = tmp_path / "people.zip"
    store_people(folder, "Anna", "Bob")
    Gallery.open(folder).export(file)
    store_people(tmp_path / "other", "ANNA")
    other = Gallery.open(tmp_path / "other")
    result = other.load(file, "model-1")
    assert result.added == ["Bob"] and "is enrolled already" in result.refused["Anna"]
    before = other.get("Anna").id
    assert other.load(file, "model-1", same_name="replace").added == ["Anna", "Bob"]
    assert (other.get("Anna").name, other.get("Anna").id) == ("Anna", before)
    elsewhere = Gallery.open(tmp_path / "third")
    assert "made by the model model-1" in elsewhere.load(file, "model-2").refused["Anna"]
    assert elsewhere.speakers() == []


def test_a_damaged_export_adds_who_is_whole(folder, tmp_path):
    file = tmp_path / "people.zip"
    store_people(folder, "Anna", "Bob")
    Gallery.open(folder).export(file)
    content = bytearray(file.read_bytes())
    content[1500] ^= 1  # inside the first member
    file.write_bytes(content)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("../../evil.safetensors", b"evil")
    result = Gallery.open(tmp_path / "other").load(file, "model-1")
    assert result.added == ["Bob"] and set(result.refused) == {"0.safetensors", "../../evil.safetensors"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "people.zip", "voiceprints"]


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04", b"PK\x05\x06" + b"\xff" * 18])
def test_what_is_no_export_is_refused(folder, tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(GalleryError, match="not a file of exported people"):
        Gallery.open(folder).load(tmp_path / "file", "model-1")
    with pytest.raises(GalleryError, match="cannot be read"):
        Gallery.open(folder).load(tmp_path / "nowhere", "model-1")
    with pytest.raises(GalleryError, match="nothing to export"):
        Gallery.open(folder).export(tmp_path / "out")


def test_one_part_that_is_listed_thousands_of_times_is_refused_at_once(folder, tmp_path):
    store_people(folder, "Anna")
    content = Gallery.open(folder).export_bytes()
    at, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    listed = content[at:end] * 30_000
    told = struct.pack("<HHII", 30_000, 30_000, len(listed), at)
    spoilt = content[:at] + listed + content[end : end + 8] + told + content[end + 20 :]
    with pytest.raises(GalleryError, match="one thing many times"):
        Gallery.open(folder).look_into(spoilt)


def test_a_file_of_too_many_parts_is_refused_before_they_are_listed(folder, monkeypatch):
    store_people(folder, "Anna", "Bob", "Cem")
    content = Gallery.open(folder).export_bytes()
    monkeypatch.setattr(portable, "MAX_MEMBERS", 2)
    monkeypatch.setattr(portable.zipfile, "ZipFile", None)
    with pytest.raises(GalleryError, match="holds too much"):
        Gallery.open(folder).look_into(content)


def test_an_encrypted_export_opens_with_its_passphrase_only(folder, tmp_path):
    file = tmp_path / "people"
    store_people(folder, "Annabella")
    Gallery.open(folder).export(file, passphrase=OLD)
    assert b"Annabella" not in file.read_bytes()
    other = Gallery.open(tmp_path / "other")
    with pytest.raises(GalleryError, match="is encrypted"):
        other.load(file, "model-1")
    with pytest.raises(GalleryError, match="does not open"):
        other.load(file, "model-1", passphrase=NEW)
    assert other.load(file, "model-1", passphrase=OLD).added == ["Annabella"]
