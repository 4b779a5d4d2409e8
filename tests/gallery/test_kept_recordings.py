"""Recordings that are kept: only when ticked, sealed, brought along, and used for another model."""

import json
from dataclasses import replace

import numpy as np
import pytest
from people import CONSENT, keep, recording, store_people, voiceprint
from support import voices

from speakerid.errors import GalleryError
from speakerid.gallery import Gallery, kept_recording
from speakerid.gallery.kept_recording import MAX_RECORDINGS
from speakerid.gallery.opening import open_store
from speakerid.gallery.sealing import Seal

SECRET = "correct horse"


class Other:
    """The bundled model under another id, its numbers turned round: to others another model."""

    id = "other-model"

    def __init__(self, encoder):
        self._encoder = encoder

    def embed(self, blocks):
        return np.ascontiguousarray(self._encoder.embed(blocks)[:, ::-1])


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory, encoder):
    """Alice from two recordings that are kept, Bruno from one that is not."""
    folder = tmp_path_factory.mktemp("kept") / "voiceprints"
    gallery = Gallery.open(folder, "")
    one, two = voices.enrollment("Alice")
    gallery.enroll("Alice", [one, two], encoder, consent=CONSENT, sources=["a", "b"], keep_recordings=True)
    gallery.enroll("Bruno", voices.enrollment("Bruno")[:1], encoder, consent=CONSENT)
    return folder


@pytest.fixture
def folder(enrolled, tmp_path):
    """A copy of it."""
    folder = tmp_path / "voiceprints"
    folder.mkdir(mode=0o700)
    for path in enrolled.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def test_what_was_kept_is_what_was_said(folder, enrolled):
    gallery = Gallery.open(enrolled)
    alice, bruno = gallery.get("Alice"), gallery.get("Bruno")
    assert (alice.consent.keep_recordings, bruno.consent.keep_recordings) == (True, False)
    assert gallery.recording_counts() == {alice.id: 2} and gallery.recordings("Bruno") == []
    kept = {one.source: one for one in gallery.recordings("Alice")}
    for source, said in zip("ab", voices.enrollment("Alice"), strict=True):
        assert kept[source].samples.dtype == np.float32
        assert kept[source].samples == pytest.approx(np.clip(said, -1, 1), abs=2e-5)
        assert kept[source].consent == alice.consent
    assert {ids for ids in alice.recordings} == {kept["a"].id, kept["b"].id}
    assert all(kept[s].id == i for s, i in zip(alice.sources, alice.recordings, strict=True))
    files = [file for owned in gallery.store.recordings().values() for file in owned]
    size = sum(len(gallery.store.recording_bytes(file)) for file in files)
    assert len(files) == 2
    assert size < 0.8 * 2 * sum(map(len, voices.enrollment("Alice")))  # compressed
    assert all(path.stat().st_mode & 0o077 == 0 for path in enrolled.iterdir())


def test_nothing_is_kept_without_the_tick():
    for consent in (CONSENT, replace(CONSENT, text="")):
        with pytest.raises(GalleryError, match="did not agree"):
            kept_recording.to_bytes(replace(recording(), consent=consent))


@pytest.mark.parametrize("position", range(0, 4000, 97))
def test_a_flipped_bit_in_a_recording_is_noticed(position):
    content = bytearray(kept_recording.to_bytes(recording()))
    content[position] ^= 2
    with pytest.raises(GalleryError):
        kept_recording.from_bytes(bytes(content), "0" * 16)


def test_a_new_passphrase_seals_recordings_too(folder):
    Gallery.open(folder, "").change_passphrase(SECRET)
    stored = b"".join(path.read_bytes() for path in folder.iterdir())
    for secret in (b"fLaC", b"flac", b"I agree", b"Alice", b"kept_at"):
        assert secret not in stored
    assert len(Gallery.open(folder, SECRET).recordings("Alice")) == 2
    with pytest.raises(GalleryError, match=r"encrypted|does not open"):
        Gallery.open(folder, "").recordings("Alice")
    Gallery.open(folder, SECRET).change_passphrase("")
    assert len(Gallery.open(folder, "").recordings("Alice")) == 2


def test_another_model_makes_voiceprints_anew(folder, encoder):
    gallery, other, steps = Gallery.open(folder, ""), Other(encoder), []
    before = gallery.get("Alice")
    result = gallery.reembed(other, lambda *step: steps.append(step))
    assert result.done == ["Alice"] and list(result.left) == ["Bruno"]
    assert "No recordings were kept" in result.left["Bruno"] and "enroll again" in result.left["Bruno"]
    assert steps == [(0, 2, "Alice"), (1, 2, "Bruno"), (2, 2, "")]
    alice = gallery.get("Alice")
    assert (alice.model, alice.id, alice.consent) == (other.id, before.id, before.consent)
    # 16 bits change an embedding next to nothing; exemplars may come in another order.
    alike = alice.embeddings[:, ::-1] @ before.embeddings.T
    assert len(alike) == 10 and alike.max(axis=1) == pytest.approx(1, abs=1e-3)
    assert sorted(alice.recordings) == sorted(before.recordings) and gallery.get("Bruno").model == encoder.id
    assert gallery.reembed(other, names=["Alice"]).done == []
    report = gallery.enroll("Alice", voices.enrollment("Alice")[:1], other, consent=CONSENT)
    assert report.exemplars == 10


def test_an_export_brings_recordings_and_can_be_embedded_again(folder, encoder, tmp_path):
    file, other = tmp_path / "people", Other(encoder)
    Gallery.open(folder, "").export(file, passphrase=SECRET)
    there = Gallery.open(tmp_path / "there", "")
    refused = there.load(file, other.id, passphrase=SECRET)
    assert (refused.added, refused.can_reembed) == ([], ["Alice"]) and list(refused.refused) == [
        "Alice",
        "Bruno",
    ]
    taken = there.load(file, other.id, passphrase=SECRET, reembed=other)
    assert taken.added == ["Alice"] and "made by the model" in taken.refused["Bruno"]
    alice = there.get("Alice")
    assert alice.model == other.id and there.recording_counts() == {alice.id: 2}
    small = tmp_path / "small"
    Gallery.open(folder, "").export(small, ["Alice"], recordings=False)
    assert small.stat().st_size < 20_000
    assert there.load(small, encoder.id, same_name="replace").added == ["Alice"]
    assert there.recording_counts() == {} and there.get("Alice").model == encoder.id


def test_too_many_recordings_are_refused(folder, encoder):
    gallery = Gallery.open(folder, "")
    alice = gallery.get("Alice")
    for index in range(MAX_RECORDINGS - 2):
        keep(folder, alice, "more", f"{index:016x}")
    another = [voices.enrollment("Alice")[0][8_000:]]
    with pytest.raises(GalleryError, match="20 kept recordings and may have 20"):
        gallery.enroll("Alice", another, encoder, consent=CONSENT, keep_recordings=True)
    before = gallery.get("Alice").updated
    gallery.enroll("Alice", another, encoder, consent=CONSENT)
    assert gallery.get("Alice").updated >= before and len(gallery.recordings("Alice")) == MAX_RECORDINGS


def test_too_long_a_recording_is_refused():
    with pytest.raises(GalleryError, match="longer than 10 minutes"):
        kept_recording.to_bytes(replace(recording(), samples=np.zeros(16_000 * 600 + 1, np.float32)))


def test_too_many_people_are_refused(tmp_path, encoder):
    folder = tmp_path / "voiceprints"
    store_people(folder, "Anna", "Bob", model=encoder.id)
    full = Gallery.open(folder, "", max_people=2)
    with pytest.raises(GalleryError, match=r"2 people .* as many as there may be"):
        full.enroll("Cem", voices.enrollment("Alice"), encoder, consent=CONSENT)
    Gallery.open(folder, "").export(tmp_path / "people")
    other = Gallery.open(tmp_path / "other", "", max_people=1)
    result = other.load(tmp_path / "people", encoder.id)
    assert result.added == ["Anna"] and "as many as there may be" in result.refused["Bob"]


def test_too_many_exemplars_are_refused(tmp_path):
    store = open_store(tmp_path / "voiceprints")
    with pytest.raises(GalleryError, match="11 exemplars and at most 10"), store.locked():
        store.put(voiceprint("Anna", exemplars=11))


def test_labels_that_cannot_be_stored_or_shown_are_cleaned(tmp_path, encoder):
    gallery = Gallery.open(tmp_path / "voiceprints", "")
    name = "a\udcff\x1b[31m\nb.wav" + "x" * 300
    gallery.enroll("Alice", voices.enrollment("Alice")[:1], encoder, consent=CONSENT, sources=[name])
    (source,) = set(gallery.get("Alice").sources)
    assert source.startswith("a??[31m b.wavxxx") and len(source) == 200


def test_the_audit_log_says_what_was_done_and_nobodys_name(folder, encoder, tmp_path):
    from speakerid.gallery import acting_as

    gallery = Gallery.open(folder, "")
    alice, bruno = gallery.get("Alice").id, gallery.get("Bruno").id
    with acting_as("operator@example.org"):
        gallery.rename("Alice", "Alicia")
        gallery.export(tmp_path / "people")
    gallery.remove("Bruno")
    with pytest.raises(GalleryError):
        gallery.remove("Bruno")
    gallery.change_passphrase(SECRET)
    read = Gallery.open(folder, SECRET).audit()
    assert [(line["what"], line["whom"]) for line in read] == [
        ("enroll", [alice]),
        ("enroll", [bruno]),
        ("rename", [alice]),
        ("export", [alice, bruno]),
        ("remove", [bruno]),
        ("passphrase", []),
    ]
    assert read[2]["who"] == read[3]["who"] == "operator@example.org"
    assert read[4]["who"].startswith("local") and read[4]["at"].endswith("+00:00")
    assert not any(name in json.dumps(read) for name in ("Alic", "Bruno", SECRET))


def test_a_change_that_fails_leaves_no_line(folder):
    gallery = Gallery.open(folder, "")
    before = gallery.audit()
    with pytest.raises(GalleryError, match="already somebody"):
        gallery.rename("Alice", "Bruno")
    assert gallery.audit() == before


def test_after_a_removal_the_folder_holds_nothing_of_the_name(folder):
    Gallery.open(folder, "").rename("Bruno", "Brunhilde Å")
    Gallery.open(folder, "").remove("Brunhilde Å")
    for path in folder.rglob("*"):
        assert b"Brun" not in path.name.encode() + path.read_bytes()


def test_a_sealed_recording_opens_with_its_seal_only(tmp_path):
    folder = tmp_path / "voiceprints"
    (anna,) = store_people(folder, "Anna", passphrase=SECRET)
    keep(folder, anna, "kitchen", seal=Seal(SECRET))
    for path in folder.iterdir():
        assert b"kitchen" not in path.read_bytes()
    assert [one.source for one in Gallery.open(folder, SECRET).recordings("Anna")] == ["kitchen"]
