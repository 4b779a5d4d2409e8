"""`evaluate` from manifest and conversations to its files, with the bundled model and synthetic voices."""

import csv
import json
import sys

import numpy as np
import pytest
from support import voices

from speakerid.cli import main
from speakerid.evaluate import embedding, metrics, peers
from speakerid.evaluate.trials import read_manifest

PEOPLE = ("Alice", "Bruno", "Callum", "Daisy", "Edgar")
STRANGER = "Felix"


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    """Three turns each of five people, one file that is no audio, and somebody of another split."""
    folder = tmp_path_factory.mktemp("speech")
    lines = ["path,corpus,speaker,split"]
    for name in PEOPLE:
        for number in range(3):
            path = voices.write_wav(folder / f"{name}{number}.wav", voices.turn(name, number))
            lines.append(f"{path.name},synthetic,{name},dev")
    (folder / "broken.wav").write_bytes(b"not audio")
    lines += ["broken.wav,synthetic,Alice,dev", "Alice0.wav,other,Alice,train"]
    table = folder / "manifest.csv"
    table.write_text("\n".join(lines) + "\n")
    return table


@pytest.fixture(scope="module")
def conversation(tmp_path_factory):
    folder = tmp_path_factory.mktemp("conversations") / "00"
    for name in ("Alice", "Bruno"):
        (folder / "enroll" / name).mkdir(parents=True)
        for number, samples in enumerate(voices.enrollment(name)):
            voices.write_wav(folder / "enroll" / name / f"{number}.wav", samples)
    samples, turns = voices.conversation(["Alice", "Bruno", STRANGER, "Alice", "Bruno"])
    voices.write_wav(folder / "mix.wav", samples)
    lines = [
        f"SPEAKER mix 1 {t.start:.3f} {t.end - t.start:.3f} <NA> <NA> "
        f"{'unknown' if t.speaker == STRANGER else t.speaker} <NA> <NA>\n"
        for t in turns
    ]
    (folder / "ref.rttm").write_text("".join(lines))
    return folder


@pytest.fixture(scope="module")
def results(manifest, conversation, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "new"
    arguments = ["evaluate", str(manifest), "--split", "dev", "--out", str(out), "--bootstrap", "50"]
    arguments += ["--condition", "clean", "opus24", "--conversations", str(conversation.parent)]
    assert main(arguments) == 0
    return out


def test_metrics_hold_every_length_and_condition(results):
    content = json.loads((results / "metrics.json").read_text())
    rows = [row for row in content["verification"] if row["scoring"] == "cosine"]
    assert [(row["condition"], row["length"]) for row in rows] == [
        (condition, length) for condition in ("clean", "opus24") for length in embedding.LENGTHS
    ]
    for row in rows:
        assert (row["speakers"], row["recordings"], row["corpus"]) == (5, 15, "synthetic")
        assert (row["target_trials"], row["nontarget_trials"]) == (15, 90)
        low, high = row["eer_interval"]
        assert low <= row["eer"] <= high and 0 <= row["min_cllr"] <= 1 and 0 <= row["min_dcf"] <= 1
    assert rows[0]["eer"] < 0.1  # whole recordings of clearly different voices
    [left_out] = content["left_out"]
    assert left_out["path"] == "broken.wav" and "broken.wav" in left_out["reason"]


def test_scores_give_the_metrics_again(results):
    content = json.loads((results / "metrics.json").read_text())
    with open(results / "scores.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 105 and {row["corpus"] for row in rows} == {"synthetic"}
    assert all((row["enroll"][:3] == row["test"][:3]) == (row["target"] == "1") for row in rows)
    for row in content["verification"]:
        column = " | ".join([row["model"], row["condition"], row["length"], row["scoring"]])
        values = {kind: [float(r[column]) for r in rows if r["target"] == kind] for kind in "10"}
        assert metrics.Scores(values["1"], values["0"]).eer() == pytest.approx(row["eer"], abs=1e-3)


def test_page_stands_alone(results):
    text = (results / "det.html").read_text()
    assert "Plotly.newPlot" in text and "Detection error tradeoff" in text and "Live conversations" in text
    head = text[: text.index("<body>")]
    assert len(head) > 1_000_000  # plotly.js itself
    assert '<script src="' not in text and "<link " not in text


def test_live_figures_and_decisions(results, conversation):
    content = json.loads((results / "metrics.json").read_text())
    [(model, live)] = content["conversations"].items()
    assert live["conversations"] == 1 and live["refused"] == []
    assert live["live_error"] < 0.5 and live["never"] < 0.5  # a listener that shows nobody has 0.8 or more
    assert sum(row["weight"] for row in live["reliability"]) <= live["speech_s"]
    [under] = content["conversations_under"]
    assert (under["model"], under["condition"], under["conversations"]) == (model, "opus24", 1)
    assert under["live_error"] < 0.5 and under["calibration_error"] != live["calibration_error"]
    assert "under worse conditions" in (results / "det.html").read_text()
    lines = (results / "conversations" / model / "00" / "decisions.jsonl").read_text().splitlines()
    shown = [json.loads(line) for line in lines]
    assert {one["speaker"] for one in shown} >= {"Alice", "Bruno"}
    assert [one["at"] for one in shown] == sorted(one["at"] for one in shown)


def test_json_goes_to_stdout_and_progress_to_stderr(manifest, tmp_path, capsys):
    arguments = [
        "evaluate",
        str(manifest),
        "--split",
        "dev",
        "--out",
        str(tmp_path),
        "--bootstrap",
        "0",
        "--json",
    ]
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["split"] == "dev"
    assert "embedding (clean): 16 of 16" in err and "Left out: broken.wav: " in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "x"], "nothing to evaluate"),
        (["{manifest}", "--split", "nope", "--out", "x"], "the splits in it are: dev, train"),
        (["{manifest}", "--split", "train", "--out", "x"], "at least two speakers"),
        (["{manifest}", "--split", "dev", "--out", "x", "--model", "nothing"], "no model called"),
        (["--conversations", "{empty}", "--out", "x"], "no conversation in"),
    ],
)
def test_refusals_are_one_sentence(arguments, message, manifest, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    filled = [text.format(manifest=manifest, empty=tmp_path) for text in arguments]
    assert main(["evaluate", *filled]) == 1
    err = capsys.readouterr().err.strip().splitlines()[-1]
    assert err.startswith("speakerid: ") and message in err
    assert not (tmp_path / "x").exists()


def test_results_that_cannot_be_written(manifest, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    arguments = ["evaluate", str(manifest), "--split", "dev", "--bootstrap", "0"]
    assert main([*arguments, "--out", str(tmp_path / "file")]) == 1
    assert "choose another folder with --out" in capsys.readouterr().err


@pytest.fixture
def no_lazy_modules():
    """Importing SpeechBrain leaves modules that fail when anything looks at them, as hypothesis does."""
    yield
    from speechbrain.utils.importutils import LazyModule

    for name in [name for name, module in sys.modules.items() if isinstance(module, LazyModule)]:
        del sys.modules[name]


@pytest.mark.usefixtures("no_lazy_modules")
def test_speechbrain_with_the_same_weights_gives_the_same_embeddings(manifest, monkeypatch):
    monkeypatch.setenv("SPEAKERID_RUNTIME", "onnx")  # as it is, rounded to 8 bits
    ours, theirs = peers.load("ecapa-bundled"), peers.load("speechbrain:ecapa-bundled")
    utterances = read_manifest(manifest, "dev")[:4]
    both = embedding.embed_recordings(utterances, [ours, theirs], lengths=["whole", "1 s"])
    for length in ("whole", "1 s"):
        a, b = (both.rows[encoder.id, "clean", length] for encoder in (ours, theirs))
        assert np.abs(a - b).max() < 1e-4


def test_middle_is_centered():
    samples = np.arange(48_000, dtype=np.float32)
    piece = embedding.middle(samples, 1.0)
    assert len(piece) == 16_000 and piece[0] == 16_000
    assert embedding.middle(samples, 9.0) is not None and len(embedding.middle(samples, 9.0)) == 48_000
    assert len(embedding.middle(samples, None)) == 48_000
