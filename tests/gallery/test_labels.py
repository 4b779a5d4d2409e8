"""Labels of exemplars and recordings name nobody else: where an exemplar moves, and repaired by doctor."""

from dataclasses import replace

import pytest
from people import KEPT, keep, voiceprint

from speakerid.gallery import Gallery
from speakerid.gallery.doctor import examine_folder
from speakerid.gallery.labels import Names, neutral_labels
from speakerid.gallery.opening import open_store


@pytest.fixture(autouse=True)
def no_passphrase_around(monkeypatch):
    monkeypatch.delenv("SPEAKERID_PASSPHRASE", raising=False)


def labels(own: str, others: list[str], *sources: str) -> list[str]:
    person = replace(voiceprint(own, exemplars=len(sources)), sources=sources)
    changed = neutral_labels(person, Names(others))
    return [changed.get(source, source) for source in sources]


@pytest.mark.parametrize(
    ("own", "source"),
    [
        ("Ben", "ada-lovelace-1.wav"),
        ("Ben", "ADA_LOVELACE (2).m4a"),
        ("Ben", "meeting of ada lovelace and ben.wav"),
        ("Ben", "adalovelace.wav"),
        ("Ben", "王伟的录音.wav"),
    ],
)
def test_a_file_that_names_somebody_else_gets_a_neutral_label(own, source):
    assert labels(own, ["Ada Lovelace", "王伟", own], source, "b.wav") == ["recording 1", "b.wav"]


@pytest.mark.parametrize(
    ("own", "source"),
    [
        ("Ada Lovelace", "ada-lovelace-1.wav"),
        ("Ada Lovelace", "ada.wav"),
        ("Ben", "benefit.wav"),
        ("Ben", "adagio.wav"),
        ("Ben", "Browser microphone, 2026-11-25 03:00"),
        ("王伟", "王伟.wav"),
    ],
)
def test_a_label_without_another_name_stays(own, source):
    assert labels(own, ["Ada Lovelace", "Ada", "Ben", "王伟"], source) == [source]


def test_different_labels_stay_different():
    given = ("ada-1.wav", "ada-2.wav", "ada-1.wav", "recording 1")
    assert labels("Ben", ["Ada"], *given) == ["recording 2", "recording 3", "recording 2", "recording 1"]


@pytest.mark.parametrize(
    ("source", "neutral"),
    [
        ("live, 0:10.0 to 0:12.3, Ada Lovelace", "live, at 0:10.0"),
        ("recording, 1:02:03.4 to 1:02:05.0, unknown 2 (2)", "recording, at 1:02:03.4"),
        ("live, 0:10.0 to 0:10.9, Ada, live, 0:12.0 to 0:12.9, Bo, jr.", "live, at 0:10.0, live, at 0:12.0"),
        ("live, 2026-11-25, at 0:10.0", "live, 2026-11-25, at 0:10.0"),
    ],
)
def test_whom_a_turn_was_taken_for_goes_whether_or_not_that_person_is_enrolled(source, neutral):
    assert labels("Ben", [], source) == [neutral]


@pytest.fixture
def folder(tmp_path):
    """Ada with a kept recording; Ben, of whose exemplars one comes from a file that is called after Ada, with
    a recording, and one from a turn that was taken for somebody who is deleted by now."""
    folder = tmp_path / "voiceprints"
    folder.mkdir(mode=0o700)
    store = open_store(folder)
    ada, ben = voiceprint("Ada", 1), voiceprint("Ben", 2)
    with store.locked():
        store.put(replace(ada, sources=("ada.wav",) * 3, recordings=(KEPT, "", "")))
        store.put(
            replace(
                ben,
                sources=("ada and ben.wav", "live, 0:10.0 to 0:12.3, Zoe", "ben.wav"),
                recordings=("f" * 16, "", ""),
            )
        )
    keep(folder, ada, "ada.wav", KEPT)
    keep(folder, ben, "ada and ben.wav", "f" * 16)
    return folder


def test_doctor_finds_and_replaces_them(folder):
    before = {person.name: person for person in Gallery.open(folder).speakers()}
    (found,) = examine_folder(folder).left
    assert found.what.startswith("2 labels") and "Ada" not in found.what + found.remedy
    assert examine_folder(folder, repair=True).left == []
    assert examine_folder(folder).findings == []
    gallery = Gallery.open(folder)
    ada, ben = gallery.speakers()
    assert ada.sources == before["Ada"].sources
    assert ben.sources == ("recording 1", "live, at 0:10.0", "ben.wav")
    assert ben.recordings == before["Ben"].recordings and (ben.embeddings == before["Ben"].embeddings).all()
    (kept,) = gallery.recordings("Ben")
    assert kept.source == "recording 1" and len(kept.samples) == 16_000
    gallery.remove("Ada")
    stored = b"".join(path.read_bytes() for path in folder.iterdir())
    assert b"Ada" not in stored and b"ada" not in stored.replace(b"metadata", b"") and b"Zoe" not in stored


def test_an_exemplar_that_moves_leaves_its_persons_name_behind(folder):
    gallery = Gallery.open(folder)
    gallery.move_exemplar("Ada", 0, "Ben")
    ben = gallery.get("Ben")
    assert ben.sources[-1].startswith("recording ") and ben.recordings[-1] == KEPT
    assert ben.sources[0] == "ada and ben.wav", "what was there is not changed"
    assert {kept.id: kept.source for kept in gallery.recordings("Ben")}[KEPT] == ben.sources[-1]
