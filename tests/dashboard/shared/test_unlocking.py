"""Encrypted voiceprints: every page asks for the passphrase, for everybody, and who may not is not asked."""

import os
from pathlib import Path

import pytest
from dashboard.pages import open_page, said
from gallery.people import store_people

from speakerid.gallery import Gallery

SECRET = "correct horse"
PAGES = ["", "1_Enroll.py", "2_Live.py", "3_Recordings.py", "4_Evaluate.py"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("SPEAKERID_PASSPHRASE", raising=False)
    made = tmp_path / "voiceprints"
    made.mkdir()
    store_people(made, "Zoë Visible", passphrase=SECRET)
    return made


def type_in(app, passphrase: str):
    app.text_input(key="unlock-passphrase").set_value(passphrase)
    return app.button(key="unlock").click().run()


def content(folder: Path) -> list[tuple[str, bytes]]:
    return sorted((p.name, p.read_bytes()) for p in folder.iterdir() if not p.name.endswith("-shm"))


@pytest.mark.parametrize("page", PAGES)
def test_every_page_asks_and_shows_nothing_else(folder, monkeypatch, page):
    app = open_page(page, folder, monkeypatch)
    assert not app.exception
    assert "The voiceprints are locked" in said(app)
    assert [one.key for one in app.text_input] == ["unlock-passphrase"]
    assert app.text_input[0].proto.type == app.text_input[0].proto.PASSWORD
    assert [button.key for button in app.button] == ["unlock"]


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("battery staple", "does not open the voiceprints"),
        ("", "is empty"),
        ("tiny", "at least 8 characters"),
    ],
)
def test_a_wrong_passphrase_is_refused_and_nothing_is_touched(folder, monkeypatch, typed, answer):
    before = content(folder)
    app = type_in(open_page("1_Enroll.py", folder, monkeypatch), typed)
    assert not app.exception
    (error,) = app.error
    assert answer in error.value and (not typed or typed not in error.value)
    assert "The voiceprints are locked" in said(app) and "Zoë" not in said(app)
    assert content(folder) == before
    assert "Zoë Visible" in said(type_in(app, SECRET)), "and it can be typed again"


def test_the_right_one_opens_them_for_all_visitors_and_is_stored_nowhere(folder, monkeypatch):
    before = content(folder)
    app = type_in(open_page("1_Enroll.py", folder, monkeypatch), SECRET)
    assert "Zoë Visible" in said(app)
    assert "unlock-passphrase" not in app.session_state
    assert "Zoë Visible" in said(open_page("", folder, monkeypatch)), "another visitor"
    assert content(folder) == before
    assert "SPEAKERID_PASSPHRASE" not in os.environ


def test_a_wrong_passphrase_in_the_variable_is_said_and_the_right_one_asked_for(folder, monkeypatch):
    monkeypatch.setenv("SPEAKERID_PASSPHRASE", "battery staple")
    app = open_page("1_Enroll.py", folder, monkeypatch)
    assert "The passphrase in SPEAKERID_PASSPHRASE does not open them" in said(app)
    assert "Zoë Visible" in said(type_in(app, SECRET))


def test_what_is_encrypted_while_the_app_runs_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.delenv("SPEAKERID_PASSPHRASE", raising=False)
    folder = tmp_path / "voiceprints"
    folder.mkdir()
    store_people(folder, "Zoë Visible")
    app = open_page("1_Enroll.py", folder, monkeypatch)
    assert "Zoë Visible" in said(app)
    Gallery.open(folder).change_passphrase(SECRET)
    app.run()
    assert "The voiceprints are locked" in said(app) and "Zoë" not in said(app)
    assert "Zoë Visible" in said(type_in(app, SECRET))
    Gallery.open(folder, SECRET).change_passphrase("")
    assert "Zoë Visible" in said(app.run())


@pytest.mark.parametrize(
    ("email", "page", "asked"),
    [
        ("ada@example.org", "1_Enroll.py", True),
        ("ben@example.org", "1_Enroll.py", True),
        ("eve@example.org", "2_Live.py", False),
    ],
)
def test_a_viewer_is_not_asked(folder, monkeypatch, email, page, asked):
    app = open_page("", folder, monkeypatch)
    app.secrets["auth"] = {"client_id": "x"}
    app.secrets["roles"] = {"admin": ["ada@example.org"], "operator": ["ben@example.org"]}
    app.user = {"is_logged_in": True, "email": email}
    app = app.switch_page(f"pages/{page}").run()
    assert "The voiceprints are locked" in said(app)
    assert bool(app.text_input) == asked
    assert asked or "an operator or an admin opens this page" in said(app)


def test_a_gallery_that_is_open_takes_the_passphrase(folder):
    gallery = Gallery.open(folder, "")
    gallery.unlock(SECRET)
    assert [person.name for person in gallery.speakers()] == ["Zoë Visible"]
    gallery.rename("Zoë Visible", "Zoë")
    assert b"Zo" not in b"".join(path.read_bytes() for path in folder.iterdir())
    Gallery.open(folder, SECRET).change_passphrase("")
    other = Gallery.open(folder, "")
    other.unlock("mistyped by somebody")
    assert not other.is_encrypting, "nothing shows that it was typed right, so nothing is written with it"
