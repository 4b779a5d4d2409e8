"""Nodes and constants of an ONNX graph, and the log-mel features as such nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from speakerid.model import mel

if TYPE_CHECKING:
    import onnx


def check(model: onnx.ModelProto) -> None:
    """Raises onnx.checker.ValidationError: the model breaks the rules of ONNX."""
    import onnx

    library: Any = onnx.checker
    library.check_model(model)


class Nodes:
    """What a graph holds so far, in order."""

    def __init__(self):
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def op(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> str:
        """Add a node; the name of its (first) output, which the others follow with _1, _2, …"""
        from onnx import helper

        name = f"{kind.lower()}{len(self.nodes)}"
        outs = [name, *(f"{name}_{k}" for k in range(1, outputs))]
        self.nodes.append(helper.make_node(kind, list(inputs), outs, name=name, **attributes))
        return name

    def constant(self, value: np.ndarray, *, whole: bool = False) -> str:
        from onnx import numpy_helper

        name = f"c{len(self.constants)}"
        array = np.ascontiguousarray(value, np.int64 if whole else np.float32)
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def whole(self, *values: int) -> str:
        return self.constant(np.array(values), whole=True)

    def call(self, node: str, name: str) -> None:
        """Give the output of the latest node, which is `node`, the name that it has outside of the graph."""
        assert self.nodes[-1].output[0] == node
        self.nodes[-1].output[0] = name


def log_mel(graph: Nodes, samples: str) -> str:
    """Waveforms [b, n] -> [b, 80, t]; the spectrogram is a convolution with windowed waves."""
    waves = mel.waves()
    one = graph.op("Unsqueeze", samples, graph.whole(1))
    side = mel.WINDOW // 2
    padded = graph.op("Pad", one, graph.whole(0, 0, side, 0, 0, side))
    parts = graph.op(
        "Conv", padded, graph.constant(waves[:, None]), kernel_shape=[mel.WINDOW], strides=[mel.HOP]
    )
    real = graph.op("Split", graph.op("Mul", parts, parts), outputs=2, axis=1, num_outputs=2)
    power = graph.op("Add", real, f"{real}_1")
    bands = graph.op("MatMul", graph.constant(mel.filters().T), power)
    floored = graph.op("Log", graph.op("Max", bands, graph.constant(np.array(mel.FLOOR_POWER))))
    decibels = graph.op("Mul", floored, graph.constant(np.array(10 / np.log(10))))
    loudest = graph.op("ReduceMax", decibels, graph.whole(1, 2), keepdims=1)
    least = graph.op("Sub", loudest, graph.constant(np.array(mel.DYNAMIC_RANGE_DB)))
    decibels = graph.op("Max", decibels, least)
    return graph.op("Sub", decibels, graph.op("ReduceMean", decibels, graph.whole(2), keepdims=1))
