"""The segmentation network as an ONNX graph that carries its states, and into the package with it."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from speakerid.model.segmentation import (
    CONTEXT,
    INPUTS,
    LAYERS,
    SETS,
    STATES,
    VOICES,
    WEIGHTS_FILE,
    WIDE,
    Segmenter,
)
from speakerid.training.onnx_parts import Parts, put_in_place
from speakerid.training.segmentation import SegmentationNetwork, network_of

OPSET = 18


def ship_segmentation(run_folder: Path, out: Path = WEIGHTS_FILE) -> None:
    """Write a run's network, with what it says of the probe."""
    network = network_of(run_folder)
    draft = build(network, {})
    probed = Segmenter.of(draft.SerializeToString(), out).probed()
    helper.set_model_props(draft, {"model": "segmentation", "probe": probed})
    put_in_place(draft, out)


def build(network: SegmentationNetwork, about: dict[str, str]) -> onnx.ModelProto:
    """Features [1, s, 320] and the states before them -> probabilities [1, 2 s, 3] and the states after.

    The states are the last frames that the two convolutions hear again, and the memory and cells of the LSTM.
    """
    graph = _Graph({name: value.numpy() for name, value in network.state_dict().items()})
    graph.network()
    inputs = [helper.make_tensor_value_info("features", TensorProto.FLOAT, [1, "steps", INPUTS])]
    outputs = [helper.make_tensor_value_info("voices", TensorProto.FLOAT, [1, "frames", VOICES])]
    for name, shape in STATES.items():
        inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        outputs.append(helper.make_tensor_value_info(f"{name}_after", TensorProto.FLOAT, shape))
    made = helper.make_graph(graph.nodes, "segmentation", inputs, outputs, graph.constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
    helper.set_model_props(model, about)
    onnx.checker.check_model(model)
    return model


class _Graph(Parts):
    def network(self) -> None:
        w = self.weights
        x = self.conv("features", "first")
        y = self.conv(x, "second")
        y = self.op("Add", y, x)
        y = self.op(
            "LayerNormalization",
            y,
            self.constant(w["norm.weight"]),
            self.constant(w["norm.bias"]),
            axis=-1,
            epsilon=1e-5,
        )
        z = self.op("Transpose", y, perm=[1, 0, 2])
        for state in ("memory", "cells"):
            parts = [f"{state}{layer}" for layer in range(LAYERS)]
            self.op("Split", state, out=parts, axis=0, num_outputs=LAYERS)
        after: list[list[str]] = []
        for layer in range(LAYERS):
            heard, *states = self.lstm(z, "memory", layer, WIDE, (f"memory{layer}", f"cells{layer}"))
            z = self.op("Squeeze", heard, self.whole(1))
            after.append(states)
        for state, parts in zip(("memory", "cells"), zip(*after, strict=True), strict=True):
            self.op("Concat", *parts, out=f"{state}_after", axis=0)
        z = self.op("Transpose", z, perm=[1, 0, 2])
        joined = self.op("Concat", z, y, axis=2)
        inner = self.op("Relu", self.linear(joined, "inner"))
        logits = self.op("Reshape", self.linear(inner, "out"), self.whole(1, -1, len(SETS)))
        sets = self.op("Softmax", logits, axis=2)
        members = np.array([[voice in one for voice in range(VOICES)] for one in SETS])
        self.op("MatMul", sets, self.constant(members), out="voices")

    def conv(self, x: str, name: str) -> str:
        """Convolution over time [1, s, c], and ReLU; it hears the `CONTEXT` steps before again."""
        heard = self.op("Concat", name, x, axis=1)
        end = self.whole(np.iinfo(np.int64).max)
        self.op("Slice", heard, self.whole(-CONTEXT), end, self.whole(1), out=f"{name}_after")
        turned = self.op("Transpose", heard, perm=[0, 2, 1])
        weight, bias = (
            self.constant(self.weights[f"{name}.weight"]),
            self.constant(self.weights[f"{name}.bias"]),
        )
        made = self.op("Relu", self.op("Conv", turned, weight, bias))
        return self.op("Transpose", made, perm=[0, 2, 1])
