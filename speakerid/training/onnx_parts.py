"""Nodes and constants of an ONNX graph, and the parts that both segmentation networks are made of."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Parts:
    """Nodes and constants so far.

    Args:
        weights: PyTorch's names to arrays.
        eight_bits: store matrices with 8 bits and a scale for each row, else as float16. Either is widened
            when the file is loaded.
    """

    def __init__(self, weights: dict[str, np.ndarray], eight_bits: bool = False):
        self.weights, self._eight_bits = weights, eight_bits
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def op(self, kind: str, *inputs: str, out: str | list[str] = "", **attributes) -> str:
        """Add a node; the name of its (first) output."""
        outs = [out] if isinstance(out, str) else out
        outs = [one or f"{kind.lower()}{len(self.nodes)}" for one in outs]
        node = helper.make_node(kind, list(inputs), outs, name=f"n{len(self.nodes)}", **attributes)
        self.nodes.append(node)
        return outs[0]

    def constant(self, value) -> str:
        return self.op("Cast", self._stored(value, np.float16), to=TensorProto.FLOAT)

    def matrix(self, value: np.ndarray) -> str:
        """A constant [..., rows, columns]."""
        if not self._eight_bits:
            return self.constant(value)
        scale = np.maximum(np.abs(value).max(axis=-1, keepdims=True), 1e-12) / 127
        eight = self.op("Cast", self._stored(np.round(value / scale), np.int8), to=TensorProto.FLOAT)
        wide = self.constant(scale * 1024)  # float16 has few digits for what is very small
        return self.op("Mul", eight, self.op("Div", wide, self.constant(np.array(1024.0))))

    def whole(self, *values: int) -> str:
        return self._stored(np.array(values), np.int64)

    def _stored(self, value, kind) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value, kind), name))
        return name

    def linear(self, x: str, name: str) -> str:
        turned = self.op("Transpose", self.matrix(self.weights[f"{name}.weight"]), perm=[1, 0])
        return self.op("Add", self.op("MatMul", x, turned), self.constant(self.weights[f"{name}.bias"]))

    def lstm(
        self, x: str, name: str, layer: int, width: int, states: tuple[str, ...] = (), *, both: bool = False
    ) -> list[str]:
        """[s, 1, c] -> [s, directions, 1, h], the memory and the cells after it. PyTorch has the gates in the
        order input, forget, cell, output, ONNX wants input, output, forget, cell.

        Args:
            states: memory and cells before it, zeros where none are given.
            both: from left to right and back.
        """

        def gates(kind: str) -> np.ndarray:
            rows = []
            for end in ("", "_reverse")[: 2 if both else 1]:
                into, forget, cell, out = np.split(self.weights[f"{name}.{kind}_l{layer}{end}"], 4)
                rows.append(np.concatenate([into, out, forget, cell]))
            return np.stack(rows)

        biases = np.concatenate([gates("bias_ih"), gates("bias_hh")], axis=1)
        outs = [f"{name}{layer}_{part}" for part in ("heard", "memory", "cells")]
        self.op(
            "LSTM",
            x,
            self.matrix(gates("weight_ih")),
            self.matrix(gates("weight_hh")),
            self.constant(biases),
            *(("", *states) if states else ()),
            out=outs,
            hidden_size=width,
            direction="bidirectional" if both else "forward",
        )
        return outs


def put_in_place(model: onnx.ModelProto, out: Path) -> None:
    """Write a network that ships, whole or not at all."""
    temporary = out.with_name(f".{out.name}.tmp")
    try:
        onnx.save(model, temporary)
        temporary.replace(out)
    finally:
        temporary.unlink(missing_ok=True)
    print(f"shipped {out.name}, {out.stat().st_size / 1e6:.1f} MB")
