"""Importing people whose names are taken: a look first, then what was decided for each of them."""

from dataclasses import replace

import numpy as np
import pytest
from people import keep, recording, store_people, voiceprint

from speakerid.errors import GalleryError
from speakerid.gallery import Gallery, kept_recording
from speakerid.gallery.names import MAX_NAME_LENGTH, clean_name, free_name, name_key
from speakerid.gallery.opening import open_store
from speakerid.gallery.portable import Portable, packed_people
from speakerid.gallery.voiceprint import unit

ONE, TWO = "1" * 16, "2" * 16


@pytest.fixture(autouse=True)
def no_passphrase_around(monkeypatch):
    monkeypatch.delenv("SPEAKERID_PASSPHRASE", raising=False)


@pytest.fixture
def folder(tmp_path):
    """Anna, with a kept recording, and Bob."""
    anna, _ = store_people(tmp_path / "voiceprints", "Anna", "Bob")
    keep(tmp_path / "voiceprints", anna, "kitchen", ONE)
    store = open_store(tmp_path / "voiceprints")
    with store.locked():
        store.put(replace(anna, recordings=(ONE, "", ""), sources=("kitchen", "hall", "hall")))
    return tmp_path / "voiceprints"


def near(name: str, seed: int, shift: int, **more):
    """Somebody whose exemplars are near those of `voiceprint(name, seed)`, yet of other recordings."""
    person = voiceprint(name, seed)
    noise = np.random.default_rng(shift).standard_normal(person.embeddings.shape)
    return replace(person, embeddings=unit(person.embeddings + 0.02 * noise), **more)


def exported(*people, **kept) -> bytes:
    """A file with these people; `kept` are the contents of recordings of the first one, by their ids."""
    return packed_people([Portable(p, kept if p is people[0] else {}) for p in people], None)


def names(gallery: Gallery) -> list[str]:
    return [person.name for person in gallery.speakers()]


def test_a_look_tells_who_is_in_a_file_and_changes_nothing(folder):
    content = exported(voiceprint("ANNA", 5), voiceprint("Cem", 6, model="other"), voiceprint("Anna 2", 7))
    before = sorted((path.name, path.read_bytes()) for path in folder.iterdir())
    arrivals, damaged = Gallery.open(folder).look_into(content)
    assert damaged == {}
    assert [(one.name, one.model, one.enrolled, one.other_name) for one in arrivals] == [
        ("ANNA", "model-1", "Anna", "ANNA 3"),
        ("Cem", "other", "", ""),
        ("Anna 2", "model-1", "", ""),
    ]
    assert sorted((path.name, path.read_bytes()) for path in folder.iterdir()) == before


def test_nobody_takes_a_name_without_being_told_to(folder):
    gallery = Gallery.open(folder)
    content = exported(voiceprint("Anna", 5), voiceprint("Bob", 6), voiceprint("Cem", 7))
    result = gallery.load(content, "model-1", same_name={"Bob": "both"})
    assert result.added == ["Bob 2", "Cem"] and set(result.refused) == {"Anna"}
    assert names(gallery) == ["Anna", "Bob", "Bob 2", "Cem"]
    assert np.array_equal(gallery.get("Bob 2").embeddings, voiceprint("Bob", 6).embeddings)
    assert np.array_equal(gallery.get("Anna").embeddings, voiceprint("Anna", 0).embeddings)


def test_both_are_kept_under_the_name_that_was_promised(folder):
    gallery = Gallery.open(folder)
    content = exported(voiceprint("Bob", 5), voiceprint("Bob", 6), voiceprint("Bob 2", 7))
    promised = [one.other_name or one.name for one in gallery.look_into(content)[0]]
    assert gallery.load(content, "model-1", same_name="both").added == promised == ["Bob 3", "Bob 4", "Bob 2"]


def test_two_of_one_voice_are_merged_with_their_recordings(folder):
    gallery = Gallery.open(folder)
    arriving = near("Anna", 0, 1, sources=("garden",) * 3, recordings=(TWO, "", ""))
    content = exported(arriving, **{TWO: kept_recording.to_bytes(recording("garden", TWO))})
    assert gallery.load(content, "model-1", same_name="merge").added == ["Anna"]
    anna = gallery.get("Anna")
    assert len(anna.embeddings) == 6 and anna.id == voiceprint("Anna", 0).id
    assert {kept.source for kept in gallery.recordings("Anna")} == {"kitchen", "garden"}
    assert anna.consent.keep_recordings and len(anna.earlier_consents) == 1


def test_what_is_there_already_comes_no_second_time(folder):
    gallery = Gallery.open(folder)
    before = gallery.get("Anna")
    content = gallery.export_bytes(["Anna"])
    assert gallery.load(content, "model-1", same_name="merge").added == ["Anna"]
    after = gallery.get("Anna")
    assert np.array_equal(after.embeddings, before.embeddings) and after.recordings == before.recordings
    assert gallery.recording_counts() == {before.id: 1}


def test_two_voices_are_not_merged(folder):
    gallery = Gallery.open(folder)
    result = gallery.load(exported(voiceprint("Anna", 5)), "model-1", same_name="merge")
    assert result.added == [] and "does not sound like" in result.refused["Anna"]
    assert np.array_equal(gallery.get("Anna").embeddings, voiceprint("Anna", 0).embeddings)


def test_too_many_recordings_are_not_merged(folder):
    gallery = Gallery.open(folder)
    ids = [f"{number:016x}" for number in range(kept_recording.MAX_RECORDINGS)]
    kept = {one: kept_recording.to_bytes(recording("garden", one)) for one in ids}
    arriving = near("Anna", 0, 1, recordings=(" ".join(ids), "", ""))
    result = gallery.load(exported(arriving, **kept), "model-1", same_name="merge")
    assert "more than 20 kept recordings" in result.refused["Anna"]
    assert len(gallery.recordings("Anna")) == 1


def test_who_is_replaced_leaves_nothing_behind(folder):
    gallery = Gallery.open(folder)
    arriving = replace(voiceprint("ANNA", 5), recordings=(TWO, "", ""))
    content = exported(arriving, **{TWO: kept_recording.to_bytes(recording("garden", TWO))})
    assert gallery.load(content, "model-1", same_name="replace").added == ["ANNA"]
    assert names(gallery) == ["ANNA", "Bob"]
    assert [kept.source for kept in gallery.recordings("ANNA")] == ["garden"]


def test_what_is_in_a_file_can_be_given_without_one(folder, tmp_path):
    gallery = Gallery.open(folder)
    steps = []
    content = gallery.export_bytes(passphrase="correct horse", progress=lambda *step: steps.append(step))
    assert steps == [(0, 2, "Anna"), (1, 2, "Bob"), (2, 2, "")]
    there = Gallery.open(tmp_path / "there")
    with pytest.raises(GalleryError, match="The file is encrypted"):
        there.look_into(content)
    with pytest.raises(GalleryError, match="does not open the file"):
        there.load(content, "model-1", passphrase="battery staple")
    assert there.load(content, "model-1", passphrase="correct horse").added == ["Anna", "Bob"]
    for broken in (b"", b"PK hello", content[:-1]):
        with pytest.raises(GalleryError, match=r"^The (file|passphrase)"):
            there.look_into(broken, "correct horse")


def test_a_free_name_is_one_that_can_be_used():
    assert free_name("Ada", {"ada", "ada 2"}) == "Ada 3"
    long = free_name("x" * MAX_NAME_LENGTH, {"x" * MAX_NAME_LENGTH})
    assert clean_name(long) == long and name_key(long) != "x" * MAX_NAME_LENGTH
