"""A Ray cluster of two nodes identifies an archive while one of them dies: each result once, none missing."""

import json
import shutil
import threading
import time

import numpy as np
import pytest
from support import voices

from speakerid import Encoder
from speakerid.cli import main
from speakerid.gallery import Consent, Gallery

ray = pytest.importorskip("ray", reason="pip install ray, the extra [ray], to test it")

COUNT = 100


def test_a_cluster_identifies_an_archive_while_a_node_dies(tmp_path, monkeypatch, capsys):
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("SPEAKERID_VOICEPRINTS", str(tmp_path / "v"))
    consent = Consent.now("A synthetic voice.", "test")
    Gallery.open(tmp_path / "v").enroll("Alice", voices.enrollment("Alice"), Encoder.load(), consent=consent)
    talks, out = tmp_path / "talks", tmp_path / "out"
    talks.mkdir()
    first = voices.write_wav(talks / "000.wav", np.concatenate([voices.turn("Alice", 0)] * 2))
    for number in range(1, COUNT):
        shutil.copy(first, talks / f"{number:03}.wav")
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    other = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()

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
    *_, answer = capsys.readouterr().out.splitlines()  # Ray says before it that a node is gone
    assert json.loads(answer)["failed"] == {}
    results = sorted(out.iterdir())
    assert [path.name for path in results] == [f"{number:03}.wav.json" for number in range(COUNT)]
    for path in results:
        assert {turn["speaker"] for turn in json.loads(path.read_text())["turns"]} == {"Alice"}
