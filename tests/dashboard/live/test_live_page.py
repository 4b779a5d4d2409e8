"""The Live page as a script: where it leads, what it offers, and how it does without a WebSocket."""

import time

import pytest
from dashboard.pages import open_page, said
from gallery.people import voiceprint
from streamlit_webrtc.component import WebRtcStreamerContext, WebRtcStreamerState

from speakerid.audio.browser import BrowserSource
from speakerid.dashboard import demo
from speakerid.dashboard.live.session import LiveSession
from speakerid.dashboard.shared import resources
from speakerid.errors import SpeakerIdError
from speakerid.gallery.opening import open_store
from speakerid.identify import Snapshot, Turn

PAGE = "2_Live.py"


def with_people(folder, *names: str, model: str | None = None) -> None:
    folder.mkdir(exist_ok=True)
    for seed, name in enumerate(names):
        open_store(folder).put(voiceprint(name, seed, model=model or resources.encoder().id))


def test_with_nobody_enrolled_the_page_leads_to_enrolling_and_offers_a_demo(tmp_path, monkeypatch):
    app = open_page(PAGE, tmp_path, monkeypatch)
    assert "Nobody is enrolled yet" in said(app)
    assert any("Enroll" in link.proto.page for link in app.get("page_link"))
    app.button(key="live-see-demo").click().run()
    assert not app.exception
    assert app.session_state["live-source"] == "Demo"
    session = app.session_state["live-session"]
    assert session.demonstrating and session.listening, "one click is enough"
    app.button(key="live-stop").click().run()
    assert not session.listening
    app.session_state["live-source"] = "Recording"
    assert "Nobody is enrolled yet" in said(app.run()), "the demo's people go with it"


def test_without_a_live_channel_the_page_says_so_and_shows_names_and_bars(tmp_path, monkeypatch):
    with_people(tmp_path / "v", "Ana <b>", "Bō")
    text = said(open_page(PAGE, tmp_path / "v", monkeypatch))
    assert "Live updates are not available here" in text
    assert "not listening" in text
    assert "Ana &lt;b&gt;" in text and "Ana <b>" not in text
    assert "Bō" in text and "unknown" in text


def test_without_a_live_channel_who_spoke_when_is_drawn_and_what_is_missing_is_said(tmp_path, monkeypatch):
    with_people(tmp_path / "v", "Ana <b>", "Bō")
    app = open_page(PAGE, tmp_path / "v", monkeypatch)
    turns = (Turn(0, 30, "Ana <b>", 0.9999), Turn(45, 75, "unknown", 0.6))
    board = app.session_state["live-session"].board
    board.update(Snapshot(at=75, turns=turns), [])
    board.correct(45, "Bō")
    html = [str(element.proto.body) for element in app.run().html]
    [timeline] = [body for body in html if "position:absolute" in body]
    lines = timeline.split("<div ")[1:]
    assert [line.count("<i ") for line in lines] == [1, 1, 0], "Ana, Bō, unknown"
    assert 'title="Ana &lt;b&gt;, 0:00.0 to 0:30.0"' in lines[0] and "left:0.00%;width:40.00%" in lines[0]
    assert "left:60.00%;width:40.00%" in lines[1] and "0:30.0</span>" in lines[1]
    [log] = [body for body in html if "<table" in body]
    assert "over 99%" in log and "heard as unknown" in log and "<b>" not in log
    assert "without the chart of the last minute, the map of voices" in said(app)


def test_every_source_can_be_chosen(tmp_path, monkeypatch):
    with_people(tmp_path / "v", "Ana")
    app = open_page(PAGE, tmp_path / "v", monkeypatch)
    for source in ("Recording", "Demo", "This computer's microphone", "Browser microphone"):
        app.session_state["live-source"] = source
        app.run()
        assert not app.exception, source


def test_a_computer_without_a_microphone_is_told_with_what_to_do(tmp_path, monkeypatch):
    with_people(tmp_path / "v", "Ana")
    monkeypatch.setattr(resources, "microphones", list)
    app = open_page(PAGE, tmp_path / "v", monkeypatch)
    app.session_state["live-source"] = "This computer's microphone"
    assert "connect one and reload the page, or take the browser's" in said(app.run())
    assert "live-start" not in [button.key for button in app.button]


def test_controls_start_at_the_defaults_and_lead_back_to_them(tmp_path, monkeypatch):
    with_people(tmp_path / "v", "Ana")
    app = open_page(PAGE, tmp_path / "v", monkeypatch)
    session = app.session_state["live-session"]
    assert session.settings == {}
    app.slider(key="live-set-threshold").set_value(0.8).run()
    assert session.settings == {"threshold": 0.8}
    app.toggle(key="live-set-closed_set").set_value(True).run()
    assert session.settings == {"threshold": 0.8, "closed_set": True}
    app.toggle(key="live-set-tuned").set_value(True).run()
    assert session.settings == {"threshold": 0.8, "closed_set": True, "tuned": True}
    app.toggle(key="live-gender").set_value(True).run()
    people = next(group for group in app.get("button_group") if group.label == "Who takes part")
    people.set_value([]).run()
    assert session.people.left_out == {"Ana"} and session.choices["live-gender"]
    app.button(key="live-defaults").click().run()
    assert session.settings == {}
    assert not session.people.left_out and not app.toggle(key="live-gender-1").value
    app.slider(key="live-set-threshold-1").set_value(0.7).run()
    assert session.settings == {"threshold": 0.7}


@pytest.mark.parametrize(
    ("model", "told"), [(None, "calibrated with the app"), ("another-1234", "which is not calibrated")]
)
def test_the_controls_tell_which_model_is_heard_by_and_how_it_is_calibrated(
    tmp_path, monkeypatch, model, told
):
    with_people(tmp_path / "v", "Ana")
    app = open_page(PAGE, tmp_path / "v", monkeypatch)
    assert "Heard by" not in said(app)
    model = model or resources.encoder().id
    app.session_state["live-session"]._listening.model = model
    text = said(app.run()).replace("\\", "")
    assert f"Heard by {model}" in text and told in text


def test_people_of_another_model_are_told_to_enroll_again(tmp_path, monkeypatch):
    with_people(tmp_path / "v", "Ana", model="another-1234")
    app = open_page(PAGE, tmp_path / "v", monkeypatch)
    app.session_state["live-session"].people.compare_by(resources.encoder().id)
    assert "Ana: enrolled with another voice model" in said(app.run())


def test_names_and_reasons_are_shown_as_they_are_written(tmp_path, monkeypatch):
    with_people(tmp_path / "v", "*A* :red[n]", model="another-1234")
    app = open_page(PAGE, tmp_path / "v", monkeypatch)
    people = next(group for group in app.get("button_group") if group.label == "Who takes part")
    assert people.proto.options[0].content == r"\*A\* \:red\[n\]"
    app.session_state["live-session"].people.compare_by(resources.encoder().id)
    assert r"\*A\* \:red\[n\]: enrolled" in app.run().warning[0].value

    def refuse(session):
        raise SpeakerIdError("no *such* file")

    app.session_state["live-source"] = "Demo"
    monkeypatch.setattr(LiveSession, "start_demo", refuse)
    app.run()
    app.button(key="live-start").click().run()
    assert app.error[0].value == r"no \*such\* file"


def test_sound_is_kept_only_while_asked_for_and_on_this_page(tmp_path, monkeypatch):
    with_people(tmp_path / "v", "Ana")
    app = open_page(PAGE, tmp_path / "v", monkeypatch)
    session = app.session_state["live-session"]
    assert not app.toggle(key="live-keep").value and not session.sound.on
    app.toggle(key="live-keep").set_value(True).run()
    assert session.sound.on
    app.switch_page("app.py").run()
    assert not session.sound.on, "leaving the page frees the sound"
    app.switch_page(f"pages/{PAGE}").run()
    assert not app.toggle(key="live-keep").value and not session.sound.on


def test_what_was_chosen_is_still_chosen_after_a_visit_to_another_page(tmp_path, monkeypatch):
    with_people(tmp_path / "v", "Ana", "Bō")
    app = open_page(PAGE, tmp_path / "v", monkeypatch)
    session = app.session_state["live-session"]
    app.slider(key="live-set-threshold").set_value(0.8).run()
    app.toggle(key="live-set-closed_set").set_value(True).run()
    app.toggle(key="live-gender").set_value(True).run()
    app.session_state["live-source"] = "Recording"
    app.run()
    session.people.leave_out(["Bō"])
    app.switch_page("app.py").run()
    app.switch_page(f"pages/{PAGE}").run()
    assert not app.exception
    assert session.settings == {"threshold": 0.8, "closed_set": True}
    assert app.slider(key="live-set-threshold").value == 0.8 and app.toggle(key="live-gender").value
    assert app.session_state["live-source"] == "Recording"
    assert session.people.left_out == {"Bō"}


def test_what_runs_can_be_stopped_whatever_source_is_chosen(tmp_path, monkeypatch):
    with_people(tmp_path / "v", "Ana")
    app = open_page(PAGE, tmp_path / "v", monkeypatch)
    session = app.session_state["live-session"]
    assert not [button for button in app.button if button.key == "live-stop"], "the component has its own"
    session.start_replay(demo.CONVERSATION)
    for source in ("Recording", "Demo", "This computer's microphone", "Browser microphone"):
        app.session_state["live-source"] = source
        app.run()
        assert [button for button in app.button if button.key == "live-stop"], source
    app.button(key="live-stop").click().run()
    assert not session.listening


def test_choosing_another_source_ends_the_browsers_microphone(tmp_path, monkeypatch):
    with_people(tmp_path / "v", "Ana")
    app = open_page(PAGE, tmp_path / "v", monkeypatch)
    session = app.session_state["live-session"]
    asked = WebRtcStreamerContext(None, WebRtcStreamerState(playing=True, signalling=False))
    session.stream.use(asked)
    session._listening.begin(BrowserSource())
    assert session.by_browser
    app.session_state["live-source"] = "Recording"
    app.run()
    assert not session.listening and not app.error
    assert session.board.state.kind == "idle" and "Choose a recording" in session.board.state.text
    later = time.monotonic() + 1000
    assert not session.stream.overdue(later) and not session.stream.overdue(later + 1000)


def test_the_voice_guess_is_off_until_asked_for(tmp_path, monkeypatch):
    with_people(tmp_path / "v", "Ana")
    app = open_page(PAGE, tmp_path / "v", monkeypatch)
    session = app.session_state["live-session"]
    assert not app.toggle(key="live-gender").value and session.board.gender is None
    session._listening.model = "a-model-without-it"
    assert "not available with this" in said(app.toggle(key="live-gender").set_value(True).run())
