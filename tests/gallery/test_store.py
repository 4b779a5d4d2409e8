"""The folder of voiceprints: whole or absent, whoever writes, whatever breaks."""

import os
import re
import resource
import time
from dataclasses import replace

import pytest
from people import voiceprint

from speakerid.errors import GalleryError
from speakerid.gallery import Gallery
from speakerid.gallery.store import FolderStore
from speakerid.gallery.voiceprint import from_bytes, to_bytes


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "voiceprints"


def store_people(folder, *names, **more):
    store = FolderStore(folder)
    with store.locked():
        for seed, name in enumerate(names):
            store.put(voiceprint(name, seed, **more))


def names(folder):
    return [person.name for person in Gallery.open(folder).speakers()]


def files(folder):
    return sorted(folder.glob("*.safetensors"))


def test_what_was_stored_comes_back(folder):
    stored = voiceprint("José 👩‍🚀")
    store = FolderStore(folder)
    with store.locked():
        store.put(stored)
    (read,) = Gallery.open(folder).speakers()
    assert (read.embeddings == stored.embeddings).all() and (read.seconds == stored.seconds).all()
    same = {"embeddings": stored.embeddings, "seconds": stored.seconds}
    assert repr(replace(read, **same)) == repr(stored)
    assert read.seconds_total == 9.0
    assert float(read.centroid @ read.centroid) == pytest.approx(1)


def test_file_names_say_nothing_about_the_person(folder):
    store_people(folder, "../../Anna", "Bob/..")
    assert [re.fullmatch(r"[0-9a-f]{16}\.safetensors", path.name) is not None for path in files(folder)] == [
        True
    ] * 2
    assert list(folder.parent.iterdir()) == [folder]


def test_voiceprints_are_for_their_owner_only(folder):
    store_people(folder, "Anna")
    assert [path.stat().st_mode & 0o077 for path in [folder, *files(folder)]] == [0, 0]


def test_a_folder_that_is_not_there_is_empty_and_stays_absent(folder):
    gallery = Gallery.open(folder)
    assert gallery.speakers() == [] and gallery.damaged == []
    assert not folder.exists()


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "voiceprints").write_text("")
    with pytest.raises(GalleryError, match="not a folder"):
        Gallery.open(tmp_path / "voiceprints").speakers()


def test_people_are_sorted_by_name_and_found_in_any_case(folder):
    store_people(folder, "bob", "Anna", "Çelik")
    assert names(folder) == ["Anna", "bob", "Çelik"]
    assert Gallery.open(folder).get("BOB").name == "bob"


def test_nobody_of_that_name_says_who_there_is(folder):
    store_people(folder, "Anna", "Bob")
    with pytest.raises(GalleryError, match=r'Nobody called "Bo" is enrolled .there is "Anna", "Bob".'):
        Gallery.open(folder).get("Bo")


def test_remove_deletes_the_file_and_hidden_doubles(folder):
    store_people(folder, "Anna", "Bob")
    (folder / "copy.safetensors").write_bytes(to_bytes(voiceprint("ANNA", 7)))
    Gallery.open(folder).remove("anna")
    assert names(folder) == ["Bob"] and len(files(folder)) == 1


def test_rename_keeps_the_voice_and_the_file(folder):
    store_people(folder, "Anna", "Bob")
    before = Gallery.open(folder).get("Anna")
    Gallery.open(folder).rename("Anna", "anna-Lena")
    after = Gallery.open(folder).get("anna-lena")
    assert after.id == before.id and (after.embeddings == before.embeddings).all()
    assert names(folder) == ["anna-Lena", "Bob"]


def test_rename_may_change_only_the_case_but_not_take_a_name(folder):
    store_people(folder, "Anna", "Bob")
    Gallery.open(folder).rename("Anna", "ANNA")
    with pytest.raises(GalleryError, match='already somebody called "Bob"'):
        Gallery.open(folder).rename("ANNA", "bob")
    assert names(folder) == ["ANNA", "Bob"]


def test_the_store_itself_refuses_a_voiceprint_without_consent(folder):
    anna = voiceprint("Anna")
    for consent in (None, replace(anna.consent, text=" ")):
        with pytest.raises(GalleryError, match="Consent is missing"), FolderStore(folder).locked():
            FolderStore(folder).put(replace(anna, consent=consent))
    assert files(folder) == []


def test_the_store_refuses_numbers_that_cannot_be_scored(folder):
    anna = voiceprint("Anna")
    for rows in (anna.embeddings * 2, anna.embeddings * float("nan"), anna.embeddings[:0]):
        with pytest.raises(GalleryError), FolderStore(folder).locked():
            FolderStore(folder).put(replace(anna, embeddings=rows))
    assert files(folder) == []


def damage_cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def damage_empty(path):
    path.write_bytes(b"")


def damage_text(path):
    path.write_text("hello " * 100)


def damage_bit(path):
    content = bytearray(path.read_bytes())
    content[-500] ^= 1
    path.write_bytes(content)


def damage_consent(path):
    path.write_bytes(path.read_bytes().replace(b"I agree", b"i agree"))


def damage_huge(path):
    with path.open("r+b") as file:
        file.truncate(100_000_000)


def damage_pipe(path):
    path.unlink()
    os.mkfifo(path)


def damage_link(path):
    path.unlink()
    path.symlink_to(path.with_name("nowhere"))


def damage_version(path):
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"version":"2"', b'"version":"9"'))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (damage_cut, "damaged or cut off"),
        (damage_empty, "damaged or cut off"),
        (damage_text, "damaged or cut off"),
        (damage_bit, "checksum"),
        (damage_consent, "checksum"),
        (damage_huge, "too large"),
        (damage_pipe, "not a plain file"),
        (damage_link, "link to nothing"),
        (damage_version, "version 9"),
    ],
)
def test_a_damaged_file_costs_that_one_person_and_stays(folder, damage, says):
    store_people(folder, "Anna", "Bob")
    gallery = Gallery.open(folder)
    path = folder / f"{gallery.get('Anna').id}.safetensors"
    damage(path)
    assert [person.name for person in gallery.speakers()] == ["Bob"]
    (damaged,) = gallery.damaged
    assert damaged.file == path.name and says in damaged.reason
    gallery.rename("Bob", "Bobby")
    gallery.remove("Bobby")
    assert path.is_symlink() or path.exists()


@pytest.mark.parametrize("damage", [damage_cut, damage_bit, damage_consent, damage_version])
def test_removing_a_person_removes_damaged_files_that_show_the_name(folder, damage):
    name = 'Ann "Ä\\" O\'Neill'
    store_people(folder, name, "Annabella")
    damaged, other = (folder / f"{Gallery.open(folder).get(n).id}.safetensors" for n in (name, "Annabella"))
    damage(damaged)
    damage(other)
    with FolderStore(folder).locked():
        FolderStore(folder).put(voiceprint(name, 77))
    Gallery.open(folder).remove(name)
    assert not damaged.exists() and other.exists()


def test_every_flipped_byte_is_noticed(folder):
    content = to_bytes(voiceprint("Anna", exemplars=1))
    for position in range(0, len(content), 7):
        broken = bytearray(content)
        broken[position] ^= 0x10
        try:
            read = from_bytes(bytes(broken), "x")
        except GalleryError:
            continue
        # Only padding may change without effect.
        assert to_bytes(replace(read, id="x")) == content, position


def test_two_files_of_one_name_count_once_and_are_reported(folder):
    store_people(folder, "Anna")
    newer = replace(voiceprint("anna", 5), updated="2026-05-05T00:00:00+00:00")
    (folder / "copy.safetensors").write_bytes(to_bytes(newer))
    gallery = Gallery.open(folder)
    assert [person.name for person in gallery.speakers()] == ["anna"]
    assert "same name" in gallery.damaged[0].reason


def test_revision_changes_with_every_change_and_only_then(folder):
    gallery = Gallery.open(folder)
    seen = [gallery.revision()]
    store_people(folder, "Anna", "Bob")
    seen.append(gallery.revision())
    for _ in range(5):
        Gallery.open(folder).rename("Anna", "Anne")
        seen.append(gallery.revision())
        Gallery.open(folder).rename("Anne", "Anna")
        seen.append(gallery.revision())
    Gallery.open(folder).remove("Bob")
    seen.append(gallery.revision())
    assert len(set(seen)) == len(seen)
    gallery.speakers()
    assert gallery.revision() == seen[-1]


def test_a_gallery_that_is_open_sees_what_others_write(folder):
    gallery = Gallery.open(folder)
    store_people(folder, "Anna")
    assert gallery.get("Anna")
    Gallery.open(folder).remove("Anna")
    assert gallery.speakers() == []


def test_a_lock_that_is_held_is_waited_for_and_then_named(folder):
    with FolderStore(folder).locked():
        start = time.monotonic()
        with (
            pytest.raises(GalleryError, match="Another program has been writing"),
            FolderStore(folder).locked(0.3),
        ):
            pass
        assert 0.3 <= time.monotonic() - start < 12  # not the 15 s of a caller who names no limit


def test_what_a_killed_writer_left_is_cleared_by_the_next_one(folder):
    store_people(folder, "Anna")
    leftover = folder / ".0123.safetensors.abcd.tmp"
    leftover.write_bytes(b"half")
    Gallery.open(folder).rename("Anna", "Anne")
    assert not leftover.exists()


def test_a_disk_that_cannot_be_written_is_a_sentence(folder):
    store_people(folder, "Anna")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limit[1]))
    try:
        with pytest.raises(GalleryError, match=r"cannot be written .File too large."):
            Gallery.open(folder).rename("Anna", "Anne")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert names(folder) == ["Anna"] and len(list(folder.iterdir())) == 3  # file, lock, audit log


def test_only_what_changed_is_read_again(folder):
    people = [voiceprint(f"Person {seed}", seed, exemplars=10) for seed in range(2_000)]
    folder.mkdir()
    for person in people:
        (folder / f"{person.id}.safetensors").write_bytes(to_bytes(person))
    gallery = Gallery.open(folder)
    first = {person.id: person for person in gallery.speakers()}
    assert len(first) == 2_000
    Gallery.open(folder).rename("Person 7", "Somebody")
    second = {person.id: person for person in gallery.speakers()}
    assert second.keys() == first.keys()
    read_again = [person.name for id, person in second.items() if person is not first[id]]
    assert read_again == ["Somebody"]
