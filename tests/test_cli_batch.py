"""`enroll --from DIR` goes on whatever is wrong with one person or one file, and says what happens."""

import json
from pathlib import Path

import numpy as np
import pytest
from support import voices

from speakerid.cli import main
from speakerid.gallery import Gallery
from speakerid.gallery.voiceprint import unit


class Fake:
    """A model whose numbers depend on the samples and on nothing else."""

    id = "model-1"

    def embed(self, blocks):
        rows = [np.random.default_rng(abs(int(block.sum() * 1e4))).standard_normal(192) for block in blocks]
        return unit(unit(np.full(192, float(len(blocks[0]) % 7 - 3.5))) * 30 + np.stack(rows))


@pytest.fixture
def people(tmp_path, monkeypatch) -> Path:
    """Alice with a file that is no recording, and a folder that cannot be read."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("speakerid.commands.enroll.load_encoder", lambda args: Fake())
    folder = tmp_path / "people"
    (folder / "Alice").mkdir(parents=True)
    (folder / "Aaron").mkdir()
    for file in voices.enrollment_files("Alice"):
        (folder / "Alice" / file.name).write_bytes(file.read_bytes())
    (folder / "Alice" / "notes.wav").write_bytes(b"no sound")
    iterdir = Path.iterdir

    def listed(path):
        if path.name == "Aaron":
            raise PermissionError(13, "Permission denied", str(path))
        return iterdir(path)

    monkeypatch.setattr(Path, "iterdir", listed)
    return folder


def enroll(capsys, *more: str) -> tuple[int, str, str]:
    capsys.readouterr()
    status = main(["enroll", "--from", "people", "--consent", *more])
    return status, *capsys.readouterr()


def test_one_bad_folder_or_file_stops_nobody(people, capsys):
    status, out, err = enroll(capsys)
    aaron, alice = out.splitlines()
    assert status == 1 and "Permission denied" in aaron
    assert alice.startswith("Alice: ") and "exemplars" in alice
    assert "Alice: notes.wav is not a sound file" in err and "It was left out." in err
    assert "1 of 2 people were not enrolled (Aaron)" in err.splitlines()[-1]
    (stored,) = Gallery.open("voiceprints").speakers()
    assert "The recordings themselves are not kept." in stored.consent.text and stored.consent.version


def test_repeating_it_adds_nothing(people, capsys):
    enroll(capsys)
    before = Gallery.open("voiceprints").get("Alice")
    _, out, err = enroll(capsys)
    assert out.splitlines()[1] == f"Alice: nothing new, {len(before.embeddings)} exemplars"
    assert err.count("is already enrolled from this recording") == 2
    assert Gallery.open("voiceprints").get("Alice").updated == before.updated
    (_, alice) = json.loads(enroll(capsys, "--json")[1])["people"]
    assert alice["added"] == 0


def test_what_came_in_too_quiet_is_refused_here_too(people, capsys):
    quiet = 0.004 * np.concatenate(voices.enrollment("Alice"))
    file = voices.write_wav(people / "quiet.wav", quiet)
    capsys.readouterr()
    assert main(["enroll", "Bo", str(file), "--consent"]) == 1
    assert '"quiet.wav" is too quiet (' in capsys.readouterr().err
    assert Gallery.open("voiceprints").speakers() == []


def test_what_keeping_recordings_means_is_in_the_consent(people, capsys):
    enroll(capsys, "--keep-recordings")
    (alice,) = Gallery.open("voiceprints").speakers()
    assert "recordings are kept beside the voiceprint" in alice.consent.text


def test_recordings_that_are_too_long_together_are_refused(people, capsys, monkeypatch):
    monkeypatch.setattr("speakerid.gallery.kept_recording.MAX_SECONDS_AT_ONCE", 15.0)
    status, out, _ = enroll(capsys)
    assert status == 1 and "Alice: These recordings are longer than" in out and "leave some out" in out
    files = [str(file) for file in voices.enrollment_files("Alice")]
    assert main(["enroll", "Alice", *files, "--consent"]) == 1
    out, err = capsys.readouterr()
    assert out == "" and "leave some out" in err and len(err.splitlines()) == 1
    assert not Path("voiceprints").exists() or Gallery.open("voiceprints").speakers() == []
