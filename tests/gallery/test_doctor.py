"""`doctor` finds what is wrong with a folder and puts it right without losing anything."""

import os
from dataclasses import replace

import pytest
from people import keep, old_format, store_people, voiceprint

from speakerid.errors import GalleryError
from speakerid.gallery import Gallery, journal
from speakerid.gallery.doctor import examine_folder
from speakerid.gallery.sealing import Seal
from speakerid.gallery.store import FolderStore
from speakerid.gallery.voiceprint import VERSION, to_bytes

SECRET = "correct horse"


@pytest.fixture
def folder(tmp_path):
    """Anna and Bob, and a recording of Anna."""
    folder = tmp_path / "voiceprints"
    anna, _ = store_people(folder, "Anna", "Bob")
    keep(folder, anna, "kitchen")
    return folder


def path_of(folder, name="Anna"):
    return folder / f"{Gallery.open(folder).get(name).id}.safetensors"


def everything(folder):
    """All contents, wherever they are."""
    return {path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name[0] != "."}


def found_and_repaired(folder, says, *, passphrase="", model=None):
    """What doctor says, before and after; nothing is lost, and it is in order then."""
    before = {content for content in everything(folder) if b'"whom"' not in content}
    (told,) = [f for f in examine_folder(folder, model, passphrase=passphrase).left if says in f.what]
    assert told.remedy.startswith("With --repair: ") and not told.repaired
    repaired = examine_folder(folder, model, repair=True, passphrase=passphrase)
    (done,) = [f for f in repaired.findings if says in f.what]
    assert done.repaired and done.remedy.startswith("Done: ")
    again = examine_folder(folder, model, passphrase=passphrase)
    assert again.left == []
    return before, again


def test_a_folder_in_order_is_left_alone(folder):
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    for repair in (False, True):
        result = examine_folder(folder, "model-1", repair=repair)
        assert (result.findings, result.people, result.recordings) == ([], 2, 1)
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_no_folder_is_told(tmp_path):
    with pytest.raises(GalleryError, match="There is no folder"):
        examine_folder(tmp_path / "nowhere")


def test_a_damaged_voiceprint_is_set_aside_with_its_recordings(folder):
    path = path_of(folder)
    content = bytearray(path.read_bytes())
    content[-500] ^= 1
    path.write_bytes(content)
    before, after = found_and_repaired(folder, "does not match its checksum")
    assert before <= everything(folder) and (after.people, after.recordings) == (1, 0)
    assert len(list((folder / "damaged").iterdir())) == 2
    assert (folder / "damaged").stat().st_mode & 0o077 == 0
    assert [f.harmless for f in after.findings] == [True]  # that something is set aside


def test_what_is_no_file_or_half_a_file_is_set_aside(folder):
    (folder / "dddddddddddddddd.safetensors").write_bytes(path_of(folder).read_bytes()[:1000])
    (folder / "eeeeeeeeeeeeeeee.safetensors").symlink_to("nowhere")
    os.mkfifo(folder / "ffffffffffffffff.safetensors")
    result = examine_folder(folder, repair=True)
    assert sorted(f.repaired for f in result.findings) == [True] * len(result.findings)
    assert len(os.listdir(folder / "damaged")) == 3 and examine_folder(folder).left == []


def test_the_older_of_two_files_of_one_name_is_set_aside(folder):
    (folder / "aaaaaaaaaaaaaaaa.safetensors").write_bytes(to_bytes(voiceprint("ANNA", 9)))
    before, after = found_and_repaired(folder, "holds the same name")
    assert before <= everything(folder) and after.people == 2
    Gallery.open(folder).remove("Anna")
    assert [path.name for path in (folder / "damaged").iterdir()] == []


def test_a_voiceprint_without_consent_is_set_aside(folder):
    bob = Gallery.open(folder).get("Bob")
    content = to_bytes(replace(bob, consent=replace(bob.consent, text="x")))
    from speakerid.gallery.packed import pack, unpack

    held = unpack("voiceprint", content)
    held.about["consent"]["text"] = ""
    path_of(folder, "Bob").write_bytes(pack("voiceprint", VERSION, held.about, held.tensors))
    _, after = found_and_repaired(folder, "Consent is missing")
    assert after.people == 1


def test_leftovers_of_killed_writers_are_cleared_and_finished(folder):
    (folder / ".0123456789abcdef.tmp").write_bytes(b"half")
    _, after = found_and_repaired(folder, "temporary files are left")
    assert after.people == 2 and not (folder / ".0123456789abcdef.tmp").exists()


def test_a_change_that_was_under_way_is_finished(folder, monkeypatch):
    monkeypatch.setattr(journal, "_apply", lambda *_: None)  # killed just after the journal appeared
    Gallery.open(folder).remove("Anna")
    monkeypatch.undo()
    assert len(list(folder.glob("*.safetensors"))) == 2
    assert [person.name for person in Gallery.open(folder).speakers()] == ["Bob"]
    _, after = found_and_repaired(folder, "killed in the middle of a change to 2 files")
    assert (after.people, after.recordings) == (1, 0) and len(list(folder.glob("*.safetensors"))) == 1


def test_a_damaged_journal_is_named_and_set_aside(folder):
    (folder / ".journal").write_bytes(b'{"version": 1, "replace": {}, "gone": ["../../x"], "sha256": ""}')
    with pytest.raises(GalleryError, match=r"doctor --repair"):
        Gallery.open(folder).speakers()
    found_and_repaired(folder, "The journal")
    assert len(Gallery.open(folder).speakers()) == 2 and (folder / "damaged" / "journal").exists()


def test_recordings_of_nobody_and_damaged_ones_are_set_aside(folder):
    keep(folder, voiceprint("Nobody", 50), "garden")
    before, after = found_and_repaired(folder, "belongs to nobody")
    assert before <= everything(folder) and after.recordings == 1
    (file,) = folder.glob("*.recording")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(GalleryError, match=f'"{file.name}" cannot be used.*checksum'):
        Gallery.open(folder).recordings("Anna")
    before, after = found_and_repaired(folder, "cannot be used")
    assert before <= everything(folder) and after.recordings == 0 and after.people == 2


def test_files_that_others_may_read_are_closed(folder):
    folder.chmod(0o755)
    path_of(folder).chmod(0o644)
    found_and_repaired(folder, "Other users of this computer may open 2 files or folders")
    assert [path.stat().st_mode & 0o077 for path in (folder, path_of(folder))] == [0, 0]


def test_an_older_format_is_read_and_written_anew(folder):
    old = old_format(voiceprint("Cem", 4))
    (folder / "cccccccccccccccc.safetensors").write_bytes(old)
    cem = Gallery.open(folder).get("Cem")
    assert (cem.version, cem.recordings, cem.consent.keep_recordings) == ("1", ("", "", ""), False)
    found_and_repaired(folder, "1 voiceprints are in an older format")
    now = Gallery.open(folder).get("Cem")
    assert now.version == VERSION and (now.embeddings == cem.embeddings).all() and now.updated == cem.updated


def test_a_file_of_a_newer_version_is_left_alone(folder):
    path = path_of(folder)
    path.write_bytes(path.read_bytes().replace(f'"version":"{VERSION}"'.encode(), b'"version":"9"'))
    result = examine_folder(folder, repair=True)
    (finding,) = result.left
    assert "version 9" in finding.what and finding.remedy == "To do: update this program." and path.exists()
    assert result.recordings == 1


def test_people_of_another_model_are_told(folder):
    (finding,) = examine_folder(folder, "model-2", repair=True).left
    assert "2 people were enrolled with another model (model-1)" in finding.what
    assert "reembed" in finding.remedy


def test_files_that_are_not_encrypted_are_sealed(folder):
    found_and_repaired(folder, "3 files are not encrypted", passphrase=SECRET)
    assert not any(b"Anna" in content for content in everything(folder))
    assert len(Gallery.open(folder, SECRET).recordings("Anna")) == 1
    with pytest.raises(GalleryError, match="does not open"):
        examine_folder(folder, passphrase="battery staple")
    with pytest.raises(GalleryError, match="encrypted: set"):
        examine_folder(folder, passphrase="")


def test_a_writer_at_work_is_told_and_nothing_repaired(folder):
    with FolderStore(folder).locked():
        (finding,) = examine_folder(folder).left
        assert "Another program has been writing" in finding.what
        with pytest.raises(GalleryError, match="Another program has been writing"):
            examine_folder(folder, repair=True)


def test_a_flipped_bit_in_a_sealed_recording_is_named(folder):
    Gallery.open(folder, "").change_passphrase(SECRET)
    (file,) = folder.glob("*.recording")
    content = bytearray(file.read_bytes())
    content[100] ^= 4
    file.write_bytes(content)
    (finding,) = examine_folder(folder, passphrase=SECRET).left
    assert file.name in finding.what and "was changed" in finding.what


def test_what_was_set_aside_is_sealed_too_and_deleted_with_its_person(folder, monkeypatch):
    (folder / "aaaaaaaaaaaaaaaa.safetensors").write_bytes(to_bytes(voiceprint("ANNA", 9)))
    path = path_of(folder, "Bob")
    path.write_bytes(path.read_bytes()[:-1])
    examine_folder(folder, repair=True)
    assert len(list((folder / "damaged").iterdir())) == 3  # Bob, the older Anna and her recording
    monkeypatch.setattr(journal, "_apply", lambda *_: None)  # killed just after the journal appeared
    Gallery.open(folder, "").change_passphrase(SECRET)
    monkeypatch.undo()
    assert [person.name for person in Gallery.open(folder, SECRET).speakers()] == ["ANNA"]
    examine_folder(folder, repair=True, passphrase=SECRET)
    assert not any(b"Bob" in content or b"Anna" in content for content in everything(folder))
    Gallery.open(folder, SECRET).remove("Anna")
    (left,) = (folder / "damaged").iterdir()
    assert left.name == path.name


@pytest.mark.parametrize(
    "name", ["../x", "/x", "a/b", "..", ".", "damaged/..", "damaged/../x", "", "damaged/"]
)
def test_a_journal_that_leads_elsewhere_is_refused(folder, name):
    (folder / ".journal").write_bytes(journal._to_bytes(journal.Pending({}, frozenset([name]))))
    with pytest.raises(journal.DamagedJournal):
        journal.finish(folder)


def test_a_seal_is_taken_from_the_passphrase_alone(folder):
    Gallery.open(folder, "").change_passphrase(SECRET)
    assert examine_folder(folder, passphrase=SECRET).left == []
    assert FolderStore(folder, Seal(SECRET)).read().damaged == ()
