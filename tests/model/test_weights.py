"""Weights from files: what is accepted, what is refused, and what tells models apart."""

import numpy as np
import pytest
import torch
from ecapa_reference import reference_network, signal
from safetensors.torch import load_file, save_file

from speakerid import Encoder
from speakerid.errors import ModelError
from speakerid.model import weights


def test_a_checkpoint_and_its_safetensors_are_one_model(small_model, small_checkpoint, tmp_path):
    checkpoint = tmp_path / "small.ckpt"
    checkpoint.write_bytes(small_checkpoint)
    one, other = Encoder.load(small_model), Encoder.load(str(checkpoint))
    assert one.id == other.id and one.id.startswith("small-") and one.channels == 64
    assert np.array_equal(one.embed([signal(1.0)]), other.embed([signal(1.0)]))


def test_weights_of_any_file_lie_in_memory_of_one_alignment(small_model, small_checkpoint, tmp_path):
    """So that no processor's vector code adds up in another order for another file."""
    (tmp_path / "small.ckpt").write_bytes(small_checkpoint)
    for path in (small_model, tmp_path / "small.ckpt", weights.BUNDLED_FILE):
        tensors = weights.tensors(weights.read(path))
        off = [name for name, value in tensors.items() if value.data_ptr() % 64]
        assert off == [], path


def test_other_weights_have_another_id(small_model, tmp_path):
    changed = load_file(small_model)
    changed["fc.conv.bias"][3] += 1e-3
    save_file(changed, tmp_path / "small.safetensors")
    one, other = Encoder.load(small_model).id, Encoder.load(tmp_path / "small.safetensors").id
    assert one != other and one.rsplit("-", 1)[0] == other.rsplit("-", 1)[0] == "small"


def test_half_precision_is_widened(small_model, tmp_path):
    halves = {name: value.half() for name, value in load_file(small_model).items()}
    save_file(halves, tmp_path / "half.safetensors")
    assert all(value.dtype == np.float32 for value in weights.read(tmp_path / "half.safetensors").values())
    one, other = Encoder.load(small_model), Encoder.load(tmp_path / "half.safetensors")
    assert (one.embed([signal(1.0)]) @ other.embed([signal(1.0)]).T).item() > 0.999


@pytest.mark.parametrize("name", ["nothing.safetensors", "nothing.ckpt"])
def test_a_path_without_a_file(tmp_path, name):
    with pytest.raises(ModelError, match=r"no weights at .*nothing.*ecapa-bundled"):
        Encoder.load(tmp_path / name)


@pytest.mark.parametrize("name", ["ecapa", "no/such/place", "", "folder"])
def test_a_name_that_means_nothing(name):
    with pytest.raises(ModelError, match=r"no model called .*ecapa-bundled.*ecapa-voxceleb.*safetensors"):
        Encoder.load(name)


def spoiled(state: dict, how: str) -> dict:
    if how == "missing":
        del state["asp.conv.conv.bias"]
    elif how == "first layer missing":
        del state["blocks.0.conv.conv.weight"]
    elif how == "too many":
        state["classifier.weight"] = torch.zeros(3)
    elif how == "shape":
        state["mfa.conv.conv.weight"] = state["mfa.conv.conv.weight"][:, :-1].contiguous()
    elif how == "not finite":
        state["fc.conv.weight"][0, 0, 0] = torch.nan
    elif how == "width":
        state["blocks.0.conv.conv.weight"] = state["blocks.0.conv.conv.weight"][:-1].contiguous()
    return state


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("missing", "missing, such as asp.conv.conv.bias"),
        ("first layer missing", "first layer"),
        ("too many", "too many, such as classifier.weight"),
        ("shape", "mfa.conv.conv.weight has the shape"),
        ("not finite", "fc.conv.weight holds numbers that are not finite"),
        ("width", "first layer"),
    ],
)
def test_what_is_not_the_network_is_refused(small_model, tmp_path, how, words):
    path = tmp_path / "bad.safetensors"
    save_file(spoiled(load_file(small_model), how), path)
    with pytest.raises(ModelError) as caught:
        Encoder.load(path)
    assert (
        str(path) in str(caught.value) and words in str(caught.value) and "ecapa-bundled" in str(caught.value)
    )


@pytest.mark.parametrize("suffix", [".safetensors", ".ckpt"])
def test_a_damaged_file_is_refused(small_model, small_checkpoint, tmp_path, suffix):
    path = tmp_path / f"cut{suffix}"
    whole = small_model.read_bytes() if suffix == ".safetensors" else small_checkpoint
    for content in (b"", whole[:1000], whole[: len(whole) // 2], b"<html>not here</html>"):
        path.write_bytes(content)
        with pytest.raises(ModelError, match="does not hold the weights"):
            Encoder.load(path)


def test_a_checkpoint_is_never_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    torch.save({"blocks.0.conv.conv.weight": Trap()}, tmp_path / "trap.ckpt")
    with pytest.raises(ModelError, match="numbers only"):
        Encoder.load(tmp_path / "trap.ckpt")
    assert not (tmp_path / "sprung").exists()


def test_writing_is_all_or_nothing(tmp_path):
    state = weights.checked(reference_network(64).state_dict(), "test")
    target = tmp_path / "deep" / "model.safetensors"
    weights.write(state, target)
    before = target.read_bytes()
    with pytest.raises(ValueError):
        weights.write({"not": "a tensor"}, target)  # type: ignore[dict-item]
    with pytest.raises(OSError):
        weights.write(state, target.parent)
    assert target.read_bytes() == before
    assert [path.name for path in tmp_path.rglob("*")] == ["deep", "model.safetensors"]
