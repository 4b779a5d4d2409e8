"""ECAPA-TDNN as an ONNX graph, built from its weights: number for number the network of ecapa.py, but faster.

Batch normalisation follows each ReLU, so it is folded into its neighbours: as relu(z)·s = relu(s·z) where
s > 0, the scale goes into the convolution before, and the offset into the bias of the one behind; reflecting
at the edges does not change an offset that is the same in every frame. Where a scale is negative its sign
stays in the graph.

Input `features` [batch, frames, 80] as features.py makes them, or, in what `export-model` writes, `samples`
[batch, n]; output `embedding` [batch, d] of unit length. All utterances of a batch are equally long.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from speakerid.model import mel
from speakerid.model.graph_nodes import Nodes, check, log_mel

if TYPE_CHECKING:
    import onnx

OPSET = 18
EPSILON = 1e-5  # of the normalisation layers
VARIANCE_FLOOR = 1e-12
GROUPS = 8  # Res2Net scale
DILATIONS = (2, 3, 4)

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class _Tensor:
    """A value of the graph [b, channels, frames] that stands for node + offset [channels]."""

    node: str
    offset: np.ndarray


def build(weights: Arrays, about: dict[str, str], *, samples: bool = False) -> onnx.ModelProto:
    """The network with these weights (SpeechBrain's names, float32) as an ONNX model.

    Args:
        about: stored as the model's metadata.
        samples: take waveforms [batch, n] instead of features.
    """
    from onnx import TensorProto, helper

    graph = Nodes()
    if samples:
        source = helper.make_tensor_value_info("samples", TensorProto.FLOAT, ["batch", "n"])
        features = log_mel(graph, "samples")
    else:
        source = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", "frames", mel.BANDS])
        features = graph.op("Transpose", "features", perm=[0, 2, 1])
    graph.call(_Network(weights, graph).embedding(features), "embedding")
    out = helper.make_tensor_value_info(
        "embedding", TensorProto.FLOAT, ["batch", len(weights["fc.conv.bias"])]
    )
    made = helper.make_graph(graph.nodes, "ecapa-tdnn", [source], [out], graph.constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
    helper.set_model_props(model, about)
    check(model)
    return model


def with_features(core: onnx.ModelProto, about: dict[str, str]) -> onnx.ModelProto:
    """A network that takes features, such as int8.py makes, as one that takes waveforms."""
    import onnx
    from onnx import TensorProto, helper

    graph = Nodes()
    graph.call(graph.op("Transpose", log_mel(graph, "samples"), perm=[0, 2, 1]), "features")
    source = helper.make_tensor_value_info("samples", TensorProto.FLOAT, ["batch", "n"])
    between = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", "frames", mel.BANDS])
    front = helper.make_model(
        helper.make_graph(graph.nodes, "features", [source], [between], graph.constants),
        opset_imports=core.opset_import,
        ir_version=core.ir_version,
    )
    front = onnx.compose.add_prefix(front, "mel_", rename_inputs=False, rename_outputs=False)
    model = onnx.compose.merge_models(front, core, [("features", "features")])
    helper.set_model_props(model, about)
    check(model)
    return model


class _Network:
    """The blocks of the network, which add their nodes to those of a graph."""

    def __init__(self, weights: Arrays, nodes: Nodes):
        self.weights = weights
        self.op, self.constant, self.whole = nodes.op, nodes.constant, nodes.whole

    def conv(
        self,
        x: _Tensor,
        weight: np.ndarray,
        bias: np.ndarray,
        dilation: int = 1,
        scale: np.ndarray | None = None,
    ) -> str:
        """Convolution that keeps the length by reflection; its outputs times `scale` where given."""
        bias = bias + weight.sum(axis=2) @ x.offset
        if scale is not None:
            weight, bias = weight * scale[:, None, None], bias * scale
        node, side = x.node, dilation * (weight.shape[2] - 1) // 2
        if side:
            node = self.op("Pad", node, self.whole(0, 0, side, 0, 0, side), mode="reflect")
        kernel = [weight.shape[2]]
        return self.op(
            "Conv",
            node,
            self.constant(weight),
            self.constant(bias),
            kernel_shape=kernel,
            dilations=[dilation],
        )

    def tdnn(self, x: _Tensor, name: str, dilation: int = 1) -> _Tensor:
        """Convolution, ReLU, normalisation."""
        w = self.weights
        scale, offset = _normalisation(w, f"{name}.norm.norm")
        z = self.conv(x, w[f"{name}.conv.conv.weight"], w[f"{name}.conv.conv.bias"], dilation, np.abs(scale))
        return _Tensor(self._signed(self.op("Relu", z), scale), offset)

    def _signed(self, node: str, scale: np.ndarray) -> str:
        if (scale >= 0).all():
            return node
        return self.op("Mul", node, self.constant(np.sign(scale)[:, None]))

    def block(self, x: _Tensor, name: str, dilation: int) -> _Tensor:
        """SE-Res2Net."""
        inner = self.tdnn(x, f"{name}.tdnn1")
        split = self.op("Split", inner.node, outputs=GROUPS, axis=1, num_outputs=GROUPS)
        offsets = np.split(inner.offset, GROUPS)
        groups = [_Tensor(split if k == 0 else f"{split}_{k}", offsets[k]) for k in range(GROUPS)]
        results = [groups[0]]
        for k in range(GROUPS - 1):
            heard = groups[k + 1]
            if k:
                last = results[-1]
                heard = _Tensor(self.op("Add", heard.node, last.node), heard.offset + last.offset)
            results.append(self.tdnn(heard, f"{name}.res2net_block.blocks.{k}", dilation))
        joined = self.op("Concat", *(r.node for r in results), axis=1)
        y = self.tdnn(_Tensor(joined, np.concatenate([r.offset for r in results])), f"{name}.tdnn2")
        mean = _Tensor(self.op("GlobalAveragePool", y.node), y.offset)
        squeezed = self._conv_of(mean, f"{name}.se_block.conv1.conv")
        gates = self._conv_of(_plain(self.op("Relu", squeezed)), f"{name}.se_block.conv2.conv")
        gates = self.op("Sigmoid", gates)
        # (node + offset)·gates + x: what is the same in every frame is worked out once an utterance.
        common = self.op("Mul", gates, self.constant(y.offset[:, None]))
        gated = self.op("Add", self.op("Mul", y.node, gates), common)
        return _Tensor(self.op("Add", gated, x.node), x.offset)

    def _conv_of(self, x: _Tensor, name: str) -> str:
        offset = x.offset if len(x.offset) else np.zeros(self.weights[f"{name}.weight"].shape[1], np.float32)
        return self.conv(
            _Tensor(x.node, offset), self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        )

    def embedding(self, features: str) -> str:
        """Features [b, 80, t] -> embeddings [b, d] of unit length."""
        w = self.weights
        x = self.tdnn(_Tensor(features, np.zeros(mel.BANDS, np.float32)), "blocks.0")
        outputs: list[_Tensor] = []
        for k, dilation in enumerate(DILATIONS):
            x = self.block(x, f"blocks.{k + 1}", dilation)
            outputs.append(x)
        joined = self.op("Concat", *(o.node for o in outputs), axis=1)
        frames = self.tdnn(_Tensor(joined, np.concatenate([o.offset for o in outputs])), "mfa")
        mean, deviation = self.pool(frames)
        scale, offset = _normalisation(w, "asp_bn.norm")
        pooled = self.op("Squeeze", self.op("Concat", mean, deviation, axis=1), self.whole(2))
        last, bias = w["fc.conv.weight"][..., 0], w["fc.conv.bias"]
        half = len(frames.offset)
        shift = offset + scale * np.concatenate([frames.offset, np.zeros(half, np.float32)])
        row = self.op("Gemm", pooled, self.constant((last * scale).T), self.constant(bias + last @ shift))
        length = self.op("ReduceL2", row, self.whole(1), keepdims=1)
        shortest = self.constant(np.array(1e-12))
        return self.op("Div", row, self.op("Max", length, shortest))

    def pool(self, x: _Tensor) -> tuple[str, str]:
        """Mean and deviation [b, c, 1] of x.node over time, weighted by attention."""
        w = self.weights
        # The same shape again: ONNX Runtime turns what is around 8-bit convolutions so that channels come
        # last, where sums over time are seven times slower; it does not beyond a Reshape.
        heard = self.op("Reshape", x.node, self.whole(0, 0, -1))
        mean = self.op("ReduceMean", heard, self.whole(2), keepdims=1)
        centred = self.op("Sub", heard, mean)
        squares = self.op("Mul", centred, centred)
        deviation = self._root(self.op("ReduceMean", squares, self.whole(2), keepdims=1))
        weight, bias = w["asp.tdnn.conv.conv.weight"], w["asp.tdnn.conv.conv.bias"]
        own, of_mean, of_deviation = np.split(weight, 3, axis=1)
        bias = bias + of_mean[..., 0] @ x.offset
        both = _plain(self.op("Concat", mean, deviation, axis=1))
        context = self.conv(
            _Tensor(both.node, np.zeros(2 * len(x.offset), np.float32)),
            np.concatenate([of_mean, of_deviation], axis=1),
            bias,
        )
        hidden = self.op("Add", self.conv(x, own, np.zeros(len(own), np.float32)), context)
        scale, offset = _normalisation(w, "asp.tdnn.norm.norm")
        hidden = self.op("Mul", self.op("Relu", hidden), self.constant(scale[:, None]))
        hidden = self.op("Tanh", self.op("Add", hidden, self.constant(offset[:, None])))
        scores = self.op("Reshape", self._conv_of(_plain(hidden), "asp.conv.conv"), self.whole(0, 0, -1))
        attention = self.op("Softmax", scores, axis=2)
        # Around the plain mean, of which differences and squares are known already.
        apart = self.op("ReduceSum", self.op("Mul", attention, centred), self.whole(2), keepdims=1)
        spread = self.op("ReduceSum", self.op("Mul", attention, squares), self.whole(2), keepdims=1)
        variance = self.op("Sub", spread, self.op("Mul", apart, apart))
        return self.op("Add", mean, apart), self._root(variance)

    def _root(self, variance: str) -> str:
        return self.op("Sqrt", self.op("Max", variance, self.constant(np.array(VARIANCE_FLOOR))))


def _plain(node: str) -> _Tensor:
    return _Tensor(node, np.zeros(0, np.float32))


def _normalisation(w: Arrays, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Scale and offset [channels] of a normalisation layer in evaluation."""
    scale = w[f"{name}.weight"] / np.sqrt(w[f"{name}.running_var"] + EPSILON)
    return scale, w[f"{name}.bias"] - w[f"{name}.running_mean"] * scale
