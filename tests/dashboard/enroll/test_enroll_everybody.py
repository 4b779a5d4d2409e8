"""All voiceprints at once, on the Enroll page: export, import, passphrase, and who may."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dashboard.pages import open_page, said
from gallery.people import CONSENT, keep, voiceprint
from support import voices

from speakerid.dashboard.shared import resources
from speakerid.gallery import Gallery
from speakerid.gallery.opening import open_store
from speakerid.gallery.portable import Portable, packed_people
from speakerid.gallery.sealing import Seal

SECRET, NEW = "correct horse", "battery staple"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ana, with a kept recording, and Bo, of the model in use."""
    monkeypatch.delenv("SPEAKERID_PASSPHRASE", raising=False)
    made = tmp_path / "voiceprints"
    made.mkdir()
    store = open_store(made)
    ana, bo = ours("Ana", 1), ours("Bo", 2)
    for person in (ana, bo):
        store.put(person)
    keep(made, ana, "kitchen")
    return made


def ours(name: str, seed: int, **more):
    return replace(voiceprint(name, seed, model=resources.encoder().id), **more)


def names(folder: Path, passphrase: str = "") -> list[str]:
    return [person.name for person in Gallery.open(folder, passphrase).speakers()]


def content(folder: Path) -> list[tuple[str, bytes]]:
    return sorted((path.name, path.read_bytes()) for path in folder.iterdir())


@pytest.fixture
def dialog(folder, monkeypatch):
    app = open_page("1_Enroll.py", folder, monkeypatch)
    app = app.button(key="everybody-open").click().run()
    assert not app.exception
    return app


def keys(app) -> set[str]:
    return {
        str(one.key) for kind in ("button", "text_input", "checkbox", "selectbox") for one in app.get(kind)
    }


# --- who may


@pytest.mark.parametrize(("email", "may"), [("ada@example.org", True), ("ben@example.org", False)])
def test_only_an_admin_sees_it(folder, monkeypatch, email, may):
    app = open_page("", folder, monkeypatch)
    app.secrets["auth"] = {"client_id": "x"}
    app.secrets["roles"] = {"admin": ["ada@example.org"], "operator": ["ben@example.org"]}
    app.user = {"is_logged_in": True, "email": email}
    app = app.switch_page("pages/1_Enroll.py").run()
    assert ("everybody-open" in keys(app)) == may


@pytest.mark.parametrize("press", ["export-prepare", "passphrase-change", "import-start"])
def test_who_is_no_admin_any_more_is_refused(folder, monkeypatch, press):
    app = open_page("", folder, monkeypatch)
    app.secrets["auth"] = {"client_id": "x"}
    app.secrets["roles"] = {"admin": ["ada@example.org"]}
    app.user = {"is_logged_in": True, "email": "ada@example.org"}
    app = app.switch_page("pages/1_Enroll.py").run().button(key="everybody-open").click().run()
    upload(app, packed_people([Portable(ours("Cem", 3))], None))
    for field in ("new", "again"):
        app.text_input(key=f"passphrase-{field}-0").set_value(NEW)
    app.checkbox(key="passphrase-sure-0").check().run()
    before = content(folder)
    monkeypatch.setattr("speakerid.dashboard.shared.access.may", lambda role: True)  # shown all the same
    app.user = {"is_logged_in": True, "email": "ben@example.org"}
    app.secrets["roles"] = {"admin": ["ada@example.org"], "operator": ["ben@example.org"]}
    app.button(key=press).click().run()
    assert "that takes an admin and you are an operator" in said(app)
    assert content(folder) == before and not download(app)


# --- export


def download(app) -> bytes | None:
    """What the download button gives, if there is one (a real browser downloads it in tests/browser)."""
    given = app.session_state["speakerid-page"].things["everybody"].prepared.content
    return given if app.get("download_button") else None


def test_everybody_is_exported_encrypted(dialog, folder, tmp_path):
    dialog.text_input(key="export-passphrase").set_value(SECRET).run()
    dialog.text_input(key="export-again").set_value("something else").run()
    dialog.button(key="export-prepare").click().run()
    assert "differ" in dialog.error[0].value and download(dialog) is None
    dialog.text_input(key="export-again").set_value(SECRET).run()
    dialog.button(key="export-prepare").click().run()
    file = download(dialog)
    assert file and b"Ana" not in file
    there = Gallery.open(tmp_path / "there", "")
    assert there.load(file, resources.encoder().id, passphrase=SECRET).added == ["Ana", "Bo"]
    assert len(there.recordings("Ana")) == 1
    assert [line["what"] for line in Gallery.open(folder).audit()] == ["export"]
    dialog.checkbox(key="export-recordings").uncheck().run()
    assert download(dialog) is None, "it is not what is chosen now"


def test_one_person_is_exported_in_clear_with_a_warning(dialog, tmp_path):
    assert any("Without a passphrase, whoever gets the file" in one.value for one in dialog.warning)
    dialog.selectbox(key="export-who").select("One person").run()
    dialog.selectbox(key="export-one").select("Bo").run()
    dialog.button(key="export-prepare").click().run()
    there = Gallery.open(tmp_path / "there", "")
    assert there.load(download(dialog) or b"", resources.encoder().id).added == ["Bo"]


# --- import


def upload(app, file: bytes, number: int = 0):
    uploader = app.file_uploader(key=f"import-upload-{number}")
    uploader.set_value([("people.speakers", file, "application/octet-stream")])
    return app.run()


def test_an_encrypted_file_asks_for_its_passphrase(dialog, folder):
    upload(dialog, packed_people([Portable(ours("Cem", 3))], Seal(SECRET)))
    assert "The file is encrypted" in said(dialog)
    dialog.text_input(key="import-passphrase-0").set_value(NEW).run()
    assert "does not open the file" in said(dialog)
    dialog.text_input(key="import-passphrase-0").set_value(SECRET).run()
    assert "1 person in the file: Cem" in said(dialog)
    dialog.button(key="import-start").click().run()
    assert names(folder) == ["Ana", "Bo", "Cem"]
    assert "1 person imported: Cem" in "".join(one.value for one in dialog.success)


def test_a_name_that_is_taken_is_asked_about(dialog, folder):
    upload(
        dialog,
        packed_people([Portable(ours("Ana", 5)), Portable(ours("BO", 6)), Portable(ours("Cem", 7))], None),
    )
    assert "The name of 2 people is taken already" in said(dialog)
    dialog.button(key="import-start").click().run()
    assert "Choose what becomes of Ana, BO" in said(dialog) and names(folder) == ["Ana", "Bo"]
    dialog.selectbox(key="import-same-0-0").select("both").run()
    assert "Keep both, as “Ana 2”" in dialog.selectbox(key="import-same-0-0").options
    dialog.selectbox(key="import-same-0-1").select("merge").run()
    dialog.button(key="import-start").click().run()
    assert names(folder) == ["Ana", "Ana 2", "Bo", "Cem"]
    text = said(dialog)
    assert 'BO was not imported: it does not sound like "Bo", who is enrolled' in text
    assert np.array_equal(Gallery.open(folder, "").get("Bo").embeddings, ours("Bo", 2).embeddings)


def test_what_becomes_of_many_is_chosen_at_once(dialog, folder):
    upload(dialog, packed_people([Portable(ours("Ana", 5)), Portable(ours("Bo", 6))], None))
    dialog.selectbox(key="import-all-0").select("skip").run()
    dialog.button(key="import-start").click().run()
    assert names(folder) == ["Ana", "Bo"]
    assert said(dialog).count("is enrolled already") == 2


@pytest.mark.parametrize("file", [b"", b"this is text", b"PK\x03\x04"])
def test_what_is_no_export_is_one_sentence(dialog, folder, file):
    before = content(folder)
    upload(dialog, file)
    assert [one.value for one in dialog.error] == [
        "The file is not a file of exported people, or it is damaged\\."
    ]
    assert content(folder) == before


def test_a_damaged_part_is_said_and_the_rest_can_come(dialog, folder):
    spoiled = bytearray(packed_people([Portable(ours("Cem", 3)), Portable(ours("Dana", 4))], None))
    spoiled[1500] ^= 1
    upload(dialog, bytes(spoiled))
    text = said(dialog)
    assert "1 part of the file cannot be used" in text and "1 person in the file: Dana" in text
    dialog.button(key="import-start").click().run()
    assert names(folder) == ["Ana", "Bo", "Dana"]


def test_another_models_people_are_made_anew_where_recordings_came_along(dialog, folder, tmp_path):
    there = Gallery.open(tmp_path / "there", "")
    there.enroll(
        "Alice", voices.enrollment("Alice"), resources.encoder(), consent=CONSENT, keep_recordings=True
    )
    store = open_store(tmp_path / "there")
    with store.locked():
        store.put(replace(there.get("Alice"), model="another"))
        store.put(voiceprint("Zed", 9, model="another"))
    upload(dialog, there.export_bytes())
    assert "2 people of another model" in said(dialog)
    assert dialog.button(key="import-start").disabled
    dialog.checkbox(key="import-reembed-0").check().run()
    dialog.button(key="import-start").click().run()
    assert names(folder) == ["Alice", "Ana", "Bo"]
    assert Gallery.open(folder, "").get("Alice").model == resources.encoder().id
    assert "Zed was not imported: it was made by the model another" in said(dialog)


def test_an_import_into_an_empty_folder(tmp_path, monkeypatch):
    folder = tmp_path / "empty"
    app = open_page("1_Enroll.py", folder, monkeypatch).button(key="everybody-open").click().run()
    assert "nothing to export" in said(app) and "nothing to encrypt" in said(app)
    upload(app, packed_people([Portable(ours("Cem", 3))], None)).button(key="import-start").click().run()
    assert names(folder) == ["Cem"]


# --- passphrase


def set_passphrase(
    app, number: int = 0, *, old: str = "", new: str = "", again: str | None = None, sure=True
):
    for field, value in (("old", old), ("new", new), ("again", new if again is None else again)):
        key = f"passphrase-{field}-{number}"
        if key in keys(app):
            app.text_input(key=key).set_value(value)
    if f"passphrase-sure-{number}" in keys(app) and sure:
        app.checkbox(key=f"passphrase-sure-{number}").check()
    app.run()
    return app.button(key="passphrase-change").click().run()


def test_turning_it_on_changing_it_and_turning_it_off(dialog, folder):
    set_passphrase(dialog, new=SECRET)
    assert not dialog.exception
    (told,) = dialog.success
    assert "Everything is encrypted now" in told.value and "asks for the passphrase" in told.value
    assert names(folder, SECRET) == ["Ana", "Bo"] and b"Ana" not in b"".join(c for _, c in content(folder))
    set_passphrase(dialog, 1, old=SECRET, new=NEW)
    assert "with the new passphrase" in dialog.success[0].value and names(folder, NEW) == ["Ana", "Bo"]
    dialog.radio(key="passphrase-what-2").set_value("off").run()
    set_passphrase(dialog, 2, old=NEW)
    assert "Nothing is encrypted any more" in dialog.success[0].value and names(folder) == ["Ana", "Bo"]
    assert [line["what"] for line in Gallery.open(folder).audit()] == ["passphrase"] * 3


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ({"new": SECRET, "again": NEW}, "differ"),
        ({"new": ""}, "is empty"),
        ({"new": SECRET, "sure": False}, "Tick the line above"),
        ({"new": "tiny"}, "at least 8 characters"),
    ],
)
def test_what_is_missing_is_said_and_nothing_changed(dialog, folder, given, answer):
    before = content(folder)
    set_passphrase(dialog, **given)
    assert answer in said(dialog) and content(folder) == before and not dialog.success


def test_the_present_passphrase_is_asked_for(folder, monkeypatch):
    Gallery.open(folder, "").change_passphrase(SECRET)
    monkeypatch.setenv("SPEAKERID_PASSPHRASE", SECRET)
    app = open_page("1_Enroll.py", folder, monkeypatch).button(key="everybody-open").click().run()
    before = content(folder)
    set_passphrase(app, old="not that one", new=NEW)
    assert "That is not the present passphrase" in said(app) and content(folder) == before
    app.radio(key="passphrase-what-0").set_value("off").run()
    set_passphrase(app, old="not that one")
    assert "That is not the present passphrase" in said(app) and content(folder) == before
    app.radio(key="passphrase-what-0").set_value("change").run()
    set_passphrase(app, old=SECRET, new=NEW)
    assert "put it into SPEAKERID_PASSPHRASE as well" in app.success[0].value


def test_what_is_not_encrypted_yet_is_encrypted(folder, monkeypatch):
    monkeypatch.setenv("SPEAKERID_PASSPHRASE", SECRET)
    app = open_page("1_Enroll.py", folder, monkeypatch).button(key="everybody-open").click().run()
    assert "2 voiceprints are not encrypted, though a passphrase is set: an admin encrypts them" in said(app)
    app.radio(key="passphrase-what-0").set_value("rest").run()
    set_passphrase(app, old=SECRET)
    assert "Everything is encrypted now" in app.success[0].value
    gallery = Gallery.open(folder, SECRET)
    assert names(folder, SECRET) == ["Ana", "Bo"] and gallery.in_clear == []
