"""The command line as a person runs it: a process, its output and its exit status.

Where one sentence is asked for many times over, only the first time takes a process of its own: to start one
takes half a second.
"""

import csv
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support import voices

from speakerid.cli import main

ROOT = Path(__file__).resolve().parents[1]


def run(*arguments, folder: Path, **environment) -> subprocess.CompletedProcess[str]:
    """Run a command in an empty folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = {key: value for key, value in os.environ.items() if not key.startswith("SPEAKERID_")}
    return subprocess.run(
        [sys.executable, "-m", "speakerid", *map(str, arguments)],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


def done(*arguments, folder: Path, **environment) -> str:
    """Standard output of a command that must succeed."""
    result = run(*arguments, folder=folder, **environment)
    assert result.returncode == 0, result.stderr
    return result.stdout


def refused(*arguments, folder: Path, **environment) -> str:
    """The one line on standard error of a command that must be refused."""
    result = run(*arguments, folder=folder, **environment)
    assert (result.returncode, result.stdout) == (1, ""), result
    (line,) = result.stderr.splitlines()
    assert line.startswith("speakerid: ") and "Traceback" not in line
    return line.removeprefix("speakerid: ")


@pytest.fixture
def refused_here(tmp_path, monkeypatch, capsys):
    """What `refused` gives, of a command that runs in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SPEAKERID_VOICEPRINTS")

    def refused_here(*arguments) -> str:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert (status, out) == (1, "")
        (line,) = err.splitlines()
        assert line.startswith("speakerid: ") and "Traceback" not in line
        return line.removeprefix("speakerid: ")

    return refused_here


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory) -> Path:
    """A folder in whose voiceprints/ Alice and Bruno were enrolled by the command line."""
    folder = tmp_path_factory.mktemp("enrolled")
    reports = [
        json.loads(done("enroll", name, *voices.enrollment_files(name), "--consent", "--json", folder=folder))
        for name in ("Alice", "Bruno")
    ]
    assert [report["name"] for report in reports] == ["Alice", "Bruno"]
    assert all(report["speech_seconds"] > 15 and 5 <= report["exemplars"] <= 10 for report in reports)
    return folder


@pytest.fixture(scope="module")
def heard(enrolled) -> tuple[Path, list[voices.Turn]]:
    """The folder after `identify` ran over a conversation with a stranger; and who really spoke when."""
    samples, turns = voices.conversation(["Alice", "Bruno", "Edgar", "Alice", "Edgar", "Bruno"])
    voices.write_wav(enrolled / "our talk.wav", samples)
    out = done(
        *(
            "identify",
            "our talk.wav",
            "--rttm",
            "o.rttm",
            "--csv",
            "o.csv",
            "--decisions",
            "o.jsonl",
            "--json",
        ),
        folder=enrolled,
    )
    (enrolled / "o.json").write_text(out)
    return enrolled, turns


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("sing",),
        ("enroll",),
        ("enroll", "Anna"),
        ("enroll", "Anna", "a.wav", "--from", "people"),
        ("embed", "a.wav"),
        ("identify",),
        ("rename", "Anna"),
        ("live", "--seconds", "-1"),
        ("record", "Anna", "--seconds", "soon"),
        ("record", "Anna", "--consent", "--seconds", "86400"),
    ],
)
def test_wrong_usage_is_status_2_with_the_usage(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    out, err = capsys.readouterr()
    assert ended.value.code == 2 and err.startswith("usage: ") and out == ""


def test_wrong_usage_ends_the_process_with_status_2(tmp_path):
    result = run("sing", folder=tmp_path)
    assert result.returncode == 2 and result.stderr.startswith("usage: ") and result.stdout == ""


def test_help_lists_the_commands(tmp_path):
    told = done("--help", folder=tmp_path)
    commands = ("embed", "enroll", "identify", "speakers", "remove", "rename", "record", "live")
    assert [command for command in commands if f"\n    {command} " not in told] == []


def test_looking_at_people_is_quick_because_it_needs_no_torch(tmp_path):
    code = "import sys; from speakerid.cli import main; main(['speakers']); sys.exit('torch' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, timeout=60)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_enrolled_without_consent(tmp_path):
    told = refused("enroll", "Anna", voices.enrollment_files("Alice")[0], folder=tmp_path)
    assert told.startswith("Consent is missing") and "--consent" in told
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("unknown", "reserved for strangers"),
        (" ", "empty"),
        ("x" * 101, "101 characters"),
        ("a\tb", "U+0009"),
    ],
)
def test_a_name_that_cannot_be_is_refused_first(refused_here, name, says):
    assert says in refused_here("enroll", name, "nowhere.wav", "--consent")


@pytest.mark.parametrize("command", ["enroll Anna {} --consent", "identify {}", "embed {} --out o.npz"])
@pytest.mark.parametrize("file", ["nowhere.wav", "notes.txt", "empty.wav"])
def test_a_file_that_cannot_be_used_is_named_in_one_line(tmp_path, refused_here, command, file):
    (tmp_path / "notes.txt").write_text("no sound at all\n" * 50)
    (tmp_path / "empty.wav").write_bytes(b"")
    assert file in refused_here(*command.format(file).split())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.wav", "notes.txt"]


def test_people_are_listed(enrolled):
    lines = done("speakers", folder=enrolled).splitlines()
    assert [line.split()[0] for line in lines] == ["Alice", "Bruno"]
    people = json.loads(done("speakers", "--json", folder=enrolled))
    assert [person["name"] for person in people["speakers"]] == ["Alice", "Bruno"]
    assert people["speakers"][0]["consent"]["source"] == "cli" and people["damaged"] == []


def test_rename_and_remove(enrolled, tmp_path):
    stored = tmp_path / "copy"
    stored.mkdir()
    for path in (enrolled / "voiceprints").glob("voiceprints.sqlite*"):
        (stored / path.name).write_bytes(path.read_bytes())
    place = {"folder": tmp_path, "SPEAKERID_VOICEPRINTS": str(stored)}
    assert '"Alice" is now called "Zoë 李"' in done("rename", "alice", "Zoë 李", **place)
    assert "There is already somebody" in refused("rename", "Bruno", "ZOË 李", **place)
    assert json.loads(done("remove", "Bruno", "--json", **place)) == {"removed": "Bruno"}
    assert 'Nobody called "Bruno"' in refused("remove", "Bruno", **place)
    assert done("speakers", "--voiceprints", stored, folder=tmp_path).startswith("Zoë 李  (")
    with sqlite3.connect(stored / "voiceprints.sqlite") as database:
        database.execute("UPDATE speakerid_voiceprints SET content = 'broken', generation = 99")
        database.execute("UPDATE speakerid_state SET generation = 99")
    result = run("speakers", **place)
    assert result.returncode == 0 and ".safetensors" in result.stderr and "not used" in result.stderr


def test_identify_names_the_enrolled_and_calls_the_stranger_unknown(heard):
    folder, turns = heard
    told = json.loads((folder / "o.json").read_text())["turns"]
    for turn in turns:
        shown: dict[str, float] = {}
        for other in told:
            overlap = min(turn.end, other["end"]) - max(turn.start, other["start"])
            shown[other["speaker"]] = shown.get(other["speaker"], 0) + max(overlap, 0)
        expected = turn.speaker if turn.speaker in ("Alice", "Bruno") else "unknown"
        assert max(shown, key=lambda name: shown[name]) == expected


def test_decisions_are_lines_of_json_in_order(heard):
    folder, turns = heard
    decisions = [json.loads(line) for line in (folder / "o.jsonl").read_text().splitlines()]
    assert all(list(decision) == ["at", "speaker", "confidence", "scores", "also"] for decision in decisions)
    times = [decision["at"] for decision in decisions]
    assert times == sorted(times) and times[0] < turns[0].start + 1.5
    for decision in decisions:
        if decision["speaker"] is None:
            assert decision["scores"] == {}
        else:
            assert set(decision["scores"]) == {"Alice", "Bruno", "unknown"}
            assert sum(decision["scores"].values()) == pytest.approx(1, abs=0.001)
        assert 0 <= decision["confidence"] <= 1


def test_rttm_and_csv_tell_the_same_turns(heard):
    folder, _ = heard
    turns = json.loads((folder / "o.json").read_text())["turns"]
    rttm = [line.split() for line in (folder / "o.rttm").read_text().splitlines()]
    assert {(len(row), row[0], row[1], row[2]) for row in rttm} == {(10, "SPEAKER", "our_talk", "1")}
    assert [row[7] for row in rttm] == [turn["speaker"] for turn in turns]
    assert [float(row[3]) for row in rttm] == pytest.approx([turn["start"] for turn in turns], abs=0.006)
    assert [float(row[4]) for row in rttm] == pytest.approx([t["end"] - t["start"] for t in turns], abs=0.011)
    with (folder / "o.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["speaker"] for row in table] == [turn["speaker"] for turn in turns]
    assert [float(row["end"]) for row in table] == pytest.approx([turn["end"] for turn in turns], abs=0.006)


def test_json_tells_model_and_calibration(heard):
    folder, _ = heard
    told = json.loads((folder / "o.json").read_text())
    assert told["model"].startswith("ecapa-bundled-") and told["calibrated"] is True and told["seconds"] > 10


def test_identify_without_anybody_enrolled_says_so_and_knows_nobody(heard, tmp_path):
    folder, _ = heard
    result = run("identify", folder / "our talk.wav", "--decisions", "-", folder=tmp_path)
    assert result.returncode == 0 and 'every voice will be "unknown"' in result.stderr
    assert {json.loads(line)["speaker"] for line in result.stdout.splitlines()} == {"unknown", None}


def test_identify_tells_a_wrong_place_before_the_work(heard):
    folder, _ = heard
    before = sorted(folder.iterdir())
    told = refused("identify", "our talk.wav", "--csv", "o2.csv", "--rttm", "no/o.rttm", folder=folder)
    assert '"no/o.rttm" cannot be written' in told
    assert sorted(folder.iterdir()) == before


COMMANDS_WITH_A_NAME = (
    "remove Alise", "rename Alise Ada", "merge Alise Bruno", "merge Bruno Alise", "export o.zip Alise",
    "move-exemplar Alise 1 Bruno", "move-exemplar Bruno 1 Alise", "remove-exemplar Alise 1",
    "reembed Alise", "verify Alise {talk}", "enroll Zoe {talk} --consent --distinct-from Alise",
    "enroll --from {people} --consent --distinct-from Alise", "record Zoe --consent --distinct-from Alise",
)  # fmt: skip


def test_a_name_that_nobody_has_is_told_with_those_that_are_like_it(enrolled, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(enrolled)
    monkeypatch.delenv("SPEAKERID_VOICEPRINTS")
    (tmp_path / "Zoe").mkdir()
    before = done("speakers", "--json", folder=enrolled)
    talk = voices.enrollment_files("Bruno")[0]
    for command in COMMANDS_WITH_A_NAME:
        words = [word.format(talk=talk, people=tmp_path) for word in command.split()]
        assert main(words) == 1, command
        out, err = capsys.readouterr()
        assert (out, err) == (
            "",
            'speakerid: Nobody called "Alise" is enrolled (there is "Alice", "Bruno"): check the name.\n',
        ), command
    assert done("speakers", "--json", folder=enrolled) == before and not Path("o.zip").exists()


def test_another_persons_voice_is_refused_on_the_command_line(enrolled):
    again = ("enroll", "Mallory", voices.enrollment_files("Alice")[1], "--consent")
    told = refused(*again, folder=enrolled)
    assert 'the voice of "Alice"' in told and '--distinct-from "Alice"' in told
    try:
        accepted = run(*again, "--distinct-from", "alice", folder=enrolled)
        assert 'sounds very much like "Alice"' in accepted.stderr
    finally:
        run("remove", "Mallory", folder=enrolled)


def test_embed_writes_all_or_nothing(enrolled, tmp_path):
    files = [str(voices.enrollment_files("Alice")[0]), str(voices.enrollment_files("Bruno")[0])]
    (tmp_path / "bad.wav").write_bytes(b"RIFF")
    told = refused("embed", files[0], "bad.wav", "--out", "o.npz", folder=tmp_path)
    assert told.startswith("1 of 2 files cannot be embedded, so nothing was written") and "bad.wav" in told
    assert not (tmp_path / "o.npz").exists()
    result = json.loads(
        done("embed", *files, "--out", "o.npz", "--json", folder=tmp_path, SPEAKERID_THREADS="1")
    )
    assert (result["files"], result["dimensions"]) == (2, 192) and result["model"].startswith(
        "ecapa-bundled-"
    )
    with np.load(tmp_path / "o.npz") as stored:
        assert stored["paths"].tolist() == files and stored["paths"].dtype.kind == "U"
        assert stored["embeddings"].shape == (2, 192) and stored["embeddings"].dtype == np.float32
        assert np.linalg.norm(stored["embeddings"], axis=1) == pytest.approx(1, abs=1e-5)


def test_a_model_that_does_not_exist_is_named(tmp_path):
    file = voices.enrollment_files("Alice")[0]
    told = refused("embed", file, "--out", "o.npz", "--model", "nothing", folder=tmp_path)
    assert 'no model called "nothing"' in told and "ecapa-bundled" in told
    assert "SPEAKERID_THREADS" in refused(
        "embed", file, "--out", "o.npz", folder=tmp_path, SPEAKERID_THREADS="many"
    )


def test_a_folder_of_people_is_enrolled_and_who_is_refused_is_told(tmp_path):
    for name in ("Callum", "Daisy"):
        (tmp_path / "people" / name).mkdir(parents=True)
        for file in voices.enrollment_files(name):
            (tmp_path / "people" / name / file.name).write_bytes(file.read_bytes())
    (tmp_path / "people" / "Nobody").mkdir()
    result = run("enroll", "--from", "people", "--consent", "--json", folder=tmp_path)
    assert result.returncode == 1 and "1 of 3 people were not enrolled (Nobody)" in result.stderr
    people = json.loads(result.stdout)["people"]
    assert [person["name"] for person in people] == ["Callum", "Daisy", "Nobody"]
    assert "no recordings" in people[2]["refused"]
    assert done("speakers", folder=tmp_path).count("exemplars") == 2


def test_a_reader_that_has_had_enough_is_no_error(heard):
    folder, _ = heard
    command = f'"{sys.executable}" -m speakerid identify "our talk.wav" --decisions - | head -n 1'
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SPEAKERID_VOICEPRINTS": "voiceprints"}
    result = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert json.loads(result.stdout)["at"] > 0 and result.stderr == ""


def test_a_terminal_without_unicode_still_lists_people(enrolled, tmp_path):
    (tmp_path / "voiceprints").mkdir()
    for path in (enrolled / "voiceprints").glob("voiceprints.sqlite*"):
        (tmp_path / "voiceprints" / path.name).write_bytes(path.read_bytes())
    done("rename", "Alice", "Zoë", folder=tmp_path)
    assert "Zo\\u00eb" in done("speakers", folder=tmp_path, PYTHONIOENCODING="ascii")


def test_people_are_exported_encrypted_and_imported(enrolled, tmp_path):
    secret = {"SPEAKERID_FILE_PASSPHRASE": "correct horse"}
    file = tmp_path / "people"
    assert "2 people are in" in done("export", file, "--encrypt", folder=enrolled, **secret)
    assert b"Alice" not in file.read_bytes()
    assert "set SPEAKERID_FILE_PASSPHRASE" in refused("import", file, folder=tmp_path)
    wrong = {"SPEAKERID_FILE_PASSPHRASE": "battery staple"}
    assert "The passphrase does not open" in refused("import", file, folder=tmp_path, **wrong)
    assert "set SPEAKERID_FILE_PASSPHRASE" in refused("import", file, "--encrypted", folder=tmp_path)
    out = done("import", file, "--encrypted", folder=tmp_path, **secret)
    assert out.splitlines() == ["Alice: added", "Bruno: added"]
    again = run("import", file, "--encrypted", "--json", folder=tmp_path, **secret)
    assert again.returncode == 1 and list(json.loads(again.stdout)["refused"]) == ["Alice", "Bruno"]
    assert "2 of 2 people were not added" in again.stderr and "--same-name" in again.stderr
    out = done("import", file, "--encrypted", "--same-name", "both", folder=tmp_path, **secret)
    assert out.splitlines() == ["Alice 2: added", "Bruno 2: added"]


def test_the_voiceprints_are_encrypted_with_a_passphrase(enrolled, tmp_path):
    stored = tmp_path / "voiceprints"
    stored.mkdir()
    for path in (enrolled / "voiceprints").glob("voiceprints.sqlite*"):
        (stored / path.name).write_bytes(path.read_bytes())
    told = done("passphrase", "set", folder=tmp_path, SPEAKERID_NEW_PASSPHRASE="correct horse")
    assert told.startswith("2 voiceprints are encrypted")
    assert not any(b"Alice" in path.read_bytes() for path in stored.iterdir())
    assert "set SPEAKERID_PASSPHRASE" in refused("speakers", folder=tmp_path)
    wrong = refused("speakers", folder=tmp_path, SPEAKERID_PASSPHRASE="battery staple")
    assert "does not open" in wrong
    right = {"folder": tmp_path, "SPEAKERID_PASSPHRASE": "correct horse"}
    assert done("speakers", **right).count("exemplars") == 2
    assert "not encrypted any more" in done("passphrase", "remove", **right)
    assert done("speakers", folder=tmp_path).count("exemplars") == 2
