"""Kept sessions on the pages: kept through the dialog, opened again, corrected, called otherwise, deleted."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from dashboard.pages import ROOT, open_page, plain, said
from dashboard.recordings.test_recordings import analyzed
from dashboard.shared.test_access import AUTH, ROLES
from gallery.people import store_people
from streamlit.testing.v1 import AppTest
from support import voices

from speakerid.conversation.conversation import Conversation
from speakerid.conversation.entry import Entry
from speakerid.conversation.kept import SessionSound, conversation_of, removed_since, stretches, to_keep
from speakerid.conversation.kept_sound import KeptSound
from speakerid.conversation.recorded_sound import RecordedSound
from speakerid.dashboard.recordings.view import exports
from speakerid.dashboard.shared import resources
from speakerid.gallery import Consent, Gallery, sessions
from speakerid.gallery.kept_session import REMOVED

RATE = 16_000
AGREED = Consent.now("Everybody agreed.", "tests")
ENTRIES = [
    Entry(0.5, 2.5, "Anna", 0.9, "Anna"),
    Entry(3.0, 5.0, "Bob", 0.8, "Anna"),  # as somebody corrected it
    Entry(5.0, 6.0, "unknown 1", 0.7, "unknown"),
]


def talk(title: str = "Weekly round", turns=ENTRIES) -> Conversation:
    return Conversation(title, 6.5, tuple(turns), "model-1", True)


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    """Anna and Bob; one session with sound."""
    store_people(tmp_path / "voiceprints", "Anna", "Bob")
    opened = Gallery.open(tmp_path / "voiceprints")
    sound = RecordedSound()
    sound.add((np.random.default_rng(1).standard_normal(round(6.5 * RATE)) * 0.1).astype(np.float32), 4.0)
    sessions.keep(opened, to_keep(talk(), opened.speakers(), "live"), stretches(sound), AGREED)
    return opened


def page(gallery: Gallery, monkeypatch):
    assert gallery.folder is not None
    return open_page("3_Recordings.py", gallery.folder, monkeypatch)


def opened(gallery: Gallery, monkeypatch):
    (session,) = sessions.shelf(gallery).sessions
    return page(gallery, monkeypatch).button(key=f"kept-open-{session.id}").click().run()


def test_the_turns_of_a_kept_session_have_the_names_of_today(gallery):
    (session,) = sessions.shelf(gallery).sessions
    assert conversation_of(session, gallery.speakers()) == talk()
    gallery.rename("Anna", "Anne")
    assert conversation_of(session, gallery.speakers()).turns[0].speaker == "Anne"
    gallery.remove("Anne")
    (session,) = sessions.shelf(gallery).sessions
    read = conversation_of(session, gallery.speakers())
    assert [(e.speaker, e.named) for e in read.turns[:2]] == [(REMOVED, REMOVED), ("Bob", REMOVED)]
    assert removed_since(talk(), gallery.speakers()) == ["Anna"]
    files = exports(read, session.title, {})
    assert "Anna" not in "".join(text for _, text, _ in files.values())


def test_sound_is_heard_where_it_was_kept_and_silent_elsewhere(gallery):
    kept = KeptSound()
    samples = (np.random.default_rng(2).standard_normal(90 * RATE) * 0.1).astype(np.float32)
    kept.add(samples[: 5 * RATE])  # before it was switched on
    kept.keep(True)
    kept.add(samples[5 * RATE : 70 * RATE], 6.0)
    kept.keep(False)
    assert list(stretches(kept)) == []
    kept.keep(True)
    kept.add(samples[70 * RATE :], 6.0)
    session = sessions.keep(gallery, to_keep(talk(), gallery.speakers(), "live"), stretches(kept), AGREED)
    sound = SessionSound(gallery, session)
    assert sound.seconds == 90 and sound.cut(0, 60) is None and sound.gain_db(70, 90) == 6.0
    found = sound.cut(69, 71)
    assert not found[:RATE].any()
    assert np.corrcoef(found[RATE:], samples[70 * RATE : 71 * RATE])[0, 1] > 0.999


def test_a_long_recording_is_read_across_its_parts(gallery):
    whole = RecordedSound()
    samples = (np.random.default_rng(2).standard_normal(130 * RATE) * 0.1).astype(np.float32)
    whole.add(samples)
    session = sessions.keep(gallery, to_keep(talk(), gallery.speakers(), "live"), stretches(whole), AGREED)
    found = SessionSound(gallery, session).cut(59, 121)
    assert np.corrcoef(found, samples[59 * RATE : 121 * RATE])[0, 1] > 0.999
    gallery.remove("Anna")  # the sound that is open knows it at once
    assert not SessionSound(gallery, session).cut(0.5, 2.5).any()


def test_a_kept_session_is_listed_opened_and_exported(gallery, monkeypatch):
    text = said(page(gallery, monkeypatch))
    assert "Kept sessions" in text and "0:06 · Anna, Bob, unknown 1 · with sound" in text
    app = opened(gallery, monkeypatch)
    text = said(app)
    assert "Who spoke when" in text and "Shares of talking time" in text and "3 turns of 3 voices" in text
    assert list(app.dataframe[0].value["Speaker"]) == ["Anna", "Bob", "unknown 1"]
    assert [button.label for button in app.download_button][:3] == ["CSV", "RTTM", "JSON"]
    rows = csv.DictReader(io.StringIO(exports(talk(), "x", {})["csv"][1]))
    assert [row["heard_as"] for row in rows] == ["Anna", "Anna", "unknown"]
    app = app.button(key="kept-close").click().run()
    assert "Shares of talking time" not in said(app)


def test_an_open_session_is_corrected_called_otherwise_and_deleted(gallery, monkeypatch):
    app = opened(gallery, monkeypatch)
    app.selectbox(key="kept-who").set_value("unknown 1")
    app.selectbox(key="kept-right").set_value("Bob")
    app = app.button(key="kept-correct").click().run()
    assert list(app.dataframe[0].value["Speaker"]) == ["Anna", "Bob", "Bob"]
    (session,) = sessions.shelf(gallery).sessions
    app.text_input(key=f"kept-title-{session.id}").set_value("Board")
    app = app.button(key="kept-rename").click().run()
    assert "Board" in said(app) and sessions.shelf(gallery).sessions[0].title == "Board"
    app = app.button(key="kept-delete-now").click().run()
    assert sessions.shelf(gallery).sessions == () and "None yet" in said(app)


def test_a_session_that_somebody_else_deleted_is_told_of(gallery, monkeypatch):
    app = opened(gallery, monkeypatch)
    sessions.delete(gallery, sessions.shelf(gallery).sessions[0].id)
    app = app.run()
    assert "kept no more" in plain(app.error[0].value) and "Shares of talking time" not in said(app)


def test_an_operator_may_keep_and_open_but_not_delete(gallery, monkeypatch):
    app = open_page("", gallery.folder, monkeypatch)
    app.secrets["auth"], app.secrets["roles"] = AUTH, ROLES
    app.user = {"is_logged_in": True, "email": "ben@example.org"}
    app = app.switch_page("pages/3_Recordings.py").run()
    app = app.button(key=f"kept-open-{sessions.shelf(gallery).sessions[0].id}").click().run()
    keys = {button.key for button in app.button}
    assert "kept-correct" in keys and "kept-delete-now" not in keys


def test_many_sessions_are_found_by_a_word_or_a_person(gallery, monkeypatch):
    for number in range(9):
        only = [ENTRIES[0]] if number else [ENTRIES[1]]
        sessions.keep(gallery, to_keep(talk(f"Talk {number}", only), gallery.speakers(), "live"))
    app = page(gallery, monkeypatch)
    assert "The latest 8 of 10" in said(app)
    app = app.text_input(key="kept-find").set_value("bob").run()
    shown = [button.label for button in app.button if (button.key or "").startswith("kept-open-")]
    assert {plain(label) for label in shown} == {"Talk 0", "Weekly round"}
    app = app.text_input(key="kept-find").set_value("zebra").run()
    assert "No kept session has that." in said(app)


_SCRIPT = """
import numpy as np
import streamlit as st
from dashboard.recordings.test_kept_sessions import talk
from speakerid.conversation.recorded_sound import RecordedSound
from speakerid.dashboard.shared import keep_dialog
from speakerid.gallery import Gallery

sound = RecordedSound()
sound.add(np.full(104000, 0.1, np.float32))
if "kept" not in st.session_state:  # under AppTest every run is one of the whole page
    kept = lambda one: st.session_state.update(kept=one)
    keep_dialog._dialog(1, talk, sound, Gallery.open(FOLDER), "live", kept)
"""


@pytest.mark.parametrize("ticked", [False, True])
def test_the_sound_is_kept_only_where_that_is_ticked(gallery, tmp_path, monkeypatch, ticked):
    monkeypatch.chdir(ROOT)
    script = tmp_path / "page.py"
    script.write_text(_SCRIPT.replace("FOLDER", repr(str(gallery.folder))))
    app = AppTest.from_file(str(script), default_timeout=120).run()
    assert app.text_input(key="keep-title-1").value == "Weekly round"
    assert f"“{REMOVED}” stands in the place of the name" in said(app)
    app.text_input(key="keep-title-1").set_value("Tuesday")
    if ticked:
        app.checkbox(key="keep-sound-1").check()
    app = app.button(key="keep-save-1").click().run()
    kept = sessions.get(gallery, app.session_state["kept"])
    assert kept.title == "Tuesday" and list(conversation_of(kept, gallery.speakers()).turns) == ENTRIES
    assert bool(kept.sound) is ticked and (kept.consent is not None) is ticked
    if ticked:
        assert "Everybody who is heard agrees" in kept.consent.text


def test_a_finished_analysis_offers_to_be_kept(gallery, tmp_path, monkeypatch):
    samples, _ = voices.conversation(["Alice"])
    data = voices.write_wav(tmp_path / "talk.wav", samples).read_bytes()
    app = analyzed(page(gallery, monkeypatch), data, "board meeting.wav")
    assert app.button(key="recording-keep").label == "Keep this conversation"
    assert (
        app.session_state["speakerid-session-recording"].thing.analysis.conversation.model
        == resources.encoder().id
    )
