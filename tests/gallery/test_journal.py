"""Changes that fail or are interrupted at the worst moment: nothing that is there is lost."""

import json

import pytest
from people import keep, store_people

from speakerid.errors import GalleryError
from speakerid.gallery import Gallery, files, journal
from speakerid.gallery.doctor import examine_folder


@pytest.fixture
def folder(tmp_path):
    """Anna, of whom a recording is kept, and Bob."""
    folder = tmp_path / "voiceprints"
    anna, _ = store_people(folder, "Anna", "Bob")
    keep(folder, anna, "kitchen")
    return folder


def names(folder):
    return [person.name for person in Gallery.open(folder, "").speakers()]


def leave_journal(folder, monkeypatch, change):
    """As if the writer had been killed when the journal had just appeared."""
    monkeypatch.setattr(journal, "_apply", lambda *_: [])
    change()
    monkeypatch.undo()
    assert (folder / ".journal").exists()


@pytest.mark.parametrize("failure", [OSError(5, "Input/output error"), KeyboardInterrupt()])
def test_a_failure_just_after_the_journal_appeared_loses_nothing(folder, monkeypatch, failure):
    def fails(_):
        if (folder / ".journal").exists():
            raise failure

    monkeypatch.setattr(files, "sync_folder", fails)
    with pytest.raises((GalleryError, KeyboardInterrupt)):
        Gallery.open(folder).merge("Anna", "Bob", force=True)
    monkeypatch.undo()
    change = journal.pending(folder)
    assert change.replace and all((folder / place).exists() for place in change.replace.values())
    Gallery.open(folder).rename("Bob", "Bert")
    (bert,) = Gallery.open(folder).speakers()
    assert (bert.name, len(bert.embeddings)) == ("Bert", 6)
    assert Gallery.open(folder).recording_counts() == {bert.id: 1}
    assert examine_folder(folder).left == []


def test_a_failure_before_the_journal_appears_leaves_no_temporaries(folder, monkeypatch):
    def fails(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal, "replace_file", fails)
    with pytest.raises(GalleryError, match="No space left"):
        Gallery.open(folder).merge("Anna", "Bob", force=True)
    assert names(folder) == ["Anna", "Bob"] and not list(folder.glob("*.tmp"))


@pytest.mark.parametrize("repair", [True, False])
def test_a_journal_whose_temporaries_are_gone_costs_nothing_that_is_there(folder, monkeypatch, repair):
    leave_journal(folder, monkeypatch, lambda: Gallery.open(folder).merge("Anna", "Bob", force=True))
    for temporary in folder.glob(".*.tmp"):
        temporary.unlink()
    if repair:
        assert "Somebody deleted the new content of 2" in examine_folder(folder).left[0].what
        assert examine_folder(folder, repair=True).left == []
    else:
        Gallery.open(folder).rename("Bob", "Bob")
    assert names(folder) == ["Anna", "Bob"]
    assert len(Gallery.open(folder).recording_counts()) == 1
    assert not (folder / ".journal").exists() and examine_folder(folder).left == []


def test_a_journal_that_was_half_applied_is_finished(folder, monkeypatch):
    leave_journal(folder, monkeypatch, lambda: Gallery.open(folder).merge("Anna", "Bob", force=True))
    file, place = next(iter(journal.pending(folder).replace.items()))
    (folder / place).rename(folder / file)
    assert journal.lost(folder, journal.pending(folder)) == []
    Gallery.open(folder).rename("Bob", "Bert")
    assert names(folder) == ["Bert"] and len(list(folder.glob("*.recording"))) == 1


def test_a_journal_without_digests_is_finished_too(folder, monkeypatch):
    leave_journal(folder, monkeypatch, lambda: Gallery.open(folder).merge("Anna", "Bob", force=True))
    body = json.loads((folder / ".journal").read_bytes())
    del body["contents"], body["sha256"]
    (folder / ".journal").write_text(json.dumps({**body, "sha256": journal._digest(body)}))
    Gallery.open(folder).rename("Bob", "Bert")
    assert names(folder) == ["Bert"]


def test_a_temporary_that_somebody_deletes_meanwhile_is_told(folder, monkeypatch):
    def deleted(path, content):
        files.write_new(path, content)
        path.unlink()

    monkeypatch.setattr(journal, "write_new", deleted)
    with pytest.raises(GalleryError, match="another program deletes files"):
        Gallery.open(folder).rename("Bob", "Bert")
    assert names(folder) == ["Anna", "Bob"]
