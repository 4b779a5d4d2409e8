"""Looking after the people enrolled: agreement, rename, merge, move, remove, another model's voiceprints."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dashboard.pages import open_page, said
from gallery.people import keep, voiceprint
from support import voices

from speakerid.audio.microphone import Device
from speakerid.dashboard.enroll.person import verdict
from speakerid.dashboard.shared import resources
from speakerid.dashboard.shared.local_microphone import by_label
from speakerid.evaluate.gate_measures import agreement
from speakerid.gallery import Consent, Gallery, Voiceprint
from speakerid.gallery.opening import open_store
from speakerid.gallery.voiceprint import unit


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "voiceprints"
    made.mkdir()
    return made


def alike(name: str, seed: int, spread: float = 0.2, count: int = 4) -> Voiceprint:
    """A person whose exemplars are near one another, of a direction that the seed gives."""
    rng = np.random.default_rng(seed)
    middle = unit(rng.standard_normal(192))
    rows = unit(middle + spread / np.sqrt(192) * rng.standard_normal((count, 192)))
    return replace(
        voiceprint(name, seed),
        embeddings=rows.astype(np.float32),
        seconds=np.full(count, 3, np.float32),
        sources=tuple(f"{name}-{number}.wav" for number in range(count)),
        recordings=("",) * count,
    )


def put(folder: Path, *people: Voiceprint) -> None:
    store = open_store(folder)
    for person in people:
        store.put(person)


def names(folder: Path) -> list[str]:
    return [person.name for person in Gallery.open(folder).speakers()]


def opened(folder: Path, monkeypatch: pytest.MonkeyPatch, person: Voiceprint):
    """The Enroll page with a person's dialog open."""
    app = open_page("1_Enroll.py", folder, monkeypatch)
    return app.button(key=f"person-{person.id}").click().run()


def test_rename(folder, monkeypatch):
    ana, bo = alike("Ana", 1), alike("Bo", 2)
    put(folder, ana, bo)
    app = opened(folder, monkeypatch, ana)
    app.text_input(key=f"rename-{ana.id}").set_value("bo")
    app = app.button(key=f"rename-save-{ana.id}").click().run()
    assert "already somebody called" in app.error[0].value
    app.text_input(key=f"rename-{ana.id}").set_value("Anaïs")
    app = app.button(key=f"rename-save-{ana.id}").click().run()
    assert names(folder) == ["Anaïs", "Bo"]


def test_deleting_is_confirmed(folder, monkeypatch):
    ana, bo = alike("Ana", 1), alike("Bo", 2)
    put(folder, ana, bo)
    app = opened(folder, monkeypatch, bo)
    app = app.button(key=f"remove-{bo.id}").click().run()
    assert "Tick the line above" in said(app)
    assert len(names(folder)) == 2
    app.checkbox(key=f"remove-sure-{bo.id}").check()
    app = app.button(key=f"remove-{bo.id}").click().run()
    assert names(folder) == ["Ana"]
    assert "Bo was removed" in app.toast[0].value
    assert not [button for button in app.button if button.key == f"remove-{bo.id}"], "the dialog is closed"


def test_one_person_under_two_names_is_merged(folder, monkeypatch):
    ana = alike("Ana", 1)
    again = replace(ana, id="0" * 16, name="Anna", sources=("x", "y", "z", "w"))
    put(folder, ana, again)
    app = opened(folder, monkeypatch, again)
    app = app.selectbox(key=f"merge-{again.id}").select("Ana").run()
    app = app.button(key=f"merge-save-{again.id}").click().run()
    assert names(folder) == ["Ana", "Anna"], "not without the tick"
    app.checkbox(key=f"merge-sure-{again.id}").check()
    app.button(key=f"merge-save-{again.id}").click().run()
    (merged,) = Gallery.open(folder).speakers()
    assert merged.name == "Ana"
    assert len(merged.embeddings) == 8


def test_a_piece_is_moved_and_another_removed(folder, monkeypatch):
    ana, bo = alike("Ana", 1), alike("Bo", 2)
    put(folder, ana, bo)
    app = opened(folder, monkeypatch, ana)
    app.selectbox(key=f"exemplar-{ana.id}").select_index(2)
    app = app.selectbox(key=f"exemplar-to-{ana.id}").select("Bo").run()
    app = app.button(key=f"exemplar-move-{ana.id}").click().run()
    gallery = Gallery.open(folder)
    assert np.array_equal(gallery.get("Bo").embeddings[-1], ana.embeddings[2])
    assert gallery.get("Bo").sources[-1] == "recording 1", "Ana's name stays with Ana"
    assert gallery.get("Ana").sources == ("Ana-0.wav", "Ana-1.wav", "Ana-3.wav")
    app.selectbox(key=f"exemplar-{ana.id}").select_index(0)
    app.button(key=f"exemplar-remove-{ana.id}").click().run()
    assert Gallery.open(folder).get("Ana").sources == ("Ana-1.wav", "Ana-3.wav")


def test_the_dialog_shows_each_piece_with_its_source(folder, monkeypatch):
    ana = alike("<b>Ana</b>", 1)
    put(folder, ana)
    text = said(opened(folder, monkeypatch, ana))
    assert "&lt;b&gt;Ana&lt;/b&gt;-0.wav" in text
    assert "of 100" in text
    assert "The exemplars agree well" in text


def test_one_more_recording_is_suggested_and_one_click_prepares_it(folder, monkeypatch):
    ana = replace(alike("Ana", 1), sources=("a.wav",) * 4)
    put(folder, ana)
    app = opened(folder, monkeypatch, ana)
    assert "room and with the microphone" in said(app)
    app = app.button(key=f"person-more-{ana.id}").click().run()
    assert app.text_input(key="enroll-name").value == "Ana"
    assert not [button for button in app.button if button.key == f"person-more-{ana.id}"]


def test_a_piece_of_another_voice_stands_out():
    ana, bo = alike("Ana", 1), alike("Bo", 2)
    rows = np.concatenate([ana.embeddings, bo.embeddings[:1]])
    mixed = replace(ana, embeddings=rows, sources=tuple("abcde"), recordings=("",) * 5, seconds=np.ones(5))
    tone, sentence = verdict(mixed, agreement(rows))
    assert tone == "bad"
    assert "Exemplar 5 does not sound like the rest" in sentence


def test_another_models_voiceprints_are_said_and_made_anew_from_kept_recordings(folder, monkeypatch):
    encoder = resources.encoder()
    gallery = Gallery.open(folder)
    consent = Consent.now("A synthetic voice.", "test")
    samples = voices.enrollment("Alice")
    gallery.enroll("Alice", samples, encoder, consent=consent, keep_recordings=True)
    alice = gallery.get("Alice")
    put(folder, replace(alice, model="another"), replace(alike("Bo", 2), model="another"))
    app = open_page("1_Enroll.py", folder, monkeypatch)
    assert "2 voiceprints were made by another model" in said(app)
    assert app.button(key="reembed-all").label == "Re-embed all (1)"
    app = app.button(key="reembed-all").click().run()
    assert Gallery.open(folder).get("Alice").model == encoder.id
    assert "1 voiceprint was made by another model" in said(app)
    assert not [button for button in app.button if button.key == "reembed-all"]


@pytest.mark.parametrize(
    ("email", "delete", "rename"), [("ada@example.org", 1, 1), ("ben@example.org", 0, 1)]
)
def test_an_operator_changes_and_only_an_admin_deletes(folder, monkeypatch, email, delete, rename):
    ana, bo = alike("Ana", 1), alike("Bo", 2)
    put(folder, ana, bo)
    app = open_page("", folder, monkeypatch)
    app.secrets["auth"] = {"client_id": "x"}
    app.secrets["roles"] = {"admin": ["ada@example.org"], "operator": ["ben@example.org"]}
    app.user = {"is_logged_in": True, "email": email}
    app = app.switch_page("pages/1_Enroll.py").run()
    app = app.button(key=f"person-{ana.id}").click().run()
    keys = [button.key for button in app.button]
    assert keys.count(f"remove-{ana.id}") == delete
    assert keys.count(f"rename-save-{ana.id}") == rename
    app.text_input(key=f"rename-{ana.id}").set_value("Anaïs")
    app.button(key=f"rename-save-{ana.id}").click().run()
    assert names(folder) == ["Anaïs", "Bo"]
    line = json.dumps(Gallery.open(folder).audit()[-1])
    assert email in line
    assert "Ana" not in line


def as_operator(app, monkeypatch):
    """Ben, whom the page shows what only an admin may do all the same."""
    app.secrets["auth"] = {"client_id": "x"}
    app.secrets["roles"] = {"admin": ["ada@example.org"], "operator": ["ben@example.org"]}
    app.user = {"is_logged_in": True, "email": "ben@example.org"}
    monkeypatch.setattr("speakerid.dashboard.shared.access.may", lambda role: True)
    return app


@pytest.mark.parametrize("press", ["remove", "merge-save", "exemplar-remove", "remove-recordings"])
def test_an_operator_who_presses_what_an_admin_may_is_refused(folder, monkeypatch, press):
    ana, bo = alike("Ana", 1), alike("Bo", 2)
    put(folder, ana, bo)
    keep(folder, ana, "kitchen")
    app = as_operator(open_page("", folder, monkeypatch), monkeypatch)
    app = app.switch_page("pages/1_Enroll.py").run().button(key=f"person-{ana.id}").click().run()
    app = app.selectbox(key=f"merge-{ana.id}").select("Bo").run()
    for sure in ("remove-sure", "merge-sure"):
        app.checkbox(key=f"{sure}-{ana.id}").check()
    before = sorted((path.name, path.read_bytes()) for path in folder.iterdir())
    app = app.button(key=f"{press}-{ana.id}").click().run()
    assert "that takes an admin and you are an operator" in said(app)
    assert sorted((path.name, path.read_bytes()) for path in folder.iterdir()) == before


def test_making_anew_what_would_lose_exemplars_takes_an_admin(folder, monkeypatch):
    model = resources.encoder().id
    ana = replace(alike("Ana", 1), model="another")
    put(folder, ana)
    keep(folder, ana, "kitchen")  # of which no exemplar is said to be
    app = open_page("", folder, monkeypatch)
    app.secrets["auth"] = {"client_id": "x"}
    app.secrets["roles"] = {"operator": ["ben@example.org"]}
    app.user = {"is_logged_in": True, "email": "ben@example.org"}
    app = app.switch_page("pages/1_Enroll.py").run()
    assert "4 exemplars of Ana will go then" in said(app) and "takes an admin" in said(app)
    assert not [button for button in app.button if button.key == "reembed-all"] and model != "another"


def test_a_passphrase_that_is_set_while_the_app_is_up_is_asked_for_and_nothing_is_done(folder, monkeypatch):
    ana = alike("Ana", 1)
    put(folder, ana)
    monkeypatch.delenv("SPEAKERID_PASSPHRASE", raising=False)
    app = opened(folder, monkeypatch, ana)
    Gallery.open(folder).change_passphrase("correct horse")
    app.text_input(key=f"rename-{ana.id}").set_value("Anaïs")
    app = app.button(key=f"rename-save-{ana.id}").click().run()
    assert "The voiceprints are locked" in said(app)
    assert [person.name for person in Gallery.open(folder, "correct horse").speakers()] == ["Ana"]


def test_voiceprints_from_before_the_passphrase_are_warned_of(folder, monkeypatch):
    put(folder, alike("Ana", 1), alike("Bo", 2))
    monkeypatch.setenv("SPEAKERID_PASSPHRASE", "correct horse")
    warning, *_ = open_page("1_Enroll.py", folder, monkeypatch).warning
    assert "2 voiceprints are not encrypted" in warning.value
    assert "an admin encrypts them" in warning.value and "Passphrase" in warning.value


def test_among_many_people_the_other_one_is_searched(folder, monkeypatch):
    ana, bo = alike("Ana", 1), alike("Bo", 2)
    put(folder, ana, bo, *(voiceprint(f"Person {number:02}", number + 10) for number in range(60)))
    app = opened(folder, monkeypatch, ana)
    assert len(app.selectbox(key=f"merge-{ana.id}").options) == 50
    assert "The first 50 of 61" in said(app)
    app.text_input(key=f"merge-{ana.id}-find").set_value("son 5")
    app = app.run()
    assert len(app.selectbox(key=f"merge-{ana.id}").options) == 10


def test_kept_recordings_can_be_heard(folder, monkeypatch):
    ana = alike("Ana", 1)
    put(folder, ana)
    keep(folder, ana, "kitchen")
    app = opened(folder, monkeypatch, ana)
    assert not app.get("audio")
    app = app.toggle(key=f"person-recordings-{ana.id}").set_value(True).run()
    assert "kitchen · 1.0 s" in said(app) and len(app.get("audio")) == 1


def test_two_microphones_of_one_name_can_both_be_chosen():
    found = [Device(number, "USB microphone", 48_000, 1, number == 0) for number in range(3)]
    named = by_label(found)
    assert list(named.values()) == [None, *found]
    assert list(named)[1:] == ["USB microphone", "USB microphone (2)", "USB microphone (3)"]


def test_a_name_is_no_markdown(folder, monkeypatch):
    name = "*Ana* [x](http://y) $z$ :smile:"
    ana, bo = replace(alike("Ana", 1), name=name), alike("Bo", 2)
    put(folder, ana, bo)
    app = opened(folder, monkeypatch, ana)
    label = app.checkbox(key=f"remove-sure-{ana.id}").label
    assert "\\*Ana\\* \\[x\\]\\(http\\:" in label and "\\$z\\$ \\:smile\\:" in label
    app.text_input(key=f"rename-{ana.id}").set_value("_Bo_")
    app = app.button(key=f"rename-save-{ana.id}").click().run()
    assert "\\_Bo\\_" in app.toast[0].value
