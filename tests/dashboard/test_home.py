"""The home page: what it says of each state, and where it leads."""

from pathlib import Path

import pytest
from dashboard.pages import open_page, plain, said
from gallery.people import voiceprint

from speakerid.dashboard.shared import resources
from speakerid.gallery.opening import open_store
from speakerid.gallery.voiceprint import to_bytes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "voiceprints"
    made.mkdir()
    return made


def links(app) -> list[str]:
    return [link.proto.page for link in app.get("page_link")]


def test_an_empty_gallery_leads_to_enrolling(folder, monkeypatch):
    app = open_page("", folder, monkeypatch)
    text = said(app)
    assert "Enroll the first voice" in text
    assert "No people enrolled" in text
    assert str(folder) in text


def test_looking_makes_no_folder(tmp_path, monkeypatch):
    open_page("", tmp_path / "later", monkeypatch)
    assert not (tmp_path / "later").exists()


def test_enrolled_people_are_named_and_lead_to_the_live_page(folder, monkeypatch):
    store = open_store(folder)
    model = resources.encoder().id
    for seed, name in enumerate(["Ana <b>", "Bō"]):
        store.put(voiceprint(name, seed, model=model))
    text = said(open_page("", folder, monkeypatch))
    assert "2 people enrolled" in text
    assert "2 voices are enrolled" in text
    assert "Ana &lt;b&gt;" in text
    assert "Ana <b>" not in text
    assert "Bō" in text


def test_voiceprints_of_another_model_are_not_called_usable(folder, monkeypatch):
    resources.encoder()
    open_store(folder).put(voiceprint("Ana", model="another-1234"))
    assert "Enroll again for this model" in said(open_page("", folder, monkeypatch))


def test_a_damaged_voiceprint_is_reported_and_stays(folder, monkeypatch):
    store = open_store(folder)
    ana = voiceprint("Ana")
    with store.locked():
        store.write_raw({f"{ana.id}.safetensors": to_bytes(ana)[:-5]})
    app = open_page("", folder, monkeypatch)
    assert f"{ana.id}.safetensors" in said(app)
    assert "enroll them again" in app.warning[0].value
    assert store.rows() == [f"{ana.id}.safetensors"]


def test_a_folder_that_is_a_file_is_one_sentence(tmp_path, monkeypatch):
    file = tmp_path / "voiceprints"
    file.write_text("not a folder")
    app = open_page("", file, monkeypatch)
    assert not app.exception
    assert len(app.error) == 1
    assert str(file) in plain(app.error[0].value)


def test_the_model_is_reported_once_it_is_loaded(folder, monkeypatch):
    ident = resources.encoder().id
    text = said(open_page("", folder, monkeypatch))
    assert "Model ready" in text
    assert ident in text


def test_a_model_that_does_not_exist_is_reported(folder, monkeypatch):
    monkeypatch.setenv("SPEAKERID_MODEL", "/no/such/model.safetensors")
    with pytest.raises(Exception, match="/no/such/model"):
        resources.encoder()
    text = said(open_page("", folder, monkeypatch))
    assert "Model not available" in text
    assert "/no/such/model" in text
