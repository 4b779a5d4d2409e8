"""`quality-gate` counts what enrollment refuses and accepts, and measures behind the thresholds."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from support import voices

from speakerid.cli import main
from speakerid.evaluate.degrade import clip, with_noise
from speakerid.evaluate.gate_measures import Measured, Remembering, Tried, agreement
from speakerid.evaluate.gate_recordings import collect
from speakerid.evaluate.quality_gate_command import text
from speakerid.evaluate.trials import read_manifest


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Two people with two recordings of some 12 s each."""
    path = tmp_path / "manifest.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "corpus", "speaker", "split"])
        for name in ("Alice", "Bruno"):
            for recording in voices.enrollment_files(name):
                writer.writerow([recording, "synthetic", name, "dev"])
    return path


def test_good_voices_get_in_and_spoiled_ones_do_not(manifest, capsys):
    assert main(["quality-gate", str(manifest), "--split", "dev", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    kinds = figures["kinds"]
    assert (figures["speakers"], figures["enrollments"]) == (2, 4)
    assert kinds["good recordings"]["tried"] == 4
    assert kinds["good recordings"]["refused"] == kinds["good, asked whether it is another's"]["refused"] == 0
    # Of the four pairs one or two sound alike enough to the bundled network to pass for one voice.
    assert kinds["two voices in turn"]["share_refused"] >= 0.75
    assert kinds["two, sentence by sentence"]["share_refused"] >= 0.5
    for kind in (
        "10 % clipped",
        "enrolled voice, new name",
        "another's voice, this name",
    ):
        assert kinds[kind]["share_refused"] == 1, kind
    assert "clipped" in next(iter(kinds["10 % clipped"]["reasons"]))
    limits = {one["name"]: one for one in figures["thresholds"]}
    assert limits["two_voices"]["now"] < limits["two_voices"]["good_at"][-1]
    both = limits["MOST_AT_ONCE"]  # good ones lie below it
    assert both["good_at"][-1] < both["now"] < both["bad_at"][-1]
    table = text(figures)
    for name in ("MIN_SNR_DB", "MAX_CLIPPED", "two_voices", "other_voice", "same_voice"):
        assert name in table


@pytest.mark.parametrize(
    ("arguments", "message"), [(["--seconds", "0"], "above 0"), (["--seconds", "900"], "smaller number")]
)
def test_refusals(manifest, arguments, message, capsys):
    assert main(["quality-gate", str(manifest), *arguments]) == 1
    assert message in capsys.readouterr().err


def test_recordings_are_put_together_by_speaker(manifest):
    enrollments = collect(read_manifest(manifest), seconds=20)
    assert [one.speaker for one in enrollments] == ["Alice", "Bruno"]
    assert all(len(one.blocks) == 2 for one in enrollments)


def test_a_threshold_is_judged_on_both_sides():
    one = Measured("x", 0.5, above=True, good=[0.4, 0.6, 0.7, 0.8], bad=[0.1, 0.2, 0.3, 0.55])
    assert one.lost(0.5) == (0.25, 0.25)
    assert one.quantiles([0.0], "good") == [0.4]
    assert one.quantiles([0.0], "bad") == [0.55]
    below = Measured("y", 0.5, above=False, good=[0.1, 0.2], bad=[0.4, 0.9])
    assert below.lost(0.5) == (0.0, 0.5)
    assert below.quantiles([0.0], "good") == [0.2]
    assert Measured("z", 0.5, above=True).quantiles([0.1], "bad") == []


def test_reasons_are_counted_without_names():
    tried = Tried()
    for reasons in ([], ['"a.wav" is silent.'], ['"b.wav" is silent.', "More."], ["Too short: 3.2 seconds."]):
        tried.add(reasons)
    assert tried.share_refused == 0.75
    assert tried.reasons() == {"… is silent.": 2, "Too short: … seconds.": 1}


def test_spoiling_does_what_it_says():
    samples = voices.turn("Alice", 1)
    assert np.mean(np.abs(clip(samples, 0.1)) >= 1) == pytest.approx(0.1, abs=0.001)
    noise = with_noise(samples, "a", 0.0) - samples
    assert np.mean(noise**2) == pytest.approx(np.mean(samples**2), rel=0.01)


def test_agreement_is_with_the_others():
    rows = np.eye(3, dtype=np.float32)[[0, 0, 1]]
    assert agreement(rows) == pytest.approx([0.7071, 0.7071, 0.0], abs=1e-3)
    assert len(agreement(rows[:1])) == 0


def test_each_recording_is_embedded_once():
    class Counting:
        id, count = "counting", 0

        def embed(self, blocks):
            self.count += len(blocks)
            return np.stack([np.full(4, block.sum(), np.float32) for block in blocks])

    counting = Counting()
    remembering = Remembering(counting)
    one, two = np.ones(5, np.float32), np.full(7, 2, np.float32)
    first = remembering.embed([one, two, one])
    assert np.array_equal(first[:, 0], [5, 14, 5])
    assert np.array_equal(remembering.embed([two])[:, 0], [14])
    assert counting.count == 2
