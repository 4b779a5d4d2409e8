"""How the command line behaves in a shell, whatever the command."""

import argparse
import csv
import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from speakerid import __version__, cli
from speakerid.cli import main
from speakerid.commands.identify import how_far
from speakerid.gallery import Consent, Gallery
from speakerid.gallery.voiceprint import unit

ROOT = Path(__file__).resolve().parents[1]
ODD = "Zoë 李 \N{GRINNING FACE}"


class Fake:
    """A model whose numbers depend on the samples and on nothing else."""

    id = "model-1"

    def embed(self, blocks):
        return unit(np.full((len(blocks), 192), 1.0) + np.arange(192) / 1000)


@pytest.fixture
def people(tmp_path) -> Path:
    """A folder in which two people are enrolled."""
    from support import voices

    folder = tmp_path / "voiceprints"
    gallery = Gallery.open(folder)
    consent = Consent.now("A synthetic voice.", "tests")
    gallery.enroll(ODD, voices.enrollment("Alice"), Fake(), consent=consent)
    return folder


def every_parser() -> list[argparse.ArgumentParser]:
    """Of each command."""
    (commands,) = (a for a in cli._parser()._actions if isinstance(a, argparse._SubParsersAction))
    return list(commands.choices.values())


def test_every_argument_of_every_command_has_a_help():
    bare = [(p.prog, a.dest) for p in every_parser() for a in p._actions if not a.help]
    assert bare == []


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert left.value.code == 0 and capsys.readouterr().out == f"speakerid {__version__}\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8", "utf-16"])
def test_json_is_json_in_any_encoding(people, encoding):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding}
    command = [sys.executable, "-m", "speakerid", "speakers", "--json", "--voiceprints", str(people)]
    out = subprocess.run(command, env=environment, capture_output=True, check=True, timeout=60).stdout
    (person,) = json.loads(out.decode(encoding))["speakers"]
    assert person["name"] == ODD


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (
            {"a": float("nan"), "b": [float("inf"), (1.5, -float("inf"))]},
            {"a": None, "b": [None, [1.5, None]]},
        ),
        ({"file": "\udcff.wav"}, {"file": "\udcff.wav"}),
        ({"a": 0.1, "b": True, "c": None, "d": "é"}, {"a": 0.1, "b": True, "c": None, "d": "é"}),
    ],
)
def test_what_json_does_not_have_is_null_and_what_is_no_text_is_escaped(value, told):
    code = """import sys
from argparse import Namespace
from speakerid import cli
from speakerid.commands.common import answer
cli._to_any_terminal()
answer(Namespace(json=True), eval(sys.argv[1], {"nan": float("nan"), "inf": float("inf")}), "")"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-c", code, repr(value)]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=60)

    def refuse(number):
        raise AssertionError(f"{number} is no JSON")

    assert json.loads(done.stdout.decode("utf-8"), parse_constant=refuse) == told, done.stderr


def test_no_command_prints_json_without_the_one_writer_of_it():
    printing = [
        path.name
        for folder in ("commands", "evaluate")
        for path in sorted((ROOT / "speakerid" / folder).glob("*.py"))
        if "json.dumps" in path.read_text("utf-8") and "args.json" in path.read_text("utf-8")
    ]
    assert printing == []


def test_passphrase_alone_encrypts(people, monkeypatch, capsys):
    monkeypatch.setenv("SPEAKERID_NEW_PASSPHRASE", "correct horse")
    assert main(["passphrase", "--voiceprints", str(people)]) == 0
    assert "encrypted with the new passphrase" in capsys.readouterr().out
    assert Gallery.is_encrypted(people)


@pytest.mark.parametrize(
    ("typed", "more", "status", "left"),
    [("n\n", [], 1, 1), ("\n", [], 1, 1), ("y\n", [], 0, 0), ("", ["--yes"], 0, 0)],
)
def test_remove_asks_at_a_terminal(people, typed, more, status, left):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "speakerid", "remove", ODD, *more, "--voiceprints", str(people)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    process = subprocess.Popen(
        command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    )
    os.close(theirs)
    os.write(ours, typed.encode())
    _, errors = process.communicate(timeout=60)
    os.close(ours)
    assert process.returncode == status and (b"[y/N]" in errors) == (not more)
    assert ("Nothing was deleted" in errors.decode()) == bool(left)
    assert len(Gallery.open(people).speakers()) == left


def test_remove_does_not_ask_a_script(people):
    command = [sys.executable, "-m", "speakerid", "remove", ODD, "--voiceprints", str(people)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(command, stdin=subprocess.DEVNULL, env=environment, check=True, timeout=60)
    assert Gallery.open(people).speakers() == []


def test_ctrl_c_is_status_130_with_one_line(people):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "speakerid", "remove", ODD, "--voiceprints", str(people)]
    process = subprocess.Popen(
        command,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stderr is not None
    asked = b""
    while b"[y/N] " not in asked:
        asked += os.read(process.stderr.fileno(), 1000)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert (process.returncode, errors) == (130, b"speakerid: Stopped.\n")
    assert len(Gallery.open(people).speakers()) == 1


_STOPS = """
import os, signal, sys
from importlib.abc import MetaPathFinder

class Stop(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == STOP:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Stop())
STOP, sys.argv = sys.argv[1], ["speakerid", "speakers", "--voiceprints", "nowhere"]
from speakerid.__main__ import main
sys.exit(main())
"""


@pytest.mark.parametrize(
    "module", ["speakerid.cli", "argparse", "speakerid.commands.common", "speakerid.gallery"]
)
def test_ctrl_c_is_status_130_while_modules_are_imported(module):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", _STOPS, module], env=environment, capture_output=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (130, b"speakerid: Stopped.\n")


@pytest.mark.parametrize("name", ["=1+1", "+49 30", "-x", "@SUM(A1)"])
def test_a_name_is_no_formula_in_a_table(tmp_path, name):
    """From enrollment to the table: the name is written so that no spreadsheet runs it."""
    from support import voices

    folder, table = tmp_path / "voiceprints", tmp_path / "t.csv"
    one = ["--voiceprints", str(folder)]
    files = [str(file) for file in voices.enrollment_files("Alice")]
    assert main(["enroll", "--consent", *one, "--", name, *files]) == 0
    talk = voices.write_wav(tmp_path / "talk.wav", voices.conversation(["Alice"])[0])
    assert main(["identify", str(talk), "--csv", str(table), *one]) == 0
    with table.open(newline="") as file:
        assert [row["speaker"] for row in csv.DictReader(file)] == ["'" + name]


def test_progress_tells_length_share_and_time_left():
    assert how_far(90.0, 360.0, 9.0) == "1:30.0 of 6:00.0 heard (25%), 0:27.0 left"
    assert how_far(90.0, 0.0, 9.0) == "1:30.0 heard, 10 times faster than real time"  # no length told
    assert how_far(90.0, 80.0, 9.0) == "1:30.0 heard, 10 times faster than real time"  # a wrong one
    assert how_far(0.0, 360.0, 0.0).startswith("0:00.0 heard")
