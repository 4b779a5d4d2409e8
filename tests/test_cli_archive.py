"""`identify FOLDER` and `embed FOLDER`: by all processors, each recording for itself, and on where it was."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from support import voices

from speakerid.cli import main
from speakerid.commands import batch
from speakerid.gallery import Consent, Gallery

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    """Alice is enrolled and speaks in a folder and one within it, Bruno only speaks; a file is no sound."""
    from speakerid import Encoder

    top = tmp_path_factory.mktemp("archive")
    consent = Consent.now("A synthetic voice.", "test")
    Gallery.open(top / "v").enroll("Alice", voices.enrollment("Alice"), Encoder.load(), consent=consent)
    (top / "talks/more").mkdir(parents=True)
    for number, (name, folder) in enumerate(
        (("Alice", "talks"), ("Bruno", "talks"), ("Alice", "talks/more"))
    ):
        turns = np.concatenate([voices.turn(name, number), voices.turn(name, number + 3)])
        voices.write_wav(top / folder / f"{number}.wav", turns)
    (top / "talks/broken.wav").write_bytes(b"no sound at all" * 50)
    (top / "talks/notes.txt").write_text("no recording")
    return top


def names(path: Path) -> set[str]:
    return {turn["speaker"] for turn in json.loads(path.read_text())["turns"]}


def test_a_folder_is_identified_and_what_failed_is_told(archive, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SPEAKERID_VOICEPRINTS", str(archive / "v"))
    out = tmp_path / "out"
    command = ["identify", str(archive / "talks"), "--out", str(out), "--processes", "2"]
    assert main(command) == 1
    said = capsys.readouterr()
    assert (
        "broken.wav" in said.out and "3 of 4 results" in said.out and "1 of 4 recordings failed" in said.err
    )
    assert sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()) == [
        "0.wav.json",
        "1.wav.json",
        "more/2.wav.json",
    ]
    assert names(out / "0.wav.json") == names(out / "more/2.wav.json") == {"Alice"}
    assert not names(out / "1.wav.json") & {"Alice"}
    (out / "1.wav.json").unlink()
    (out / "0.wav.json").write_text("kept")
    assert main([*command, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["done_before"] == 2 and list(told["failed"]) == [str(archive / "talks/broken.wav")]
    assert (out / "0.wav.json").read_text() == "kept" and (out / "1.wav.json").exists()


def test_a_folder_is_embedded(archive, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["embed", str(archive / "talks/more"), "--out", str(out), "--processes", "1"]) == 0
    held = np.load(out / "2.wav.npz")
    assert held["embeddings"].shape == (1, 192) and held["paths"][0].endswith("2.wav")
    assert "1 of 1 results" in capsys.readouterr().out


def test_what_makes_no_sense_is_refused_with_a_remedy(archive, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    talks, out = str(archive / "talks"), str(tmp_path / "out")
    for command, says in (
        (["identify", talks], "--out DIR"),
        (["identify", talks, "--out", out, "--rttm", "x"], "--rttm is for one recording"),
        (["identify", str(archive / "talks/0.wav"), "--out", out], "name a folder"),
        (["identify", str(tmp_path / "empty"), "--out", out], "no recording in"),
        (["embed", talks, "--out", out, "--processes", "0"], "at least 1"),
    ):
        assert main(command) == 1
        assert says in capsys.readouterr().err


def dying(marks: str):
    """Stands in for a model whose memory does not suffice for one recording, and for another one once."""

    def work(path: str) -> bytes:
        if path == "always" or (path == "once" and not os.path.exists(marks)):
            Path(marks).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return path.encode()

    return work


def test_a_process_that_dies_costs_at_most_the_recording_that_killed_it(tmp_path):
    paths = [*map(str, range(5)), "once", *map(str, range(5, 9)), "always", *map(str, range(9, 14))]
    found = [*batch._here(2, batch.Job(dying, (str(tmp_path / "mark"),), ""), paths)]
    assert sorted(one.path for one in found) == sorted(paths)
    assert [one.path for one in found if one.why] == ["always"]
    assert all(one.content == one.path.encode() for one in found if not one.why)


def test_ctrl_c_leaves_what_was_done(archive, tmp_path):
    talks, out = tmp_path / "talks", tmp_path / "out"
    talks.mkdir()
    for number in range(40):
        shutil.copy(archive / "talks/0.wav", talks / f"{number}.wav")
    command = [sys.executable, "-m", "speakerid", "embed", str(talks), "--out", str(out), "--processes", "2"]
    running = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while len(list(out.glob("*.npz"))) < 3:
        assert running.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130 and said.splitlines()[-1] == "speakerid: Stopped."
    left = [*out.iterdir()]
    assert 3 <= len(left) < 40 and all(len(np.load(path)["paths"]) == 1 for path in left)
