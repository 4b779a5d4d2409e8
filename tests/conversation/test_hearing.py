"""One recording, one answer: from Python, the command line, the REST API and the Recordings page."""

import json
import time
from pathlib import Path

import pytest
from support import voices

import speakerid
from speakerid import Gallery
from speakerid.audio.decode import stream
from speakerid.cli import main
from speakerid.conversation.analysis import Analysis
from speakerid.conversation.conversation import Conversation
from speakerid.conversation.formats import turn_row
from speakerid.errors import AudioError
from speakerid.gallery import Consent
from speakerid.identify import Listener

SPOKEN = ["Alice", "Edgar", "Callum", "Edgar", "Callum"]  # only Alice is enrolled


@pytest.fixture(scope="module")
def gallery(tmp_path_factory, encoder) -> Gallery:
    made = Gallery.open(tmp_path_factory.mktemp("alice") / "voiceprints", "")
    made.enroll("Alice", voices.enrollment("Alice"), encoder, consent=Consent.given("tests"))
    return made


@pytest.fixture(scope="module")
def talk(tmp_path_factory) -> tuple[Path, list[voices.Turn]]:
    samples, turns = voices.conversation(SPOKEN)
    return voices.write_wav(tmp_path_factory.mktemp("talk") / "talk.wav", samples), turns


@pytest.fixture(scope="module")
def identified(talk, gallery, encoder) -> Conversation:
    return speakerid.identify(talk[0], gallery, encoder)


def test_strangers_are_told_apart(identified, talk):
    assert identified.strangers == ["unknown 1", "unknown 2"]
    names = {"Alice": "Alice", "Edgar": "unknown 1", "Callum": "unknown 2"}
    for turn in talk[1]:
        best = max(identified.turns, key=lambda e: min(turn.end, e.end) - max(turn.start, e.start))
        assert best.speaker in (names[turn.speaker], "unknown")
    assert identified.calibrated and identified.name == "talk" and identified.warnings == ()
    assert set(identified.speaking_seconds) >= {"Alice", "unknown 1", "unknown 2"}


def test_the_command_line_says_the_same(identified, talk, gallery, tmp_path, capsys):
    rttm, table = tmp_path / "o.rttm", tmp_path / "o.csv"
    options = ["--voiceprints", str(gallery.folder), "--rttm", str(rttm), "--csv", str(table), "--json"]
    assert main(["identify", str(talk[0]), *options]) == 0
    assert json.loads(capsys.readouterr().out)["turns"] == [turn_row(turn) for turn in identified.turns]
    assert rttm.read_text("utf-8") == identified.rttm()
    assert table.read_text("utf-8") == identified.csv()
    assert identified.model in identified.csv() and "with the app" in identified.html()


def test_the_page_says_the_same(identified, talk, gallery, encoder):
    analysis = Analysis(stream(talk[0]), lambda: Listener(encoder, gallery), "talk")
    end = time.monotonic() + 120
    while analysis.heard.running and time.monotonic() < end:
        time.sleep(0.05)
    assert analysis.conversation == identified
    analysis.close()


def test_a_correction_makes_another_conversation(identified):
    stranger = next(turn for turn in identified.turns if turn.speaker == "unknown 1")
    corrected = identified.corrected("Cem", [stranger.start])
    assert [turn.start for turn in corrected.turns if turn.speaker == "Cem"] == [stranger.start]
    assert "Cem" in corrected.rttm() and "Cem" not in identified.rttm()
    assert json.loads(corrected.json())[0].keys() == {
        "start",
        "end",
        "speaker",
        "confidence",
        "named",
        "corrected",
        "model",
        "calibration",
    }


def test_a_file_that_is_no_recording_is_refused(tmp_path, gallery, encoder):
    (tmp_path / "talk.wav").write_bytes(b"no sound")
    with pytest.raises(AudioError):
        speakerid.identify(tmp_path / "talk.wav", gallery, encoder)


def test_the_room_and_the_function_share_a_name():
    from speakerid import identify
    from speakerid.identify import scoring

    assert callable(identify) and scoring.__name__ == "speakerid.identify.scoring"
