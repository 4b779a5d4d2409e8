"""Recordings: the analysis, strangers told apart, and the page from upload to downloads; the real model."""

import csv
import io
import json
import re
import shutil
import struct
import time
from pathlib import Path

import numpy as np
import pytest
from dashboard.pages import open_page, plain, said
from support import voices

from speakerid.audio.decode import stream
from speakerid.conversation.analysis import Analysis
from speakerid.conversation.conversation import Conversation
from speakerid.conversation.entry import Entry
from speakerid.conversation.recorded_sound import RecordedSound
from speakerid.conversation.shares import Share, talking_time
from speakerid.conversation.strangers import Voice, cluster, likeness
from speakerid.dashboard import demo
from speakerid.dashboard.recordings import visit as recordings_visit
from speakerid.dashboard.recordings.view import _entry_at, exports
from speakerid.dashboard.recordings.visit import RecordingPage
from speakerid.dashboard.shared import resources
from speakerid.errors import AudioError
from speakerid.gallery import Consent, Gallery
from speakerid.identify import Listener
from speakerid.identify.scoring import Scorer


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Alice and Bruno are enrolled."""
    made = tmp_path_factory.mktemp("voiceprints")
    gallery = Gallery.open(made)
    for name in ("Alice", "Bruno"):
        consent = Consent.now("yes", "test")
        gallery.enroll(name, voices.enrollment(name), resources.encoder(), consent=consent)
    return made


SCORER = Scorer()  # uncalibrated


def finish(analysis: Analysis):
    end = time.monotonic() + 120
    while analysis.heard.running:
        assert time.monotonic() < end, "the analysis did not end"
        time.sleep(0.05)
    return analysis.heard


def unit(*numbers: float) -> np.ndarray:
    row = np.array(numbers, np.float32)
    return row / np.linalg.norm(row)


def test_average_linkage_groups_by_voice_in_order_of_appearance():
    a, b, c = unit(1, 0, 0), unit(0, 1, 0), unit(0, 0, 1)
    rows = np.stack([b, a, unit(0.1, 1, 0), unit(1, 0.1, 0), c, a])
    assert cluster(rows @ rows.T, 0.5) == [0, 1, 0, 1, 2, 1]
    assert cluster(np.ones((1, 1)), 0.5) == [0]
    assert cluster(np.zeros((0, 0)), 0.5) == []


def test_average_linkage_agrees_with_its_definition():
    rng = np.random.default_rng(3)
    rows = rng.standard_normal((24, 8))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    groups = [[index] for index in range(24)]
    while len(groups) > 1:
        pairs = [(i, j) for i in range(len(groups)) for j in range(i)]
        best = max(pairs, key=lambda p: (rows[groups[p[0]]] @ rows[groups[p[1]]].T).mean())
        if (rows[groups[best[0]]] @ rows[groups[best[1]]].T).mean() < 0.2:
            break
        groups[best[1]] += groups.pop(best[0])
    found = cluster(rows @ rows.T, 0.2)
    assert {frozenset(group) for group in groups} == {
        frozenset(np.flatnonzero(np.array(found) == number).tolist()) for number in set(found)
    }


def test_a_pair_of_voices_is_as_alike_as_the_scorer_says(folder):
    rng = np.random.default_rng(5)
    rows = rng.standard_normal((6, 192)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    heard = [Voice(k, 0.5 + k, row) for k, row in enumerate(rows)]
    for scorer in (SCORER, Scorer.for_model(resources.encoder().id)):
        alike = likeness(heard, scorer)
        for first in range(6):
            for second in range(first):
                seconds = (heard[first].seconds, heard[second].seconds)
                said = scorer.same_voice(rows[first], rows[second], seconds)
                assert alike[first, second] == pytest.approx(said, abs=1e-3)


def test_how_far_the_clustering_is_is_told():
    told: list[float] = []
    a, b = unit(1, 0), unit(0, 1)
    rows = np.stack([a if k % 2 else b for k in range(200)])
    assert cluster(rows @ rows.T, 0.5, told.append) == [0, 1] * 100
    assert told[0] == 0 and told[-1] == 1 and told == sorted(told) and len(told) > 3


def test_a_recording_gives_what_the_listener_gives(folder, tmp_path):
    samples, _ = voices.conversation(["Alice", "Edgar", "Bruno"])
    path = voices.write_wav(tmp_path / "talk.wav", samples)
    analysis = Analysis(stream(path), lambda: Listener(resources.encoder(), Gallery.open(folder)))
    heard = finish(analysis)
    listener = Listener(resources.encoder(), Gallery.open(folder))
    for block in stream(path):
        listener.push(block)
    listener.flush()
    assert heard.turns == tuple(listener.turns)
    assert heard.error == ""
    assert heard.seconds == pytest.approx(len(samples) / 16000, abs=0.05)
    assert [turn.speaker for turn in heard.turns] == ["Alice", "unknown", "Bruno"]


def test_a_recording_can_be_given_up(folder):
    analysis = Analysis(
        stream(demo.CONVERSATION), lambda: Listener(resources.encoder(), Gallery.open(folder))
    )
    analysis.close()
    assert finish(analysis).seconds < 60


def test_a_file_that_breaks_is_a_sentence(tmp_path):
    path = tmp_path / "broken.wav"
    path.write_bytes(b"RIFF and nothing more")
    heard = finish(Analysis(stream(path), lambda: Listener(resources.encoder(), Gallery.open(tmp_path))))
    assert "broken.wav" in heard.error


def float_wav(samples: np.ndarray) -> bytes:
    """A WAV file of float32 samples [n] at 16 kHz, which can hold what is not a number."""
    data = samples.astype("<f4").tobytes()
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 3, 1, 16000, 64000, 4, 32)
    sound = struct.pack("<4sI", b"data", len(data)) + data
    return struct.pack("<4sI4s", b"RIFF", 4 + len(form) + len(sound), b"WAVE") + form + sound


def test_a_recording_that_breaks_in_the_middle_is_not_called_heard_to_its_end(folder, monkeypatch):
    samples, _ = voices.conversation(["Alice", "Bruno", "Alice"])
    at = len(samples) * 2 // 3
    samples[at : at + 100] = np.nan
    app = analyzed(open_page("3_Recordings.py", folder, monkeypatch), float_wav(samples), "broken_talk.wav")
    [error] = app.error
    assert "values that are not numbers" in plain(error.value)
    until = re.search(r"Up to 0:(\d+\.\d) it was heard; what comes after that was not", plain(error.value))
    assert until and at / 16000 - 1 < float(until[1]) <= at / 16000
    text = said(app)
    assert "heard to its end" not in text and "heard, not the rest" in text
    assert "Alice" in set(app.dataframe[0].value["Speaker"]), "what was heard before is shown"


def test_a_recording_that_is_cut_off_is_heard_as_far_as_it_goes(folder, tmp_path, monkeypatch):
    samples, _ = voices.conversation(["Alice"])
    data = voices.write_wav(tmp_path / "talk.wav", samples).read_bytes()
    app = analyzed(open_page("3_Recordings.py", folder, monkeypatch), data[: len(data) // 2], "talk_1.wav")
    assert "talk_1.wav is cut off before its end" in plain(app.warning[0].value)
    assert "heard to its end" not in said(app) and "as far as it can be read" in said(app)


def analyzed(app, data: bytes, name: str):
    app.file_uploader(key="recording-file").set_value((name, data, "audio/wav"))
    app = app.run()
    app = app.button(key="recording-start").click().run()
    end = time.monotonic() + 120
    while any(button.key == "recording-cancel" for button in app.button):
        assert time.monotonic() < end, "the analysis did not end"
        time.sleep(0.3)
        app = app.run()
    return app


def test_the_page_shows_who_spoke_and_offers_it_as_files(folder, tmp_path, monkeypatch):
    samples, truth = voices.conversation(["Alice", "Bruno", "Edgar", "Alice"])
    data = voices.write_wav(tmp_path / "talk.wav", samples).read_bytes()
    app = analyzed(open_page("3_Recordings.py", folder, monkeypatch), data, "board meeting.wav")
    text = said(app)
    assert "Enrolled people heard" in text
    table = app.dataframe[0].value
    assert list(table["Speaker"]) == [
        turn.speaker if turn.speaker != "Edgar" else "unknown" for turn in truth
    ]
    labels = [button.label for button in app.download_button]
    assert labels == ["CSV", "RTTM", "JSON", "SRT", "WebVTT", "Report"]


def test_a_picked_turn_is_heard_and_its_voice_enrolled(folder, tmp_path, monkeypatch):
    people = tmp_path / "people"
    shutil.copytree(folder, people)
    samples, _ = voices.conversation(["Alice", "Edgar", "Bruno", "Edgar", "Edgar"])
    data = voices.write_wav(tmp_path / "talk.wav", samples).read_bytes()
    app = analyzed(open_page("3_Recordings.py", people, monkeypatch), data, "talk.wav")
    visit = app.session_state["speakerid-session-recording"].thing
    entries = visit.conversation.turns
    strangers = [number for number, entry in enumerate(entries) if entry.speaker.startswith("unknown")]
    assert strangers and "Click a turn" in said(app)
    sound = visit.analysis.sound.cut(entries[0].start, entries[0].end)
    first = round(entries[0].start * 16000)
    assert np.corrcoef(sound, samples[first : first + len(sound)])[0, 1] > 0.99

    blocks = [
        visit.analysis.sound.cut(entries[n].start, entries[n].end).astype(np.float32) / 32768
        for n in strangers
    ]
    consent = Consent.now("yes", "test")
    Gallery.open(people).enroll("Edgar", blocks, resources.encoder(), consent=consent)
    visit.named("Edgar", [entries[n].start for n in strangers])
    assert {visit.conversation.turns[n].speaker for n in strangers} == {"Edgar"}
    text = said(app.run())
    assert (
        "Edgar" in set(app.dataframe[0].value["Speaker"]) and "unknown" not in text.split("Click a turn")[0]
    )
    visit.close()
    assert visit.analysis is None


def test_the_sound_of_a_recording_is_gone_once_it_is_closed():
    sound = RecordedSound()
    sound.add(np.full(1600, 0.5, np.float32))
    assert list(sound.cut(0.05, 0.05 + 2 / 16000)) == [16383, 16383]
    assert sound.cut(1, 2) is None
    sound.close()
    assert sound.cut(0, 0.1) is None
    sound.add(np.zeros(10, np.float32))


def test_a_click_on_the_picture_finds_its_turn():
    entries = [Entry(k, k + 1, name, 0.9, name) for k, name in enumerate(["Bo", "unknown", "Ana", "Bo"])]
    names = ["Ana", "Bo"]  # rows: Ana, Bo, unknown
    assert _entry_at({"curve_number": 1, "point_index": 1}, entries, names) == 3
    assert _entry_at({"curve_number": 2, "point_index": 0}, entries, names) == 1
    assert _entry_at({"curve_number": 2, "point_index": 7}, entries, names) is None
    assert _entry_at({"curve_number": 9, "point_index": 0}, entries, names) is None


def test_the_downloads_hold_every_turn():
    entries = [
        Entry(0.5, 2.25, "Ana María", 0.9, "Ana María"),
        Entry(3, 4, "unknown 1", 0.8, "unknown"),
    ]
    conversation = Conversation("board meeting", 5.0, tuple(entries), "a-model", True)
    files = exports(conversation, "board meeting.mp3", {"Ana María": "#123456"})
    kinds = ("csv", "rttm", "json", "srt", "vtt", "html")
    assert [file for file, _, _ in files.values()] == [f"board meeting.{kind}" for kind in kinds]
    assert "#123456" in files["html"][1] and "board meeting.mp3" in files["html"][1]
    rows = list(csv.DictReader(io.StringIO(files["csv"][1])))
    assert [(row["start"], row["end"], row["speaker"]) for row in rows] == [
        ("0.50", "2.25", "Ana María"),
        ("3.00", "4.00", "unknown 1"),
    ]
    assert files["rttm"][1].splitlines() == [
        "SPEAKER board_meeting 1 0.500 1.750 <NA> <NA> Ana_María 0.900 <NA>",
        "SPEAKER board_meeting 1 3.000 1.000 <NA> <NA> unknown_1 0.800 <NA>",
    ]
    assert [row["speaker"] for row in json.loads(files["json"][1])] == ["Ana María", "unknown 1"]


def test_without_people_everybody_is_unknown_and_the_page_says_so(tmp_path, monkeypatch):
    samples, _ = voices.conversation(["Alice"])
    data = voices.write_wav(tmp_path / "talk.wav", samples).read_bytes()
    app = open_page("3_Recordings.py", tmp_path / "nobody", monkeypatch)
    assert "every voice will be unknown" in said(app)
    app = analyzed(app, data, "talk.wav")
    assert set(app.dataframe[0].value["Speaker"]) == {"unknown"}


@pytest.mark.parametrize(("data", "word"), [(b"no sound at all", "not a sound file"), (b"", "empty")])
def test_what_is_no_recording_is_refused_at_once(folder, monkeypatch, data, word):
    app = analyzed(open_page("3_Recordings.py", folder, monkeypatch), data, "talk.wav")
    assert word in app.error[0].value


def test_silence_and_noise_are_no_speech(folder, tmp_path, monkeypatch):
    noise = np.random.default_rng(0).standard_normal(80_000).astype(np.float32) * 0.01
    data = voices.write_wav(tmp_path / "noise.wav", noise).read_bytes()
    app = analyzed(open_page("3_Recordings.py", folder, monkeypatch), data, "noise.wav")
    assert "No speech was found" in said(app)


def test_an_analysis_goes_on_while_another_page_is_open_and_is_there_on_return(folder, tmp_path, monkeypatch):
    samples, _ = voices.conversation(["Alice", "Bruno"])
    data = voices.write_wav(tmp_path / "talk.wav", samples).read_bytes()
    app = open_page("3_Recordings.py", folder, monkeypatch)
    app.file_uploader(key="recording-file").set_value(("talk.wav", data, "audio/wav"))
    app = app.run().button(key="recording-start").click().run()
    analysis = app.session_state["speakerid-session-recording"].thing.analysis
    app = app.switch_page("app.py").run()
    assert finish(analysis).error == "" and analysis.heard.seconds == pytest.approx(
        len(samples) / 16000, abs=0.05
    )
    app = app.switch_page("pages/3_Recordings.py").run()
    assert list(app.dataframe[0].value["Speaker"]) == ["Alice", "Bruno"]
    assert "talk.wav" in said(app)
    assert analysis.sound.cut(0, 1) is not None, "its turns can be heard still"


def test_more_recordings_at_once_than_the_computer_can_take_are_refused(folder, tmp_path, monkeypatch):
    samples, _ = voices.conversation(["Alice", "Bruno", "Alice"])
    data = voices.write_wav(tmp_path / "talk.wav", samples).read_bytes()
    people = Gallery.open(folder)
    monkeypatch.setattr(recordings_visit, "MOST_AT_ONCE", 1)
    first, second = RecordingPage(), RecordingPage()
    first.start(data, "one.wav", resources.encoder, people)
    with pytest.raises(AudioError, match=r"1 recording is .* try again when one of them has ended"):
        second.start(data, "two.wav", resources.encoder, people)
    first.start(data, "instead.wav", resources.encoder, people)  # the one before ends with it
    first.close()
    second.start(data, "two.wav", resources.encoder, people)
    second.close()


def test_a_recording_longer_than_the_limit_is_refused_before_it_is_heard(folder, tmp_path, monkeypatch):
    data = voices.write_wav(tmp_path / "talk.wav", np.zeros(16_000, np.float32)).read_bytes()
    monkeypatch.setattr(recordings_visit, "LONGEST_HOURS", 0.5 / 3600)
    with pytest.raises(AudioError, match="cut it into parts"):
        RecordingPage().start(data, "talk.wav", resources.encoder, Gallery.open(folder))


def test_shares_of_talking_time_add_up():
    entries = [Entry(0, 6, "Ana", 0.9, "Ana"), Entry(4, 7, "Bo", 0.9, "Bo"), Entry(8, 9, "Ana", 0.9, "Ana")]
    assert talking_time(entries) == [Share("Ana", 7, 0.7), Share("Bo", 3, 0.3)]
    assert talking_time([]) == []


def test_the_page_shows_shares_of_talking_time_as_text(folder, tmp_path, monkeypatch):
    samples, _ = voices.conversation(["Alice", "Bruno"])
    data = voices.write_wav(tmp_path / "talk.wav", samples).read_bytes()
    app = analyzed(open_page("3_Recordings.py", folder, monkeypatch), data, "talk.wav")
    shares = [int(share) for share in re.findall(r"<span>(\d+)%</span>", said(app))]
    assert len(shares) == 2 and sum(shares) in (99, 100, 101)
    assert "2 turns of 2 voices" in said(app)
