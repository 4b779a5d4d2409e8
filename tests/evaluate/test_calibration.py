"""Calibrating a model on labelled recordings, from numbers of a known kind and from the command line."""

import json

import numpy as np
import pytest
from support import voices

from speakerid import Encoder
from speakerid.cli import main
from speakerid.evaluate.calibration import fit, logistic
from speakerid.evaluate.subjects import Subject
from speakerid.identify.scoring import Scorer
from speakerid.model.companions import own_file

RNG = np.random.default_rng(4)


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def subject(number: int, spread: float = 0.12) -> Subject:
    """A voice whose embeddings scatter around a centre, the more the shorter they are."""
    center = unit(RNG.normal(size=192))
    seconds = RNG.choice([0.5, 1.0, 2.0, 3.0], 14)
    tests = unit(center + RNG.normal(size=(14, 192)) * spread / np.sqrt(seconds)[:, None])
    exemplars = unit(center + RNG.normal(size=(4, 192)) * spread / 2)
    return Subject(f"s{number}", "made up", exemplars, np.full(4, 3.0), tests, seconds)


def test_a_log_likelihood_ratio_is_learned_from_gaussians():
    same = RNG.normal(2, 1, 40_000)
    other = RNG.normal(-2, 1, 40_000)
    inputs = np.stack([np.concatenate([same, other]), np.ones(80_000)], axis=1)
    weights = logistic(inputs, np.arange(80_000) < 40_000, ridge=1e-9)
    assert weights == pytest.approx([4, 0], abs=0.1)  # log N(x; 2, 1) - log N(x; -2, 1) = 4 x


def test_what_is_learned_tells_voices_apart_and_is_surer_of_longer_speech():
    calibration, losses = fit([subject(k) for k in range(40)], None)
    assert losses["trials"] < 0.5
    scorer, other = Scorer(None, calibration), subject(100)
    llr = scorer.score(other.tests, other.test_seconds, scorer.profiles([other, subject(101)])).llr
    assert (llr[:, 0] > 0).mean() > 0.9 and (llr[:, 1] < 0).mean() > 0.9
    test, profiles = other.tests[:1], scorer.profiles([subject(102)])
    short, long = (scorer.score(test, np.array([s]), profiles).llr[0, 0] for s in (0.4, 3.0))
    assert long < short


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("SPEAKERID_CALIBRATIONS", str(tmp_path / "own"))
    return tmp_path / "own"


def test_calibrate_refuses_too_few_speakers(own, tmp_path, capsys):
    table = tmp_path / "manifest.csv"
    path = voices.write_wav(tmp_path / "a.wav", voices.turn("Alice", 0))
    table.write_text(f"path,corpus,speaker,split\n{path.name},c,Alice,dev\n")
    assert main(["calibrate", str(table)]) == 1
    assert "at least 10 speakers" in capsys.readouterr().err
    assert not own.exists()


def test_calibrate_writes_numbers_that_every_scorer_of_the_model_uses(own, tmp_path, capsys):
    """Five corpora of two synthetic voices each: enough to learn from, and quick."""
    encoder = Encoder.load()
    lines = ["path,corpus,speaker,split"]
    for name in ("Alice", "Bruno"):
        for number in range(2):
            path = voices.write_wav(tmp_path / f"{name}{number}.wav", voices.turn(name, number))
            lines.append(f"{path.name},corpus0,{name},0")
    (tmp_path / "broken.wav").write_bytes(b"no audio")
    table = tmp_path / "manifest.csv"
    for k in range(1, 5):
        for name in ("Alice", "Bruno"):
            for number in range(2):
                copy = tmp_path / f"{k}{name}{number}.wav"
                copy.write_bytes((tmp_path / f"{name}{number}.wav").read_bytes())
                lines.append(f"{copy.name},corpus{k},{name},{k}")
    lines.append("broken.wav,corpus1,Bruno,1")
    table.write_text("\n".join(lines) + "\n")
    assert main(["calibrate", str(table), "--json"]) == 0
    out, err = capsys.readouterr()
    result = json.loads(out)
    assert result["speakers"] == 10 and result["cllr"] < 0.7
    assert "broken.wav" in err
    assert own_file(encoder.id).parent == own and own_file(encoder.id).exists()
    scorer = Scorer.for_model(encoder.id)
    assert scorer.calibrated and scorer.cohort is not None  # the app's cohort is kept


def test_a_damaged_calibration_is_refused_with_the_remedy(own, tmp_path):
    own.mkdir()
    own_file("m").write_bytes(b"nonsense")
    with pytest.raises(Exception, match="delete it, and calibrate again"):
        Scorer.for_model("m")
