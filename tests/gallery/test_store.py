"""The store of voiceprints: whole or absent, whoever writes, whatever breaks; on SQLite and PostgreSQL."""

import os
import resource
import threading
import time
from dataclasses import replace

import pytest
from people import keep, store_people, voiceprint

from speakerid.errors import GalleryError
from speakerid.gallery import Gallery
from speakerid.gallery.opening import open_store
from speakerid.gallery.voiceprint import from_bytes, to_bytes


def names(place):
    return [person.name for person in Gallery.open(place).speakers()]


def until(what):
    """Wait for what others changed: on a server, word of it takes a moment."""
    deadline = time.monotonic() + 10
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def put(place, one, content):
    """Put a row there as it is, past all checks."""
    store = open_store(place)
    with store.locked():
        store.write_raw({f"{one}.safetensors": content})


def test_what_was_stored_comes_back(place):
    stored = voiceprint("José 👩‍🚀")
    store = open_store(place)
    with store.locked():
        store.put(stored)
    (read,) = Gallery.open(place).speakers()
    assert (read.embeddings == stored.embeddings).all() and (read.seconds == stored.seconds).all()
    same = {"embeddings": stored.embeddings, "seconds": stored.seconds}
    assert repr(replace(read, **same)) == repr(stored)
    assert read.seconds_total == 9.0
    assert float(read.centroid @ read.centroid) == pytest.approx(1)


def test_people_are_sorted_by_name_and_found_in_any_case(place):
    store_people(place, "bob", "Anna", "Çelik")
    assert names(place) == ["Anna", "bob", "Çelik"]
    assert Gallery.open(place).get("BOB").name == "bob"


def test_nobody_of_that_name_says_who_there_is(place):
    store_people(place, "Anna", "Bob")
    with pytest.raises(GalleryError, match=r'Nobody called "Bo" is enrolled .there is "Bob", "Anna".'):
        Gallery.open(place).get("Bo")


def test_rename_may_change_only_the_case_but_not_take_a_name(place):
    store_people(place, "Anna", "Bob")
    Gallery.open(place).rename("Anna", "ANNA")
    with pytest.raises(GalleryError, match='already somebody called "Bob"'):
        Gallery.open(place).rename("ANNA", "bob")
    assert names(place) == ["ANNA", "Bob"]


def test_every_flipped_byte_is_noticed(place):
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


def test_revision_changes_with_every_change_and_only_then(place):
    gallery = Gallery.open(place)
    seen = [gallery.revision()]

    def look():
        until(lambda: gallery.revision() != seen[-1])
        seen.append(gallery.revision())

    store_people(place, "Anna", "Bob")
    look()
    for _ in range(5):
        Gallery.open(place).rename("Anna", "Anne")
        look()
        Gallery.open(place).rename("Anne", "Anna")
        look()
    Gallery.open(place).remove("Bob")
    look()
    assert len(set(seen)) == len(seen)
    gallery.speakers()
    assert gallery.revision() == seen[-1]


def test_a_gallery_that_is_open_sees_what_others_write(place):
    gallery = Gallery.open(place)
    store_people(place, "Anna")
    until(lambda: [person.name for person in gallery.speakers()] == ["Anna"])
    Gallery.open(place).remove("Anna")
    until(lambda: gallery.speakers() == [])


def test_remove_deletes_the_row_and_hidden_doubles(place):
    store_people(place, "Anna", "Bob")
    put(place, "copy", to_bytes(voiceprint("ANNA", 7)))
    assert "same name" in Gallery.open(place).damaged[0].reason
    Gallery.open(place).remove("anna")
    gallery = Gallery.open(place)
    assert names(place) == ["Bob"] and gallery.damaged == []


def test_rename_keeps_the_voice(place):
    store_people(place, "Anna", "Bob")
    before = Gallery.open(place).get("Anna")
    Gallery.open(place).rename("Anna", "anna-Lena")
    after = Gallery.open(place).get("anna-lena")
    assert after.id == before.id and (after.embeddings == before.embeddings).all()
    assert names(place) == ["anna-Lena", "Bob"]


def test_the_store_itself_refuses_what_it_could_not_read_back(place):
    anna = voiceprint("Anna")
    consent = anna.consent
    rows = anna.embeddings
    for bad in (
        replace(anna, consent=None),
        replace(anna, consent=replace(consent, text=" ")),
        replace(anna, consent=replace(consent, version=2)),
        replace(anna, consent=replace(consent, text="x" * 10_001)),
        replace(anna, embeddings=rows * 2),
        replace(anna, embeddings=rows * float("nan")),
        replace(anna, embeddings=rows[:0]),
        replace(anna, seconds=anna.seconds * float("inf")),
        replace(anna, seconds=anna.seconds * 0 + 3e38),
        replace(anna, created="2026\x00"),
        replace(anna, name="a\nb"),
    ):
        store = open_store(place)
        with pytest.raises(GalleryError), store.locked():
            store.put(bad)
    assert names(place) == []


def cut(content):
    return content[:-100]


def flipped(content):
    return content[:-500] + bytes([content[-500] ^ 1]) + content[-499:]


def of_version_9(content):
    return content.replace(b'"version":"2"', b'"version":"9"')


def without_metadata(content):
    header = b'{"__metadata__":null}'
    return len(header).to_bytes(8, "little") + header


def deep_description(content):
    import hashlib

    from safetensors.numpy import save

    text = "[" * 100_000
    digest = hashlib.sha256(text.encode()).hexdigest()
    told = {"format": "speakerid-voiceprint", "version": "2", "voiceprint": text, "sha256": digest}
    return save({}, told)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (cut, "damaged or cut off"),
        (lambda content: b"", "damaged or cut off"),
        (lambda content: b"hello " * 100, "damaged or cut off"),
        (lambda content: (100_000).to_bytes(8, "little") + b"[" * 100_000, "damaged or cut off"),
        (without_metadata, "not a voiceprint"),
        (deep_description, "incomplete"),
        (flipped, "checksum"),
        (lambda content: content.replace(b"I agree", b"i agree"), "checksum"),
        (of_version_9, "version 9"),
    ],
)
def test_a_damaged_row_costs_that_one_person_and_stays(place, damage, says):
    anna, _ = store_people(place, "Anna", "Bob")
    put(place, anna.id, damage(to_bytes(anna)))
    gallery = Gallery.open(place)
    assert [person.name for person in gallery.speakers()] == ["Bob"]
    (damaged,) = gallery.damaged
    assert damaged.file == f"{anna.id}.safetensors" and says in damaged.reason
    gallery.rename("Bob", "Bobby")
    gallery.remove("Bobby")
    assert len(gallery.damaged) == 1


@pytest.mark.parametrize("damage", [cut, flipped, of_version_9])
def test_removing_a_person_removes_damaged_rows_that_show_the_name(place, damage):
    name = 'Ann "Ä\\" O\'Neill'
    damaged, other = store_people(place, name, "Annabella")
    put(place, damaged.id, damage(to_bytes(damaged)))
    put(place, other.id, damage(to_bytes(other)))
    store = open_store(place)
    with store.locked():
        store.put(voiceprint(name, 77))
    Gallery.open(place).remove(name)
    assert [one.file for one in Gallery.open(place).damaged] == [f"{other.id}.safetensors"]


def test_a_writer_that_does_not_end_is_waited_for_and_then_named(place):
    store_people(place, "Anna")
    held, let_go = threading.Event(), threading.Event()

    def hold():
        with open_store(place).locked():
            held.set()
            let_go.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    start = time.monotonic()
    with pytest.raises(GalleryError, match="Another program has been writing"), open_store(place).locked(0.3):
        pass
    assert 0.3 <= time.monotonic() - start < 12  # not the 15 s of a caller who names no limit
    let_go.set()
    holder.join()
    Gallery.open(place).rename("Anna", "Anne")


def test_a_change_that_fails_half_way_is_undone_as_a_whole(place):
    store_people(place, "Anna")
    store = open_store(place)
    with pytest.raises(ZeroDivisionError), store.locked():
        store.put(voiceprint("Bob", 5))
        assert [person.name for person in store.read().people.values()] == ["Anna", "Bob"]
        _ = 1 / 0
    assert [person.name for person in store.read().people.values()] == ["Anna"] == names(place)


def test_only_what_changed_is_read_again(place):
    store = open_store(place)
    with store.locked():
        for seed in range(500):
            store.write_raw({f"{seed:016x}.safetensors": to_bytes(voiceprint(f"Person {seed}", seed))})
    gallery = Gallery.open(place)
    first = {person.id: person for person in gallery.speakers()}
    assert len(first) == 500
    Gallery.open(place).rename("Person 7", "Somebody")
    second = {person.id: person for person in gallery.speakers()}
    assert second.keys() == first.keys()
    assert [person.name for one, person in second.items() if person is not first[one]] == ["Somebody"]


# The folder of SQLite.


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "voiceprints"


def test_files_are_for_their_owner_only_also_in_a_folder_that_was_there(folder):
    folder.mkdir(mode=0o755)
    store_people(folder, "Anna")
    assert {path.stat().st_mode & 0o077 for path in [folder, *folder.iterdir()]} == {0}


def test_a_folder_that_is_not_there_is_empty_and_stays_absent(folder):
    gallery = Gallery.open(folder)
    assert gallery.speakers() == [] and gallery.damaged == []
    assert not folder.exists()


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "voiceprints").write_text("")
    with pytest.raises(GalleryError, match="not a folder"):
        Gallery.open(tmp_path / "voiceprints").speakers()


def test_a_folder_that_is_renamed_away_is_told_and_not_begun_anew(folder):
    store_people(folder, "Anna")
    gallery = Gallery.open(folder)
    assert gallery.speakers()
    folder.rename(folder.with_name("elsewhere"))
    for look in (gallery.speakers, gallery.revision, lambda: gallery.rename("Anna", "Anne")):
        with pytest.raises(GalleryError, match="are gone"):
            look()
    folder.with_name("elsewhere").rename(folder)
    assert [person.name for person in gallery.speakers()] == ["Anna"]


def test_nothing_of_a_removed_person_is_left_in_any_file(folder):
    anna, _ = store_people(folder, "Anna Unmistakable", "Bob")
    keep(folder, anna, "a kitchen like no other")
    gallery = Gallery.open(folder)
    (kept,) = gallery.recordings(anna.name)
    content = gallery.store.recording_bytes(next(iter(gallery.store.recordings()[anna.id])))
    looked_for = [b"Unmistakable", b"kitchen like", anna.embeddings.tobytes()[:64], content[-64:]]

    def legible():
        files = [path.read_bytes() for path in folder.iterdir() if path.is_file()]
        return [text for text in looked_for if any(text in file for file in files)]

    assert len(legible()) == 4 and kept.samples.size
    gallery.rename(anna.name, "Anna")
    assert b"Unmistakable" not in legible()
    gallery.remove("Anna")
    assert legible() == [] and names(folder) == ["Bob"]


def test_a_disk_that_cannot_be_written_is_a_sentence(folder):
    store_people(folder, "Anna")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limit[1]))
    try:
        with pytest.raises(GalleryError, match=r"cannot be (written|read) "):
            Gallery.open(folder).rename("Anna", "Anne")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert names(folder) == ["Anna"]


def test_a_file_that_is_no_database_is_a_sentence(folder):
    folder.mkdir()
    (folder / "voiceprints.sqlite").write_bytes(os.urandom(5000))
    with pytest.raises(GalleryError, match=r"is damaged .*backup"):
        Gallery.open(folder).speakers()


# The address of PostgreSQL.


def test_a_server_that_is_not_there_is_a_sentence_without_the_password():
    with pytest.raises(GalleryError, match=r"cannot be read .*check that it runs") as refused:
        Gallery.open("postgresql://me:secret-word@127.0.0.1:9/none").speakers()
    assert "secret-word" not in str(refused.value)


def test_an_address_of_something_else_is_refused():
    with pytest.raises(GalleryError, match="no kind of database"):
        Gallery.open("mysql://me@here/db")
