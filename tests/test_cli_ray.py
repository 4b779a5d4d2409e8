"""A Ray cluster of two nodes identifies an archive while one of them dies: each result once, none missing."""

import json
import shutil
import threading
import time

import pytest
from support import voices

from speakerid import Encoder
from speakerid.cli import main
from speakerid.gallery import Consent, Gallery

ray = pytest.importorskip("ray", reason="pip install ray, the extra [ray], to test it")

COUNT = 100
NODE = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": 80_000_000}


def two_nodes():
    """A cluster and its second node. Ray gives a node 30 s to start, which a busy machine may exceed."""
    from ray.cluster_utils import Cluster

    for left in (2, 1, 0):
        cluster = None
        try:
            cluster = Cluster(initialize_head=True, head_node_args=NODE)
            other = cluster.add_node(**NODE)
            cluster.wait_for_nodes(120)
            return cluster, other
        except Exception:
            if cluster:
                cluster.shutdown()
            if not left:
                raise
    raise AssertionError


def test_a_cluster_identifies_an_archive_while_a_node_dies(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SPEAKERID_VOICEPRINTS", str(tmp_path / "v"))
    monkeypatch.setenv("RAY_worker_niceness", "0")  # else whatever else runs here goes before
    monkeypatch.setenv("RAY_memory_monitor_refresh_ms", "0")  # other programs may have filled the memory
    monkeypatch.setenv("RAY_usage_stats_enabled", "0")
    consent = Consent.now("A synthetic voice.", "test")
    Gallery.open(tmp_path / "v").enroll("Alice", voices.enrollment("Alice"), Encoder.load(), consent=consent)
    talks, out = tmp_path / "talks", tmp_path / "out"
    talks.mkdir()
    first = voices.write_wav(talks / "000.wav", voices.turn("Alice", 0))
    for number in range(1, COUNT):
        shutil.copy(first, talks / f"{number:03}.wav")
    cluster, other = two_nodes()

    def kill() -> None:
        while len(list(out.glob("*.json"))) < 20:
            time.sleep(0.05)
        cluster.remove_node(other, allow_graceful=False)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    try:
        assert main(["identify", str(talks), "--out", str(out), "--ray", cluster.address, "--json"]) == 0
    finally:
        ray.shutdown()
        cluster.shutdown()
    killer.join()
    answer = json.loads(capsys.readouterr().out)  # and nothing of what Ray tells of its nodes
    assert (answer["recordings"], answer["done_before"], answer["failed"]) == (COUNT, 0, {})
    results = sorted(out.iterdir())
    assert [path.name for path in results] == [f"{number:03}.wav.json" for number in range(COUNT)]
    for path in results:
        assert {turn["speaker"] for turn in json.loads(path.read_text())["turns"]} == {"Alice"}
