"""Commands that keep people in order: merge and exemplars, kept recordings, another model, doctor."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from support import voices

from speakerid.cli import main
from speakerid.gallery import Gallery
from speakerid.gallery.opening import open_store


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory) -> Path:
    """Alice, whose two recordings are kept, and Bruno, whose are not."""
    folder = tmp_path_factory.mktemp("enrolled") / "voiceprints"
    for name, more in (("Alice", ["--keep-recordings"]), ("Bruno", [])):
        files = map(str, voices.enrollment_files(name))
        assert main(["enroll", name, *files, "--consent", *more, "--voiceprints", str(folder)]) == 0
    return folder


@pytest.fixture
def folder(enrolled, tmp_path) -> Path:
    """A copy of it, which is where commands look."""
    folder = tmp_path / "voiceprints"
    folder.mkdir(mode=0o700)
    for path in enrolled.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
        (folder / path.name).chmod(0o600)
    return folder


@pytest.fixture
def run(capsys):
    """Run a command: its exit status, standard output and standard error."""

    def running(*arguments):
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return status, out, err

    return running


def as_if_of_another_model(folder: Path) -> None:
    """Change the id of the model in every voiceprint."""
    store = open_store(folder)
    with store.locked():
        store.write([replace(person, model="older") for person in store.read().people.values()])


def test_two_people_become_one_and_exemplars_move(folder, run):
    for arguments, says in (
        (["merge", "Alice", "Bruno"], "do not sound like one person"),
        (["remove-exemplar", "Alice", "11"], "no exemplar number 11"),
        (["move-exemplar", "Alice", "1", "Bruno"], "as many as there may be"),
    ):
        status, out, err = run(*arguments)
        assert (status, out) == (1, "") and says in err and len(err.splitlines()) == 1
    assert "is deleted" in run("remove-exemplar", "Bruno", 1)[1]
    moved = json.loads(run("move-exemplar", "Alice", 1, "bruno", "--json")[1])
    assert moved == {"name": "Alice", "exemplar": 1, "to": "Bruno"}
    merged = json.loads(run("merge", "Alice", "Bruno", "--force", "--json")[1])
    assert merged == {"removed": "Alice", "into": "Bruno", "exemplars": 10}
    assert run("speakers")[1].startswith("Bruno  (10 exemplars")


def test_kept_recordings_are_counted_and_deleted_alone(folder, run):
    alice, bruno = json.loads(run("speakers", "--json")[1])["speakers"]
    assert (alice["recordings_kept"], bruno["recordings_kept"]) == (2, 0)
    assert alice["consent"]["keep_recordings"] and not bruno["consent"]["keep_recordings"]
    assert "2 kept recordings" in run("remove", "Alice", "--recordings")[1]
    assert open_store(folder).recordings() == {} and "Alice" in run("speakers")[1]


def test_another_model_takes_over_who_has_recordings(folder, run, tmp_path):
    assert "is of the model" in run("reembed")[1]
    as_if_of_another_model(folder)
    status, out, err = run("doctor")
    assert (
        status == 1
        and "2 people were enrolled with another model (older)" in out
        and "1 thing is wrong" in err
    )
    assert run("export", tmp_path / "people")[0] == 0
    there = ["--voiceprints", tmp_path / "there"]
    status, _, err = run("import", tmp_path / "people", *there)
    assert status == 1 and "--reembed makes 1 of them anew" in err
    status, out, _ = run("import", tmp_path / "people", "--reembed", *there)
    assert status == 1 and out.startswith("Alice: added\nBruno: not added, because it was made by")
    (alice,) = [p for p in Gallery.open(folder, "").speakers() if p.name == "Alice"]
    store = open_store(folder)
    with store.locked():
        store.put(replace(alice, recordings=("", *alice.recordings[1:])))
    status, out, err = run("reembed")
    assert "Alice: 1 exemplar will go, for the recordings behind" in err
    assert status == 1 and out.startswith("Alice: made anew\nBruno: left as before. No recordings were kept")
    assert "1 of 2 people are left" in err
    assert run("remove", "Bruno")[0] == run("doctor")[0] == 0


def test_doctor_repairs_what_can_be_repaired(folder, run):
    status, out, err = run("doctor")
    assert (status, err) == (0, "") and out.startswith(
        "2 people and 2 kept recordings can be used. ecapa-bundled-"
    )
    assert " runs with " in out and " in ONNX Runtime" in out
    store = open_store(folder)
    with store.locked():
        store.write_raw({"0123456789abcdef.safetensors": b"half"})
    status, out, err = run("doctor")
    assert status == 1 and "With --repair: it is moved to set-aside/." in out
    assert "1 thing is wrong" in err and len(err.splitlines()) == 1
    status, out, _ = run("doctor", "--repair", "--json")
    assert status == 0 and all(finding["repaired"] for finding in json.loads(out)["findings"])
    assert run("doctor")[0] == 0


def test_doctor_tells_a_model_that_cannot_be_loaded(folder, run):
    status, out, _ = run("doctor", "--model", "nowhere.safetensors")
    assert status == 1 and "The model cannot be loaded" in out and "2 people" in out


def test_what_is_not_encrypted_is_told_by_commands_that_write(folder, run, monkeypatch):
    monkeypatch.setenv("SPEAKERID_PASSPHRASE", "correct horse")
    assert run("speakers")[2] == ""
    status, _, err = run("rename", "Alice", "Alicia")
    assert status == 0 and len(err.splitlines()) == 1
    assert "2 voiceprints are not encrypted" in err and "python -m speakerid passphrase set" in err
    monkeypatch.setenv("SPEAKERID_NEW_PASSPHRASE", "correct horse")
    assert run("passphrase", "set")[0] == 0
    assert run("rename", "Alicia", "Alice")[2] == ""


def test_a_passphrase_is_asked_for_on_a_terminal(folder, run):
    """A terminal of its own, on which the passphrase is typed unseen."""
    import os
    import pty
    import sys

    from speakerid.gallery import Gallery

    Gallery.open(folder, "").change_passphrase("correct horse")
    child, terminal = pty.fork()
    if child == 0:
        os.environ["SPEAKERID_VOICEPRINTS"] = str(folder)
        os.execv(sys.executable, [sys.executable, "-m", "speakerid", "speakers"])
    said = b""
    while b"Passphrase of the voiceprints:" not in said:
        said += os.read(terminal, 1000)
    os.write(terminal, b"correct horse\n")
    try:
        while more := os.read(terminal, 1000):
            said += more
    except OSError:  # how Linux tells that the other end of a terminal is closed
        pass
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert b"Alice  (" in said and b"correct horse" not in said
