"""The ONNX file gives the Encoder's numbers, in a runtime that knows nothing of this project."""

import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from ecapa_reference import signal
from support import voices

from speakerid import Encoder
from speakerid.errors import ModelError
from speakerid.model import export, weights

BLOCKS = [signal(seconds, seed=i) for i, seconds in enumerate([0.1, 0.4001, 2.0, 30.0])]


@pytest.fixture(scope="module")
def exported(small_model, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("export") / "deep" / "model.onnx"
    export.export_onnx(Encoder.load(small_model), out)
    return out


def test_any_length_and_batch_gives_the_encoders_embeddings(exported, small_model):
    session = onnxruntime.InferenceSession(str(exported), providers=["CPUExecutionProvider"])
    encoder = Encoder.load(small_model)
    for block in [*BLOCKS, BLOCKS[2] * 0.01, np.concatenate([BLOCKS[2], np.zeros(16_000, np.float32)])]:
        (ours,) = session.run(None, {"samples": block[None]})
        assert np.abs(ours - encoder.embed([block])).max() < 1e-5
    pair = [signal(1.5, seed=7), signal(1.5, seed=8)]
    (ours,) = session.run(None, {"samples": np.stack(pair)})
    assert np.abs(ours - encoder.embed(pair)).max() < 1e-5


def test_the_file_says_what_it_is_and_nothing_about_this_computer(exported, small_model):
    model = onnx.load(exported)
    onnx.checker.check_model(model)
    said = {entry.key: entry.value for entry in model.metadata_props}
    assert said["model"] == Encoder.load(small_model).id and said["sample_rate"] == "16000"
    assert str(Path(__file__).parents[2]).encode() not in exported.read_bytes()
    assert [path.name for path in exported.parent.iterdir()] == ["model.onnx"]


def test_with_8_bits_it_is_a_third_of_the_size_and_says_nearly_the_same(tmp_path):
    encoder, out = Encoder.load(runtime="onnx"), tmp_path / "small.onnx"
    speech = [part[: 2 * voices.RATE] for name in voices.PEOPLE for part in voices.enrollment(name)]
    difference = export.export_onnx(encoder, out, int8=True, speech=speech)
    assert out.stat().st_size < 0.4 * 4 * sum(value.size for value in encoder.parameters().values())
    assert Encoder.load(out).runtime == "onnx-int8" and Encoder.load(out).id == encoder.id
    session = onnxruntime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    for block in BLOCKS[1:]:
        (theirs,) = session.run(None, {"samples": block[None]})
        assert float((theirs * encoder.embed([block])).sum()) > 0.99
    assert 0 < difference < 0.05
    assert [path.name for path in tmp_path.iterdir()] == ["small.onnx"]


def test_without_speech_the_8_bit_form_of_the_bundled_model_is_the_one_that_it_runs_with(tmp_path):
    out = tmp_path / "small.onnx"
    if not weights.INT8_FILE.is_file():
        with pytest.raises(ModelError, match="--speech FOLDER"):
            export.export_onnx(Encoder.load(), out, int8=True)
        return
    export.export_onnx(Encoder.load(), out, int8=True)
    shipped = Encoder.load(runtime="onnx-int8")
    assert (Encoder.load(out).embed(BLOCKS) * shipped.embed(BLOCKS)).sum(axis=1).min() > 0.999


def test_other_models_need_speech_for_8_bits(small_model, tmp_path):
    with pytest.raises(ModelError, match=r"many voices.*--speech FOLDER"):
        export.export_onnx(Encoder.load(small_model), tmp_path / "small.onnx", int8=True)
    assert list(tmp_path.iterdir()) == []


def test_a_draft_with_other_numbers_is_not_published(exported, small_model, tmp_path):
    draft, out = tmp_path / "draft.onnx", tmp_path / "model.onnx"
    shutil.copy(exported, draft)
    with pytest.raises(ModelError, match=r"off by .* nothing was written"):
        export._publish(Encoder.load()._running, draft, out)
    assert not out.exists()
    assert export._publish(Encoder.load(small_model)._running, draft, out) < 1e-5
    assert out.exists()


def test_a_place_that_cannot_be_written(small_model, tmp_path):
    (tmp_path / "file").write_text("in the way")
    for out in (tmp_path, tmp_path / "file" / "model.onnx"):
        with pytest.raises(ModelError, match=r"is a folder; give|cannot be written .*choose"):
            export.export_onnx(Encoder.load(small_model), out)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
