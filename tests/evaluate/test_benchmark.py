"""`benchmark` measures what it says, on the work that it says."""

import json
import time

import numpy as np
import pytest
from support import voices

from speakerid.cli import main
from speakerid.evaluate import benchmark, peers
from speakerid.evaluate.benchmark_command import text
from speakerid.evaluate.benchmark_server import holding
from speakerid.evaluate.benchmark_sessions import sessions
from speakerid.identify.scoring import Scorer


def test_timed_is_the_median_after_a_warm_up(monkeypatch):
    now, lasts = [0.0], [0.2, 0.2, *[0.02, 0.03, 0.2] * 20]
    monkeypatch.setattr(benchmark.time, "perf_counter", lambda: now[0])

    def work():
        now[0] += lasts.pop(0)

    assert benchmark.timed(work) == pytest.approx(30)


def test_longer_windows_and_batches_take_longer():
    rows = benchmark.embedding([peers.load("ecapa-bundled")], lengths=(0.5, 3.0), batches=(1, 8))
    took = {(row["seconds"], row["batch"]): row["ms"] for row in rows}
    assert took[0.5, 1] < took[3.0, 8] and took[3.0, 1] < took[3.0, 8]
    for row in rows:
        assert row["times_real_time"] == pytest.approx(row["seconds"] * row["batch"] * 1000 / row["ms"])
        assert row["features_ms"] > 0  # timed by themselves: on a busy computer they may take longer


def test_scoring_rows():
    rows = benchmark.scoring(Scorer(), counts=(2, 50))
    assert [row["people"] for row in rows] == [2, 50] and all(row["ms"] > 0 for row in rows)


def test_listener_hears_all_of_a_recording(tmp_path, capsys):
    samples, _ = voices.conversation(["Alice", "Bruno"])
    path = voices.write_wav(tmp_path / "a.wav", samples)
    assert main(["benchmark", "listener", "--recording", str(path), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["listener"]["seconds"] == pytest.approx(len(samples) / voices.RATE, abs=0.01)
    assert figures["listener"]["decisions"] > 2 and figures["threads"] == 1 and "encoder" not in figures
    assert figures["listener_beside_busy_loops"]["decisions"] == figures["listener"]["decisions"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "no benchmark called nothing; choose from: encoder"),
        (["listener"], "--recording FILE"),
        (["encoder", "--threads", "0"], "give a number from 1 to 256"),
        (["gallery", "--people", "0"], "give a number from 1 to 1000000"),
    ],
)
def test_refusals(arguments, message, capsys):
    assert main(["benchmark", *arguments]) == 1
    assert message in capsys.readouterr().err


def test_a_folder_of_people_is_timed(capsys):
    assert main(["benchmark", "gallery", "--people", "30", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert [row["people"] for row in figures["gallery"]] == [30] and figures["folder"]["people"] == 30
    assert all(
        figures["folder"][key] > 0 for key in ("load_s", "list_ms", "look_ms", "enroll_ms", "identify_ms")
    )
    assert main(["benchmark", "gallery", "--people", "30"]) == 0
    assert "A folder of 30 people: load " in capsys.readouterr().out


def test_sessions_are_added_until_they_are_too_many(tmp_path):
    class Slow:
        """An encoder with which a second session is one too many."""

        id = "slow"

        def embed(self, blocks):
            time.sleep(1.0 * len(blocks))
            return np.full((len(blocks), 192), 192**-0.5, np.float32)

    samples, _ = voices.conversation(["Alice", "Bruno"])
    gallery = benchmark.strangers(Slow())
    rows = sessions(Slow(), gallery, samples, seconds=3.0, counts=(1, 2, 4))
    assert [row["sessions"] for row in rows] == [1]  # late with the first already, so no more are tried
    assert rows[0]["skipped"] > 0 or not rows[0]["p95_ms"] <= 500


def test_the_api_is_measured_while_half_of_its_connections_are_slow(capsys):
    row = holding(connections=16, seconds=3.0)
    assert row["slow"] == 8 and row["asked"] >= 16 and row["failed"] == 0
    assert 0 < row["median_ms"] <= row["p95_ms"] and row["megabytes_after"] > 10
    told = text({"machine": "m", "processors": 2, "torch": "2", "threads": 1, "server": row})
    assert "16 connections, 8 of them slow" in told


def test_the_other_runtimes_of_a_model_are_named():
    ours = peers.load("ecapa-bundled")
    others = {
        one.id: getattr(one, "about_runtime", "") for one in peers.in_other_runtimes(ours, "ecapa-bundled")
    }
    assert others[f"{ours.id} in torch"] == "32-bit numbers in PyTorch"
    assert len(others) == 2 and ours.id not in others
