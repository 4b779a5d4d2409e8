"""Corrections: two people into one, single exemplars; whole or not at all, and nothing lost."""

from dataclasses import replace

import numpy as np
import pytest
from people import KEPT, keep, rows_of, voiceprint

from speakerid.errors import GalleryError
from speakerid.gallery import MAX_EXEMPLARS, Gallery
from speakerid.gallery.opening import open_store
from speakerid.gallery.voiceprint import unit


@pytest.fixture
def folder(place):
    return place


def store(folder, *people):
    store = open_store(folder)
    with store.locked():
        for person in people:
            store.put(person)
    return Gallery.open(folder)


def alike(name, seed, **more):
    """Somebody whose exemplars are all of one voice."""
    person = voiceprint(name, seed, **more)
    voice = np.random.default_rng(999).standard_normal(192)
    return replace(person, embeddings=unit(voice + 0.5 * person.embeddings * 192**0.5))


def names(gallery):
    return [person.name for person in gallery.speakers()]


def test_merging_joins_exemplars_and_deletes_the_other_file(folder):
    gallery = store(folder, alike("Anna", 1), alike("Anna Lena", 2, exemplars=4), voiceprint("Bob", 3))
    into = gallery.get("Anna")
    merged = gallery.merge("anna lena", "ANNA")
    assert names(gallery) == ["Anna", "Bob"] and merged.id == gallery.get("Anna").id == into.id
    assert len(gallery.get("Anna").embeddings) == 7
    assert len([file for file in rows_of(folder) if file.endswith(".safetensors")]) == 2


def test_merging_keeps_a_varied_few(folder):
    gallery = store(folder, alike("Anna", 1, exemplars=8), alike("Anne", 2, exemplars=8))
    assert len(gallery.merge("Anne", "Anna").embeddings) == MAX_EXEMPLARS


def test_merging_brings_kept_recordings_and_the_later_consent(folder):
    anna, anne = alike("Anna", 1), alike("Anne", 2)
    anne = replace(anne, consent=replace(anne.consent, given_at="2027-01-01T00:00:00+00:00"))
    gallery = store(folder, anna, anne)
    keep(folder, anna, "kitchen")
    keep(folder, anne, "garden")
    gallery.merge("Anne", "Anna")
    assert gallery.get("Anna").consent == replace(anne.consent, keep_recordings=True)
    assert gallery.get("Anna").earlier_consents == (anna.consent,)
    assert sorted(recording.source for recording in gallery.recordings("Anna")) == ["garden", "kitchen"]
    assert gallery.recording_counts() == {anna.id: 2}


def test_merging_is_refused_where_it_would_spoil(folder):
    gallery = store(folder, voiceprint("Anna", 1), voiceprint("Bob", 2), voiceprint("Cem", 3, model="m2"))
    before = gallery.revision()
    for one, other, says in (
        ("Anna", "Bob", "do not sound like one person"),
        ("Anna", "anna", "with itself"),
        ("Anna", "Cem", "cannot be compared"),
        ("Anna", "Dora", "Nobody called"),
        ("Dora", "Anna", "Nobody called"),
    ):
        with pytest.raises(GalleryError, match=says):
            gallery.merge(one, other)
    assert gallery.revision() == before
    gallery.merge("Anna", "Bob", force=True)
    assert names(gallery) == ["Bob", "Cem"]


def test_an_exemplar_moves_to_somebody_else(folder):
    gallery = store(folder, voiceprint("Anna", 1), voiceprint("Bob", 2))
    row = gallery.get("Anna").embeddings[1]
    gallery.move_exemplar("Anna", 1, "Bob")
    anna, bob = gallery.get("Anna"), gallery.get("Bob")
    assert len(anna.embeddings) == 2 and (bob.embeddings[-1] == row).all()
    assert not (anna.embeddings == row).all(axis=1).any()


def test_a_recording_follows_its_last_exemplar(folder):
    anna = replace(voiceprint("Anna", 1), recordings=(KEPT, KEPT, ""))
    gallery = store(folder, anna, voiceprint("Bob", 2))
    keep(folder, anna, "kitchen", KEPT)
    gallery.move_exemplar("Anna", 0, "Bob")
    assert (len(gallery.recordings("Anna")), len(gallery.recordings("Bob"))) == (1, 0)
    gallery.move_exemplar("Anna", 0, "Bob")
    assert (len(gallery.recordings("Anna")), len(gallery.recordings("Bob"))) == (0, 1)
    gallery.remove_exemplar("Bob", 4)
    assert len(gallery.recordings("Bob")) == 1
    gallery.remove_exemplar("Bob", 3)
    assert gallery.recordings("Bob") == [] and not any(
        file.endswith(".recording") for file in rows_of(folder)
    )


def test_exemplars_that_cannot_be_moved_or_removed_are_refused(folder):
    full = voiceprint("Full", 3, exemplars=MAX_EXEMPLARS)
    gallery = store(
        folder, voiceprint("Anna", 1), voiceprint("Bob", 2, exemplars=1), full, voiceprint("X", 5, model="m2")
    )
    before = gallery.revision()
    for name, index, to, says in (
        ("Anna", 3, "Bob", "no exemplar number 4: choose from 1 to 3"),
        ("Anna", -1, "Bob", "no exemplar number 0"),
        ("Bob", 0, "Anna", "only exemplar"),
        ("Anna", 0, "Full", "as many as there may be"),
        ("Anna", 0, "anna", "already one of"),
        ("Anna", 0, "X", "cannot be compared"),
    ):
        with pytest.raises(GalleryError, match=says):
            gallery.move_exemplar(name, index, to)
    with pytest.raises(GalleryError, match="only exemplar"):
        gallery.remove_exemplar("Bob", 0)
    with pytest.raises(GalleryError, match="no exemplar"):
        gallery.remove_exemplar("Anna", 7)
    assert gallery.revision() == before


def test_removing_deletes_kept_recordings_too(folder):
    anna, bob = voiceprint("Anna", 1), voiceprint("Bob", 2)
    gallery = store(folder, anna, bob)
    keep(folder, anna, "kitchen")
    keep(folder, bob, "garden")
    gallery.rename("Anna", "Anne")
    assert len(gallery.recordings("Anne")) == 1
    gallery.remove("Anne")
    assert gallery.recording_counts() == {bob.id: 1}
    assert gallery.remove_recordings("Bob") == 1
    assert gallery.recording_counts() == {} and names(gallery) == ["Bob"]
