"""What runs the network: every runtime gives the same embeddings, and which one runs is told."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from ecapa_reference import reference_features, signal
from safetensors.numpy import load_file, save_file
from support import voices

from speakerid import Encoder
from speakerid.errors import ModelError
from speakerid.model import features, mel, runtimes, weights
from speakerid.model.export import export_onnx
from speakerid.model.int8 import write_int8

BLOCKS = [signal(seconds, seed=i) for i, seconds in enumerate([0.1, 0.7137, 2.0, 1.995, 2.0, 5.0])]


@pytest.fixture(scope="module")
def int8_file(tmp_path_factory):
    """The bundled network with 8 bits, its ranges found in the test voices."""
    speech = [part[: 2 * voices.RATE] for name in voices.PEOPLE for part in voices.enrollment(name)]
    out = tmp_path_factory.mktemp("int8") / "ecapa-bundled.int8.onnx"
    assert write_int8(weights.BUNDLED_FILE, "ecapa-bundled-test", speech, out) > runtimes.AGREEMENT
    assert [path.name for path in out.parent.iterdir()] == [out.name]
    return out


@pytest.mark.parametrize("seconds", [0.1, 0.5137, 2.0, 9.0])
def test_numpy_features_are_speechbrains(seconds):
    block = signal(seconds)
    ours = mel.log_mel(block[None])
    assert ours.dtype == np.float32
    assert np.abs(ours[0] - reference_features(block)[0].numpy()).max() < 1e-3
    assert np.abs(ours - features.log_mel(torch.from_numpy(block[None])).numpy()).max() < 1e-3


def test_the_graph_gives_the_numbers_of_the_network(small_model, tmp_path):
    state = load_file(small_model)
    for name in state:  # a trained network has some negative scales too
        if name.endswith("norm.weight"):
            state[name] = state[name].copy()
            state[name][::3] *= -1
    save_file(state, tmp_path / "signs.safetensors")
    for path in (small_model, tmp_path / "signs.safetensors"):
        torch_, onnx = Encoder.load(path, runtime="torch"), Encoder.load(path, runtime="onnx")
        assert torch_.id == onnx.id and (torch_.runtime, onnx.runtime) == ("torch", "onnx")
        assert np.abs(torch_.embed(BLOCKS) - onnx.embed(BLOCKS)).max() < 1e-5
    assert Encoder.load(small_model).runtime == "onnx"


def test_the_bundled_network_agrees_in_all_runtimes(int8_file, monkeypatch):
    monkeypatch.setattr(weights, "INT8_FILE", int8_file)
    exact, fast = Encoder.load(runtime="torch"), Encoder.load(runtime="onnx")
    assert np.abs(exact.embed(BLOCKS) - fast.embed(BLOCKS)).max() < 1e-5
    small = Encoder.load()
    assert small.runtime == "onnx-int8" and small.remark == "" and small.channels == exact.channels
    assert Encoder.load(int8_file).runtime == "onnx-int8"
    speech = [voices.turn(name, 0)[: 2 * voices.RATE] for name in voices.PEOPLE]
    together = small.embed(speech)
    assert (together * exact.embed(speech)).sum(axis=1).min() > 0.99
    alone = np.concatenate([small.embed([block]) for block in speech])
    assert np.abs(alone - together).max() < 1e-5  # what shares a batch changes nothing


def test_8_bits_of_other_weights_are_not_used(int8_file, small_model, monkeypatch):
    monkeypatch.setattr(weights, "INT8_FILE", int8_file)
    monkeypatch.setattr(weights, "BUNDLED_FILE", small_model)
    encoder = Encoder.load()
    assert encoder.runtime == "onnx" and "made of other weights" in encoder.about_runtime
    with pytest.raises(ModelError, match=r"cannot run with 8 bits .*other weights.*onnx or torch"):
        Encoder.load(runtime="onnx-int8")


def test_8_bits_that_come_out_otherwise_here_are_not_used(int8_file, monkeypatch):
    monkeypatch.setattr(weights, "INT8_FILE", int8_file)
    monkeypatch.setattr(runtimes, "probe", lambda: BLOCKS[3:])
    encoder = Encoder.load()
    assert encoder.runtime == "onnx" and "on this processor" in encoder.remark


def test_a_missing_or_damaged_8_bit_file_is_told(int8_file, tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "INT8_FILE", tmp_path / "none.onnx")
    assert "none.onnx is missing" in Encoder.load().about_runtime
    (tmp_path / "none.onnx").write_bytes(int8_file.read_bytes()[:100_000])
    assert "cannot read it" in Encoder.load().about_runtime


def test_what_export_model_wrote_is_a_model(small_model, tmp_path):
    encoder = Encoder.load(small_model)
    export_onnx(encoder, tmp_path / "out.onnx")
    exported = Encoder.load(tmp_path / "out.onnx")
    assert exported.id == encoder.id and exported.runtime == "onnx"
    assert np.abs(exported.embed(BLOCKS) - encoder.embed(BLOCKS)).max() < 1e-4


@pytest.mark.parametrize("content", [None, b"", b"no graph"])
def test_a_bad_onnx_file_is_refused(tmp_path, content):
    path = tmp_path / "bad.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"bad\.onnx.*ecapa-bundled"):
        Encoder.load(path)


def test_the_runtime_can_be_chosen_by_the_environment(small_model, monkeypatch):
    monkeypatch.setenv("SPEAKERID_RUNTIME", "torch")
    assert Encoder.load(small_model).runtime == "torch"
    monkeypatch.setenv("SPEAKERID_RUNTIME", "fast")
    with pytest.raises(ModelError, match=r"no runtime called .fast.; use one of: onnx-int8, onnx, torch"):
        Encoder.load(small_model)


def test_embedding_needs_no_torch():
    code = (
        "import sys; sys.modules['torch'] = sys.modules['torchaudio'] = None\n"
        "import numpy as np; from speakerid import Encoder\n"
        "e = Encoder.load(); x = np.random.default_rng(0).normal(0, 0.1, 32000).astype('f4')\n"
        "print(e.runtime, e.embed([x]).shape)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("onnx") and done.stdout.endswith("(1, 192)\n"), done.stdout + done.stderr
