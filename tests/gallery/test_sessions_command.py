"""`sessions`: kept conversations on the command line."""

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from people import store_people

from speakerid.cli import main
from speakerid.conversation.formats import to_csv
from speakerid.conversation.kept import conversation_of
from speakerid.gallery import Consent, Gallery, sessions
from speakerid.gallery.kept_session import KeptSession, SessionTurn, SessionVoice


@pytest.fixture
def kept(place) -> list[KeptSession]:
    """Anna and a stranger in a talk with sound, kept first; Bob, heard as Anna, in a meeting."""
    anna, bob = store_people(place, "Anna", "Bob")
    gallery = Gallery.open(place)
    voices = (SessionVoice(person=anna.id), SessionVoice(label="unknown 1"), SessionVoice(person=bob.id))
    talk = KeptSession(
        "", "A talk", "", "live", 6.0, "model-1", True, voices[:2],
        (SessionTurn(0, 2, 0, 0, 0.9), SessionTurn(2, 4, 1, 1, 0.8)),
    )  # fmt: skip
    meeting = KeptSession(
        "", "The meeting", "", "recording", 70.0, "model-1", True, voices, (SessionTurn(1, 65, 2, 0, 0.7),)
    )
    sound = (np.random.default_rng(1).standard_normal(6 * 16_000) * 0.1).astype(np.float32)
    return [
        sessions.keep(gallery, talk, [(0.0, sound, 0.0)], Consent.now("All agreed.", "tests")),
        sessions.keep(gallery, meeting),
    ]


@pytest.fixture
def run(place, capsys):
    """(status, output, the sentence on standard error) of the command."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main(["sessions", *arguments, "--voiceprints", str(place)])
        out, err = capsys.readouterr()
        return status, out, err.removeprefix("speakerid: ").strip()

    return run


def test_what_is_kept_is_listed_and_shown(kept, run):
    talk, meeting = kept
    status, out, _ = run()
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert status == 0 and set(lines) == {talk.id, meeting.id}
    assert lines[talk.id].endswith("A talk  (live, 0:06.0, with sound, 2 turns: Anna, unknown 1)")
    assert lines[meeting.id].endswith("The meeting  (recording, 1:10.0, 1 turn: Bob)")
    rows = {row["id"]: row for row in json.loads(run("list", "--json")[1])["sessions"]}
    assert rows[talk.id]["sound_seconds"] == 6.0 and rows[meeting.id]["people"] == ["Bob"]
    for word in ("the MEETING", meeting.id, meeting.id[:6]):
        out = run("show", word)[1]
        assert out.splitlines()[0].startswith("The meeting  (recording, 1:10.0, kept 2")
        assert out.splitlines()[1:] == ["   0:01.0 –    1:05.0   70%  Bob"]
    shown = json.loads(run("show", "A talk", "--json")[1])
    assert [turn["speaker"] for turn in shown["turns"]] == ["Anna", "unknown 1"] and shown["id"] == talk.id


def test_what_is_kept_is_written_as_every_door_writes_it(kept, run, place, tmp_path):
    for end in ("csv", "rttm", "json", "srt", "vtt", "html"):
        status, out, _ = run("export", "A talk", str(tmp_path / f"talk.{end}"))
        assert status == 0 and f"talk.{end}" in out and "Anna" in (tmp_path / f"talk.{end}").read_text()
    gallery = Gallery.open(place)
    conversation = conversation_of(kept[0], gallery.speakers())
    assert (tmp_path / "talk.csv").read_text() == conversation.csv()
    assert to_csv(conversation.turns).splitlines()[0] in conversation.csv()
    status, _, told = run("export", "A talk", str(tmp_path / "talk.doc"))
    assert status == 1 and "no end that tells the format" in told and ".vtt" in told
    status, _, told = run("export", "A talk", str(tmp_path / "nowhere" / "talk.csv"))
    assert status == 1 and "cannot be written" in told
    assert {path.suffix for path in tmp_path.glob("talk.*")} == {
        ".csv", ".rttm", ".json", ".srt", ".vtt", ".html",
    }  # fmt: skip


def test_a_terminal_asks_before_anything_is_deleted(kept, run, place, monkeypatch: pytest.MonkeyPatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    status, out, told = run("remove", "A talk")
    assert (status, out) == (1, "") and 'Delete "A talk"' in told and "Nothing was deleted" in told
    assert len(sessions.shelf(Gallery.open(place)).sessions) == 2
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    assert run("remove", "A talk")[:2] == (0, '"A talk" is deleted, and its sound.\n')
    monkeypatch.setattr(sys, "stdin", Terminal(""))
    status, out, _ = run("remove", kept[1].id, "--yes", "--json")
    assert status == 0 and json.loads(out) == {"removed": kept[1].id, "title": "The meeting"}
    assert sessions.shelf(Gallery.open(place)).sessions == ()
    assert "No conversation is kept" in run()[1]
    assert Gallery.open(place).audit()[-1]["what"] == "remove-session"


def test_what_is_not_kept_or_not_clear_is_told(kept, run, place):
    assert run("show", "A tolk")[2] == (
        'No session is called "A tolk" (there is "A talk", "The meeting"): check the title, or give the id.'
    )
    gallery = Gallery.open(place)
    sessions.retitle(gallery, kept[1].id, "a Talk")
    told = run("show", "A talk")[2]
    assert told.startswith('2 sessions are called "A talk"') and all(one.id in told for one in kept)
    for one in kept:
        sessions.delete(gallery, one.id)
    assert "nor is any other kept" in run("remove", "A talk", "--yes")[2]


@pytest.mark.parametrize("words", ["show", "export x", "remove", "list x", "show x y.csv", "sing"])
def test_what_is_missing_is_wrong_usage(words: str, place: Path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["sessions", *words.split(), "--voiceprints", str(place)])
    assert ended.value.code == 2 and "usage" in capsys.readouterr().err
